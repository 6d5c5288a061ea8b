// Pareto fronts of one trace as a picture: what share of requests was late or failed (logarithmic, with a place for
// none), against what was paid. The line of a family is the lower convex hull of its members: what they and mixtures of
// two of them reach; where nothing is below, it stands still. Below the clairvoyant's front nobody gets.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/backtest.h"

namespace mpca::report::internal {

struct FrontSize {
  double width = 0.0;
  double height = 0.0;
  bool has_members = true;  // also those that are not on the hull
};

struct PlacedPoint {
  double x = 0.0;
  double y = 0.0;
};

struct FrontPicture {
  std::string svg;  // colours and classes from the page's style sheet; a group per family with its number as data-p
  std::vector<std::vector<PlacedPoint>>
      points;                // of each front's points; costlier ones than are shown lie on the upper edge
  std::size_t costlier = 0;  // those
};

///   fronts    of one trace
///   families  their names in the page's order, with the slots of their colours
///   name      of the trace, for those who do not see it
FrontPicture front_picture(const std::vector<Front>& fronts, const std::vector<std::string>& families,
                           const std::vector<double>& violation_levels, const std::string& name, const FrontSize& size);

/// Demand over time, without axes, stretched to its place; empty without demand.
std::string demand_picture(const PlayedTrace& trace);

/// One saving per trace as a dot on a scale from -`reach` to `reach`, with the median.
std::string savings_strip(const std::vector<double>& savings, double median, double reach, std::size_t slot);

}  // namespace mpca::report::internal
