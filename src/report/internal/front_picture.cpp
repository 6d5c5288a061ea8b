#include "report/internal/front_picture.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "report/internal/backtest_summary.h"
#include "report/internal/html_text.h"
#include "report/internal/page.h"

namespace mpca::report::internal {
namespace {

constexpr double kLeft = 44, kRightMargin = 16, kTop = 30, kBottomMargin = 44;
constexpr double kNone = 30;  // the place of no violations, left of the logarithmic axis

// At most `steps` round steps in `range`.
double round_step(double range, double steps) {
  const double rough = std::max(range, 1e-9) / steps;
  const double magnitude = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * magnitude >= rough * 0.999999) return factor * magnitude;
  return 10.0 * magnitude;
}

std::string at(double x, double y) { return cat(fixed(x, 1), " ", fixed(y, 1)); }

struct Axes {
  double left, right, top, bottom;
  double least_shown, most_shown;  // violations
  bool has_none;
  double cheapest, costliest;

  double x_of(double violation) const {
    if (violation < least_shown) return has_none ? left + 8 : left;
    const double begin = left + (has_none ? kNone : 6);
    const double share = std::log(violation / least_shown) / std::log(most_shown / least_shown);
    return begin + (right - begin) * std::min(share, 1.0);
  }
  double y_of(double cost) const {
    return bottom - (bottom - top) * (std::min(cost, costliest) - cheapest) / (costliest - cheapest);
  }
  bool is_costlier(double cost) const { return cost > costliest; }
};

std::vector<const FrontPoint*> hull_of(const Front& front) {
  std::vector<const FrontPoint*> hull;
  for (const FrontPoint& point : front.points)
    if (point.is_on_front) hull.push_back(&point);
  return hull;
}

Axes axes_of(const std::vector<Front>& fronts, const FrontSize& size) {
  double least = 1.0, most = 0.15, cheapest = 1e300, costliest = 0.0;
  bool has_none = false;
  for (const Front& front : fronts) {
    const bool has_hull = !hull_of(front).empty();
    for (const FrontPoint& point : front.points) {
      if (point.violation_ratio > 0.0) least = std::min(least, point.violation_ratio);
      most = std::max(most, point.violation_ratio);
      cheapest = std::min(cheapest, point.relative_cost);
      if (point.is_on_front || !has_hull || is_hpa60(point.policy))
        costliest = std::max(costliest, point.relative_cost);
    }
  }
  const double least_shown = std::clamp(std::pow(10.0, std::floor(std::log10(least) + 1e-9)), 1e-5, 1e-3);
  for (const Front& front : fronts)
    for (const FrontPoint& point : front.points) has_none |= point.violation_ratio < least_shown;
  if (!(cheapest < 1e299)) cheapest = costliest = 1.0;
  const double span = std::max(costliest - cheapest, 0.05 * std::max(cheapest, 1.0));
  cheapest = std::max(0.0, cheapest - 0.07 * span);
  return {kLeft,
          size.width - kRightMargin,
          kTop,
          size.height - kBottomMargin,
          least_shown,
          std::min(most * 1.08, 1.0),
          has_none,
          cheapest,
          std::max(costliest, cheapest) + 0.06 * span};
}

// Between two members the cost is linear in the violations, which a logarithmic axis bends.
std::string hull_path(const std::vector<const FrontPoint*>& hull, const Axes& axes) {
  std::string path;
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const double v2 = hull[i]->violation_ratio, c2 = hull[i]->relative_cost;
    if (i == 0) {
      path = cat("M", at(axes.x_of(v2), axes.y_of(c2)));
      continue;
    }
    const double v1 = hull[i - 1]->violation_ratio, c1 = hull[i - 1]->relative_cost;
    const double from = std::max(v1, axes.least_shown);
    if (v2 > from && v2 > v1) {
      const int pieces = std::clamp(static_cast<int>((axes.x_of(v2) - axes.x_of(from)) / 7.0), 1, 40);
      for (int k = v1 < axes.least_shown ? 0 : 1; k < pieces; ++k) {
        const double v = from * std::pow(v2 / from, static_cast<double>(k) / pieces);
        path += cat("L", at(axes.x_of(v), axes.y_of(c1 + (c2 - c1) * (v - v1) / (v2 - v1))));
      }
    }
    path += cat("L", at(axes.x_of(v2), axes.y_of(c2)));
  }
  return path;
}

std::string grid(const Axes& axes, const std::vector<double>& levels, bool has_small_values, double height) {
  std::string svg;
  const double step = round_step(axes.costliest - axes.cheapest, (axes.bottom - axes.top) / 34.0);
  for (double cost = std::ceil(axes.cheapest / step - 1e-9) * step; cost <= axes.costliest * 1.000001; cost += step)
    svg += cat("<path class='o-grid' d='M", at(axes.left, axes.y_of(cost)), "H", fixed(axes.right, 1),
               "'/><text class='o-tick' x='", fixed(axes.left - 8, 1), "' y='", fixed(axes.y_of(cost) + 4, 1),
               "' text-anchor='end'>", shortest(std::round(cost * 1e6) / 1e6 + 0.0), "</text>");  // + 0.0: never "-0"
  std::vector<double> labelled;
  const auto label = [&](double violation, const std::string& words, std::string_view more) {
    const double x = axes.x_of(violation);
    for (const double other : labelled)
      if (std::abs(other - x) < 34) return;
    labelled.push_back(x);
    svg += cat("<text class='o-tick", more, "' x='", fixed(x, 1), "' y='", fixed(axes.bottom + 17, 1),
               "' text-anchor='middle'>", words, "</text>");
  };
  if (axes.has_none) label(0.0, has_small_values ? cat("&lt;", words_of_level(axes.least_shown)) : "0", "");
  for (const double level : levels) {
    if (level < axes.least_shown || level > axes.most_shown) continue;
    svg += cat("<path class='f-level' d='M", at(axes.x_of(level), axes.top), "V", fixed(axes.bottom, 1), "'/>");
  }
  std::vector<double> by_weight = levels;  // where there is no room for all, the verdict's is there
  std::stable_sort(by_weight.begin(), by_weight.end(),
                   [](double a, double b) { return std::abs(std::log(a / 0.01)) < std::abs(std::log(b / 0.01)); });
  for (const double level : by_weight)
    if (level >= axes.least_shown && level <= axes.most_shown) label(level, words_of_level(level), " f-name");
  for (double decade = axes.least_shown; decade <= axes.most_shown * 1.001; decade *= 10.0) {
    svg += cat("<path class='o-grid' d='M", at(axes.x_of(decade), axes.bottom), "v4'/>");
    label(decade, words_of_level(decade), "");
  }
  if (axes.has_none)
    svg += cat("<path class='f-break' d='M", at(axes.left + kNone - 11, axes.bottom + 4), "l4-8m2 8l4-8'/>");
  return svg + cat("<text class='o-axis' x='4' y='", fixed(axes.top - 14, 0),
                   "'>cost, times the least</text><text class='o-axis' x='", fixed(axes.right, 0), "' y='",
                   fixed(height - 5, 0),
                   "' text-anchor='end'>late or failed requests, log scale</text><text class='o-better' "
                   "x='4' y='",
                   fixed(height - 5, 0), "'>↙ better</text>");
}

std::string described(const Front& front) {
  if (front.points.empty()) return cat(front.family, ": no member");
  const FrontPoint* least = &front.points.front();
  const FrontPoint* cheapest = least;
  for (const FrontPoint& point : front.points) {
    if (point.violation_ratio < least->violation_ratio) least = &point;
    if (point.relative_cost < cheapest->relative_cost) cheapest = &point;
  }
  const auto place = [](const FrontPoint& point) {
    return cat("cost ", fixed(point.relative_cost, 2), " at ", words_of_violations(point.violation_ratio),
               " violations");
  };
  return least == cheapest ? cat(front.family, ": ", place(*least))
                           : cat(front.family, ": from ", place(*least), " to ", place(*cheapest));
}

}  // namespace

FrontPicture front_picture(const std::vector<Front>& fronts, const std::vector<std::string>& families,
                           const std::vector<double>& violation_levels, const std::string& name,
                           const FrontSize& size) {
  const Axes axes = axes_of(fronts, size);
  const std::vector<std::size_t> slots = slots_of(families);
  bool has_small_values = false;
  std::string alternative = cat("Fronts on ", name, ". ");
  for (const Front& front : fronts) {
    alternative += cat(&front == &fronts.front() ? "" : "; ", described(front));
    for (const FrontPoint& point : front.points)
      has_small_values |= point.violation_ratio > 0.0 && point.violation_ratio < axes.least_shown;
  }
  FrontPicture picture;
  std::string below, lines, label;
  for (const Front& front : fronts) {
    const auto family =
        static_cast<std::size_t>(std::find(families.begin(), families.end(), front.family) - families.begin());
    const std::size_t slot = family < slots.size() ? slots[family] : 0;
    const std::vector<const FrontPoint*> hull = hull_of(front);
    std::string members, on_hull;
    auto& placed = picture.points.emplace_back();
    for (const FrontPoint& point : front.points) {
      const double x = axes.x_of(point.violation_ratio), y = axes.y_of(point.relative_cost);
      placed.push_back({x, y});
      picture.costlier += axes.is_costlier(point.relative_cost);
      if (point.is_on_front || hull.empty()) {
        on_hull += policy_marker(static_cast<int>(slot), x, y, size.has_members ? 0.8 : 0.6);
      } else {
        members += cat("M", at(x, y), "h0");
      }
      if (is_hpa60(point.policy) && label.empty()) {
        const bool on_the_left = x > axes.right - 80;
        label = cat("<g data-p='", family, "'><circle class='f-ring' style='--c:var(--p", slot % 8, ")' r='",
                    size.has_members ? 9 : 6, "' cx='", fixed(x, 1), "' cy='", fixed(y, 1),
                    "'/><text class='o-name' x='", fixed(on_the_left ? x - 13 : x + 13, 1), "' y='", fixed(y - 7, 1),
                    "' text-anchor='", on_the_left ? "end" : "start", "'>HPA 60%</text></g>");
      }
    }
    const std::string path = hull_path(hull, axes);
    lines += cat("<g class='family' data-p='", family, "' style='--c:var(--p", slot % 8, ")'>");
    if (!members.empty() && size.has_members) lines += cat("<path class='f-members' d='", members, "'/>");
    if (!hull.empty()) {
      const PlacedPoint first{axes.x_of(hull.front()->violation_ratio), axes.y_of(hull.front()->relative_cost)};
      const PlacedPoint last{axes.x_of(hull.back()->violation_ratio), axes.y_of(hull.back()->relative_cost)};
      if (is_clairvoyant(front.family))
        below += cat("<g data-p='", family, "'><path class='f-floor' d='M", at(first.x, axes.top), "L", path.substr(1),
                     "H", fixed(axes.right, 1), "V", fixed(axes.bottom, 1), "H", fixed(axes.left, 1), "V",
                     fixed(axes.top, 1), "Z'/></g>");
      lines +=
          cat("<path class='f-beyond' d='M", at(first.x, axes.top), "V", fixed(first.y, 1), "M", at(last.x, last.y),
              "H", fixed(axes.right, 1), "'/><path class='line f-line' data-dash='", slot % 6, "' d='", path, "'/>");
    }
    lines += cat(on_hull, "</g>");
  }
  picture.svg = cat("<svg class='overview front ", size.has_members ? "full" : "small", "' viewBox='0 0 ",
                    fixed(size.width, 0), " ", fixed(size.height, 0), "' role='img' aria-label='", escaped(alternative),
                    "'>", below, grid(axes, violation_levels, has_small_values, size.height), lines, label, "</svg>");
  return picture;
}

std::string demand_picture(const PlayedTrace& trace) {
  constexpr std::size_t kColumns = 480;
  const std::size_t points = std::min(trace.time_s.size(), trace.demand_rps.size());
  double peak = 0.0;
  for (std::size_t i = 0; i < points; ++i)
    if (std::isfinite(trace.demand_rps[i])) peak = std::max(peak, trace.demand_rps[i]);
  if (points < 2 || !(peak > 0.0)) return "";
  const double end_s = std::max(trace.time_s[points - 1], trace.time_s.front() + 1e-9);
  const std::size_t stride = (points - 1) / kColumns + 1;
  std::string path = "M0 50";
  for (std::size_t i = 0; i < points; i += stride) {
    double least = trace.demand_rps[i], most = least;
    for (std::size_t k = i; k < std::min(i + stride, points); ++k) {
      least = std::min(least, trace.demand_rps[k]);
      most = std::max(most, trace.demand_rps[k]);
    }
    const double x = 1000.0 * (trace.time_s[i] - trace.time_s.front()) / (end_s - trace.time_s.front());
    path += cat("L", fixed(x, 1), " ", fixed(50.0 - 48.0 * most / peak, 1));
    if (stride > 1) path += cat("V", fixed(50.0 - 48.0 * least / peak, 1));
  }
  return cat(
      "<svg class='demand' viewBox='0 0 1000 50' preserveAspectRatio='none' role='img' aria-label='Demand over time, "
      "up to ",
      fixed(peak, peak < 10.0 ? 1 : 0), " requests per second'><path d='", path, "L1000 50Z'/></svg>");
}

std::string savings_strip(const std::vector<double>& savings, double median, double reach, std::size_t slot) {
  constexpr double kWidth = 132, kHeight = 18, kMiddle = kHeight / 2;
  const auto x_of = [&](double saving) {
    return kWidth / 2 + (kWidth / 2 - 5) * std::clamp(saving / std::max(reach, 1e-9), -1.0, 1.0);
  };
  std::string svg =
      cat("<svg class='strip' viewBox='0 0 ", fixed(kWidth, 0), " ", fixed(kHeight, 0),
          "' aria-hidden='true' style='--c:var(--p", slot % 8, ")'><path class='s-axis' d='M0 ", fixed(kMiddle, 0), "H",
          fixed(kWidth, 0), "M", fixed(kWidth / 2, 0), " 2V", fixed(kHeight - 2, 0), "'/>");
  for (const double saving : savings)
    svg += cat("<circle class='s-dot' r='3.2' cx='", fixed(x_of(saving), 1), "' cy='", fixed(kMiddle, 0), "'/>");
  return svg + cat("<path class='s-median' d='M", fixed(x_of(median), 1), " 1V", fixed(kHeight - 1, 0), "'/></svg>");
}

}  // namespace mpca::report::internal
