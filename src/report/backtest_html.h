// A backtest as one HTML page to look at: a verdict, savings over all traces, and of each trace its Pareto fronts,
// whose points open the trajectories of their runs, and its figures against the opponents. It shares frame, style and
// charts with the comparison report (comparison_html.h).
#pragma once

#include <string>

#include "report/backtest.h"

namespace mpca::report {

/// Safe for any names and texts. One file, but for the trajectories, which lie beside it (report/trajectory_file.h) and
/// are loaded when a reader asks for them. What could not be reached is said, not left blank. Of 13 traces with 5
/// families of 80 members each about 1 MB.
std::string to_html(const BacktestReport& report);

}  // namespace mpca::report
