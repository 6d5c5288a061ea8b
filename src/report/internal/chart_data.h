// What the report's charts draw, as JSON for its script (assets/report.js), packed small.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/comparison.h"

namespace mpca::report::internal {

/// A series of a run, at the times of its trace; empty where it is not known.
using RunSeries = std::vector<double> (*)(const TraceComparison&, const PolicyRun&);

/// One chart of every trace. A new chart of a per-policy series is a row of chart_panels().
struct ChartPanel {
  std::string_view key;
  std::string_view label;
  std::string_view short_label;  // as a column head under the cursor
  std::string_view unit;         // as shown
  double shown_factor;           // shown value = value x factor
  int decimals;                  // of the shown value, in the file and under the cursor
  int height_px;
  bool shows_target;    // with a line at the target utilization
  RunSeries series;     // nullptr: the trace's demand
  RunSeries asked_for;  // drawn thin where it differs from `series`; nullptr: none
  bool is_logarithmic = false;
  std::string_view choice = {};  // neighbours with one are a single chart with a switch; this is its label there
  bool is_chosen = false;        // at first
  bool needs_a_value = false;    // left out where all is zero
};

/// All there are.
std::span<const ChartPanel> chart_panels();

/// Those that some run of the comparison has something for.
std::vector<const ChartPanel*> chart_panels_of(const Comparison& comparison);

/// Safe inside <script type="application/json">.
std::string chart_data_json(const Comparison& comparison);

/// `values` times `factor`, rounded to `decimals`, as runs of equal values: `2*12,4,6*3`. Not finite: an empty item.
std::string packed(std::span<const double> values, double factor, int decimals);

/// The first value and then the differences, packed the same way: a regular time axis is two items.
std::string packed_differences(std::span<const double> values);

}  // namespace mpca::report::internal
