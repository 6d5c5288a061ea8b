// A comparison as text for a terminal and as summary.csv for other programs. Both come from metric_table().
#pragma once

#include <string>

#include "report/comparison.h"

namespace mpca::report {

/// Per trace: its verdict, then a table with a row per metric and a column per policy, the best of a row marked with
/// `*`. At most three policies of ordinary names fit 80 columns; more policies or longer names make wider lines. No
/// colour, ends with a line end. Metrics that no policy of the trace knows are left out.
///
/// Of measured runs also what to know first (notes, cautions), the medians of the repeats before the single runs, and
/// the latencies of each phase.
std::string to_text(const Comparison& comparison);

/// `trace,policy,` and every metric under its key: one row per trace and policy, exact values (shortest that
/// round-trips), empty where the world does not know the metric; without the columns that only measured runs have where
/// there is none. LF line ends.
std::string summary_csv(const Comparison& comparison);

}  // namespace mpca::report
