#include "report/thin_series.h"

#include <utility>

#include "core/result.h"

namespace mpca::report {

SeriesThinner::SeriesThinner(int total_steps, int max_points) {
  MPCA_CHECK(total_steps >= 1 && max_points >= 2, "a run has steps and a picture has points");
  const int buckets = max_points / 2;
  bucket_steps_ = total_steps <= max_points ? 1 : (total_steps - 1) / buckets + 1;
}

void SeriesThinner::add(const policy::PeriodOutcome& outcome) {
  if (!std::exchange(started_, true)) start_ = outcome.start;
  const double time_s = to_seconds(outcome.start - start_);
  const double values[kSeries] = {outcome.demand_rps, static_cast<double>(outcome.spec_replicas),
                                  static_cast<double>(outcome.ready_replicas), outcome.utilization,
                                  outcome.backlog_requests};
  if (in_bucket_ == 0) {
    first_time_s_ = time_s;
    for (int i = 0; i < kSeries; ++i) extremes_[i] = {values[i], values[i], true};
  }
  for (int i = 0; i < kSeries; ++i) {
    Extremes& seen = extremes_[i];
    if (values[i] < seen.low) {
      seen.low = values[i];
      seen.low_came_first = false;
    } else if (values[i] > seen.high) {
      seen.high = values[i];
      seen.low_came_first = true;
    }
  }
  if (in_bucket_ <= bucket_steps_ / 2) middle_time_s_ = time_s;
  if (++in_bucket_ == bucket_steps_) close_bucket();
}

ThinSeries SeriesThinner::finish() {
  if (in_bucket_ > 0) close_bucket();
  return std::move(points_);
}

void SeriesThinner::close_bucket() {
  std::vector<double>* series[kSeries] = {&points_.demand_rps, &points_.spec_replicas, &points_.ready_replicas,
                                          &points_.utilization, &points_.backlog_requests};
  const bool one_point = in_bucket_ == 1;
  points_.time_s.push_back(first_time_s_);
  if (!one_point) points_.time_s.push_back(middle_time_s_);
  for (int i = 0; i < kSeries; ++i) {
    const Extremes& seen = extremes_[i];
    series[i]->push_back(seen.low_came_first ? seen.low : seen.high);
    if (!one_point) series[i]->push_back(seen.low_came_first ? seen.high : seen.low);
  }
  in_bucket_ = 0;
}

}  // namespace mpca::report
