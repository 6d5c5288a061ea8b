#include "report/internal/extremes_thinner.h"

#include <utility>

#include "core/result.h"

namespace mpca::report::internal {

ExtremesThinner::ExtremesThinner(std::size_t series, int total_steps, int max_points) : extremes_(series) {
  MPCA_CHECK(total_steps >= 1 && max_points >= 2, "a run has steps and a picture has points");
  const int buckets = max_points / 2;
  bucket_steps_ = total_steps <= max_points ? 1 : (total_steps - 1) / buckets + 1;
  points_.series.resize(series);
}

void ExtremesThinner::add(double time_s, std::span<const double> values) {
  MPCA_CHECK(values.size() == extremes_.size(), "a value for every series");
  if (in_bucket_ == 0) {
    first_time_s_ = time_s;
    for (std::size_t i = 0; i < values.size(); ++i) extremes_[i] = {values[i], values[i], true};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
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

ExtremesThinner::Points ExtremesThinner::finish() {
  if (in_bucket_ > 0) close_bucket();
  return std::move(points_);
}

void ExtremesThinner::close_bucket() {
  const bool one_point = in_bucket_ == 1;
  points_.time_s.push_back(first_time_s_);
  if (!one_point) points_.time_s.push_back(middle_time_s_);
  for (std::size_t i = 0; i < extremes_.size(); ++i) {
    const Extremes& seen = extremes_[i];
    points_.series[i].push_back(seen.low_came_first ? seen.low : seen.high);
    if (!one_point) points_.series[i].push_back(seen.low_came_first ? seen.high : seen.low);
  }
  in_bucket_ = 0;
}

}  // namespace mpca::report::internal
