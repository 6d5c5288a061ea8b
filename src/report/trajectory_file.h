// The trajectories of one policy on one trace, a run per seed, as a file that a report page loads when somebody asks
// for it. The file is a script that calls mpcaTrajectory() with the data: a page opened from a disk may load scripts,
// but no data. 400 points take about 5 KB.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "policy/world.h"
#include "report/internal/extremes_thinner.h"

namespace mpca::report {

/// One run; n values in each column.
struct TrajectoryRun {
  std::uint64_t seed = 0;
  std::vector<double> time_s;  // since the first period began
  std::vector<double> spec;
  std::vector<double> ready;
  std::vector<double> demand_replicas;  // arrival rate / capacity of a replica
  std::vector<double> violation;        // share of the period's requests that were late or failed, 0 where none came
};

/// Thins a run while it goes on, as SeriesThinner does: what is lost is time, never the height of a spike. Runs of
/// equal lengths land on equal times.
class TrajectoryRecorder {
 public:
  /// `total_periods` >= 1 will come, `max_points` >= 2 are kept; `capacity_rps` > 0 of a replica.
  TrajectoryRecorder(int total_periods, int max_points, double capacity_rps);

  void add(const policy::PeriodOutcome& outcome);

  /// All that was added; the run may have ended early. Call it once.
  TrajectoryRun finish(std::uint64_t seed);

 private:
  double capacity_rps_;
  bool started_ = false;
  TimePoint start_{};
  internal::ExtremesThinner thinner_;
};

/// Where the file of a policy on a trace lies, relative to the page: `trajectories/nasa-http/hpa_target=60.js`. Names
/// that differ only in characters that file names lack share a path.
std::string trajectory_path(std::string_view trace, std::string_view policy);

/// The file: seconds and replicas as they are (whole numbers mostly), demand to 2 decimals, violations to 4.
std::string trajectory_js(std::string_view trace, std::string_view policy, std::span<const TrajectoryRun> runs);

}  // namespace mpca::report
