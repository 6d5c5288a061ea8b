#include "workload/admission_queue.h"

#include "core/result.h"

namespace mpca::workload {

AdmissionQueue::Admission AdmissionQueue::arrive(Id id) {
  if (!limits_.concurrency || busy_ < *limits_.concurrency) {
    ++busy_;
    return Admission::starts;
  }
  if (limits_.queue_limit && waiting_.size() >= *limits_.queue_limit) return Admission::refused;
  place_[id] = waiting_.insert(waiting_.end(), id);
  return Admission::waits;
}

std::optional<AdmissionQueue::Id> AdmissionQueue::finish() {
  MPCA_CHECK(busy_ > 0, "nobody was worked on");
  if (waiting_.empty()) {
    --busy_;
    return std::nullopt;
  }
  const Id next = waiting_.front();
  waiting_.pop_front();
  place_.erase(next);
  return next;
}

bool AdmissionQueue::give_up(Id id) {
  const auto place = place_.find(id);
  if (place == place_.end()) return false;
  waiting_.erase(place->second);
  place_.erase(place);
  return true;
}

}  // namespace mpca::workload
