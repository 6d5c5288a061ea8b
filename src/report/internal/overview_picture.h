// One trace at a glance: every policy as a point, what it held (mean replicas) against what users got (time over
// target); of measured runs, the p95 of latencies, and how many requests failed.
#pragma once

#include <string>

#include "report/comparison.h"

namespace mpca::report::internal {

/// An <svg> element whose colours come from the page's style sheet (classes `o-…`, `--p0`, `--p1`, …).
std::string overview_picture(const TraceComparison& trace);

/// When users waited: a strip over time for each policy of a measured trace, the deeper the higher its p95 was (on a
/// logarithmic scale common to all), with a mark where requests failed. Empty where nothing was measured.
std::string waiting_picture(const TraceComparison& trace);

}  // namespace mpca::report::internal
