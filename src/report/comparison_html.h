// The report of a comparison: one HTML file that needs nothing else, from disk and without a network. It is to be
// looked at first and read second: the verdict, every trace as a picture, then the charts under one cursor, then the
// figures.
//
// The page holds its style sheet, its script and uPlot (third_party/uplot); a content security policy in it forbids any
// request. Without a script, the verdicts, pictures and tables are still there. What a chart shows is a row of
// internal/chart_data.h, what a table shows a row of metric_table(), what a decision rests on a part of
// decision_account.h.
#pragma once

#include <string>

#include "report/comparison.h"

namespace mpca::report {

/// The whole file. All texts of `comparison` are taken as they are and escaped here.
///
///   comparison  at least one trace; every trace has the same policies, at least one, in the same order
///   cost        O(points drawn): about 3 bytes for each, up to 0.5 kB for each decision kept (at most 1200, see
///               run_decisions.h), and 120 kB for the page
std::string to_html(const Comparison& comparison);

}  // namespace mpca::report
