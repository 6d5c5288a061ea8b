#include "report/thin_series.h"

#include <utility>

namespace mpca::report {

SeriesThinner::SeriesThinner(int total_steps, int max_points) : thinner_(5, total_steps, max_points) {}

void SeriesThinner::add(const policy::PeriodOutcome& outcome) {
  if (!std::exchange(started_, true)) start_ = outcome.start;
  const double values[] = {outcome.demand_rps, static_cast<double>(outcome.spec_replicas),
                           static_cast<double>(outcome.ready_replicas), outcome.utilization, outcome.backlog_requests};
  thinner_.add(to_seconds(outcome.start - start_), values);
}

ThinSeries SeriesThinner::finish() {
  internal::ExtremesThinner::Points points = thinner_.finish();
  auto& series = points.series;
  return {std::move(points.time_s), std::move(series[0]), std::move(series[1]),
          std::move(series[2]),     std::move(series[3]), std::move(series[4])};
}

}  // namespace mpca::report
