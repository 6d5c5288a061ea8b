// trajectory.png: one trace, the HPA-like rule and the MPC on it, in the reference lab's four panels (demand and
// forecast, replicas, utilization with its target, backlog). Drawn by Cairo in this process; the SVG is the same
// drawing.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace mpca::report {

/// Columns of a trajectory, n >= 1 values each; a value holds from its time until the next. A value that is not finite
/// is a gap in its line.
struct TrajectoryFigure {
  std::string title;
  std::vector<double> time_s;  // increasing
  std::vector<double> demand_rps;
  std::vector<double> forecast_rps;  // for the period it stands at
  std::vector<double> hpa_replicas;
  std::vector<double> mpc_replicas;
  std::vector<double> hpa_utilization;  // fraction
  std::vector<double> mpc_utilization;
  std::vector<double> mpc_backlog_requests;
  double target_utilization = 0.7;
};

/// The file's bytes, 1200 x 1280 pixels. O(n) time; a run of a million periods is drawn as its extremes per pixel.
///   errors   invalid_argument  columns of different lengths or none, times that do not increase
///            io                Cairo could not draw or encode (out of memory)
Result<std::string> trajectory_png(const TrajectoryFigure& figure);
Result<std::string> trajectory_svg(const TrajectoryFigure& figure);

}  // namespace mpca::report
