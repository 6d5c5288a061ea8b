// From rows to judgements: fronts of families, costs at equal violations, bills, and how sure they are. Pure functions
// of the rows. Definitions and reasons: docs/METHODOLOGY.md, "The ruler".
//
// A family's cost at a violation level is read off the lower convex hull of its members' mean (violations, cost): two
// settings in turn reach every point of it. The HPA that is tuned in hindsight is its cheapest member at the level, not
// a mixture, since a mixture of HPAs is not something anybody runs; so is the one chosen on the first half.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/backtest.h"

namespace mpca::study {

/// The family of the upstream HPA's settings.
inline constexpr std::string_view kHpaSweep = "hpa:sweep";

/// Which rows belong together, by what they were asked for as.
struct Family {
  std::string name;                  // `hpa:sweep`, `reactive`, …
  std::vector<std::string> members;  // policy texts
};

struct RulerSettings {
  std::vector<double> violation_levels;
  std::vector<double> prices;
  double shortest_with_halves_s = 7200.0;
  int resamples = 1000;  // of the bootstrap
  std::uint64_t seed = 1;
};

/// The lower-left convex hull of points (x, y), as indices in order of x: no point lies below it, y falls along it.
struct Point {
  double x = 0.0;
  double y = 0.0;
};
std::vector<std::size_t> lower_hull(std::span<const Point> points);

/// The hull's y at x; nullopt left of its first point, its last y right of its last point.
std::optional<double> hull_at(std::span<const Point> points, std::span<const std::size_t> hull, double x);

/// The least y of a point with x at most `x`; nullopt when there is none.
std::optional<double> cheapest_within(std::span<const Point> points, double x);

/// Fronts per trace and family (rows of no family are left out), in the order of `traces` and `families`.
std::vector<std::vector<report::Front>> fronts_of(std::span<const report::BacktestRow> rows,
                                                  std::span<const std::string> traces,
                                                  std::span<const Family> families);

/// Every family that is neither an HPA nor clairvoyant against them, per trace and level.
///   families   the HPA's sweep is the one called `hpa:sweep`, what people run is the policy `hpa60` in it, the optimum
///              is called `clairvoyant`; what is not there gives absent figures
std::vector<report::LevelComparison> compare_at_levels(std::span<const report::BacktestRow> rows,
                                                       std::span<const report::PlayedTrace> traces,
                                                       std::span<const Family> families, const std::string& hpa60,
                                                       const RulerSettings& settings);

}  // namespace mpca::study
