#include "report/trajectory_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/result.h"
#include "core/text.h"
#include "report/internal/html_text.h"

namespace mpca::report {
namespace {

std::string column(std::string_view name, std::span<const double> values, double digits) {
  std::string text = cat(",\"", name, "\":[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double rounded = std::round(values[i] * digits) / digits + 0.0;  // + 0.0: no `-0`
    text += cat(i > 0 ? "," : "", std::isfinite(rounded) ? shortest(rounded) : std::string("null"));
  }
  return text + "]";
}

}  // namespace

TrajectoryRecorder::TrajectoryRecorder(int total_periods, int max_points, double capacity_rps)
    : capacity_rps_(capacity_rps), thinner_(4, total_periods, max_points) {
  MPCA_CHECK(capacity_rps > 0.0, "a replica serves something");
}

void TrajectoryRecorder::add(const policy::PeriodOutcome& outcome) {
  if (!std::exchange(started_, true)) start_ = outcome.start;
  const policy::RequestOutcome requests = outcome.requests.value_or(policy::RequestOutcome{});
  const double values[] = {
      static_cast<double>(outcome.spec_replicas), static_cast<double>(outcome.ready_replicas),
      outcome.demand_rps / capacity_rps_,
      requests.arrived > 0.0 ? std::min((requests.late + requests.failed) / requests.arrived, 1.0) : 0.0};
  thinner_.add(to_seconds(outcome.start - start_), values);
}

TrajectoryRun TrajectoryRecorder::finish(std::uint64_t seed) {
  internal::ExtremesThinner::Points points = thinner_.finish();
  auto& series = points.series;
  return {seed,
          std::move(points.time_s),
          std::move(series[0]),
          std::move(series[1]),
          std::move(series[2]),
          std::move(series[3])};
}

std::string trajectory_path(std::string_view trace, std::string_view policy) {
  return cat("trajectories/", file_name_of(trace), "/", file_name_of(policy), ".js");
}

std::string trajectory_js(std::string_view trace, std::string_view policy, std::span<const TrajectoryRun> runs) {
  std::string text = cat("mpcaTrajectory({\"trace\":", internal::json_string(trace),
                         ",\"policy\":", internal::json_string(policy), ",\"runs\":[");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const TrajectoryRun& run = runs[i];
    text +=
        cat(i > 0 ? ",\n" : "\n", "{\"seed\":", run.seed, column("time_s", run.time_s, 1000.0),
            column("spec", run.spec, 1.0), column("ready", run.ready, 1.0),
            column("demand_replicas", run.demand_replicas, 100.0), column("violation", run.violation, 10000.0), "}");
  }
  return text + "\n]});\n";
}

}  // namespace mpca::report
