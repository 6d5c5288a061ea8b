#include "study/block_account.h"

#include "core/result.h"

namespace mpca::study {

BlockAccount& BlockAccount::operator+=(const BlockAccount& other) {
  seconds += other.seconds;
  replica_seconds += other.replica_seconds;
  requests += other.requests;
  violations += other.violations;
  churn += other.churn;
  return *this;
}

BlockMeter::BlockMeter(double total_s, int blocks) : total_s_(total_s), count_(blocks) {
  MPCA_CHECK(blocks >= 1 && total_s > 0.0, "something to cut");
}

void BlockMeter::period_ended(const sim::Truth& truth) {
  const auto closed = static_cast<double>(blocks_.size());
  // One a call: a block shorter than a period would end where its successor does. The last is finish()'s.
  if (closed + 1.0 < count_ && truth.seconds >= total_s_ * (closed + 1.0) / count_) close(truth);
}

std::vector<BlockAccount> BlockMeter::finish(const sim::Truth& truth) {
  close(truth);
  blocks_.resize(static_cast<std::size_t>(count_));  // a run that was too short for all has empty ones
  return std::move(blocks_);
}

void BlockMeter::close(const sim::Truth& truth) {
  const BlockAccount now{.seconds = truth.seconds,
                         .replica_seconds = truth.replica_seconds,
                         .requests = truth.requests,
                         .violations = truth.late + truth.failed(),
                         .churn = static_cast<double>(truth.replica_churn)};
  blocks_.push_back({.seconds = now.seconds - so_far_.seconds,
                     .replica_seconds = now.replica_seconds - so_far_.replica_seconds,
                     .requests = now.requests - so_far_.requests,
                     .violations = now.violations - so_far_.violations,
                     .churn = now.churn - so_far_.churn});
  so_far_ = now;
}

}  // namespace mpca::study
