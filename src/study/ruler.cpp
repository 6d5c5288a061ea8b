#include "study/ruler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "core/stats.h"
#include "study/foresight.h"

namespace mpca::study {
namespace {

using report::BacktestRow;
using report::Interval;
using report::LevelComparison;

/// One member's runs on one trace, by seed.
using Runs = std::vector<const BacktestRow*>;

enum class Span { whole, first_half, second_half };

Point point_of(const BacktestRow& row, Span span) {
  switch (span) {
    case Span::first_half:
      return {row.half_violation_ratio(0), row.half_cost(0)};
    case Span::second_half:
      return {row.half_violation_ratio(1), row.half_cost(1)};
    case Span::whole:
      break;
  }
  return {row.violation_ratio(), row.relative_cost()};
}

/// A family on one trace: per member its runs.
struct Played {
  std::vector<std::string> names;
  std::vector<Runs> members;

  /// Means over the runs with these indices (all members have the same seeds in the same order).
  std::vector<Point> points(Span span, std::span<const std::size_t> seeds) const {
    std::vector<Point> points;
    for (const Runs& runs : members) {
      Point mean;
      for (const std::size_t seed : seeds) {
        const Point point = point_of(*runs[seed], span);
        mean.x += point.x;
        mean.y += point.y;
      }
      points.push_back({mean.x / static_cast<double>(seeds.size()), mean.y / static_cast<double>(seeds.size())});
    }
    return points;
  }
};

/// Rows by trace and policy, each by seed.
class Table {
 public:
  explicit Table(std::span<const BacktestRow> rows) {
    for (const BacktestRow& row : rows) runs_[{row.trace, row.policy}].push_back(&row);
    for (auto& [key, runs] : runs_)
      std::sort(runs.begin(), runs.end(), [](const auto* a, const auto* b) { return a->seed < b->seed; });
  }

  Played family(const std::string& trace, const Family& family) const {
    Played played;
    for (const std::string& member : family.members) {
      const auto found = runs_.find({trace, member});
      if (found == runs_.end()) continue;
      played.names.push_back(member);
      played.members.push_back(found->second);
    }
    return played;
  }

 private:
  std::map<std::pair<std::string, std::string>, Runs> runs_;
};

std::vector<std::size_t> all_seeds(const Played& played) {
  std::vector<std::size_t> seeds(played.members.empty() ? 0 : played.members.front().size());
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = i;
  return seeds;
}

/// The member that is cheapest within `level`, or with the least bill.
std::optional<std::size_t> choose_for_level(std::span<const Point> points, double level) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].x <= level && (!best || points[i].y < points[*best].y)) best = i;
  }
  return best;
}

double bill(const Point& point, double price) { return point.y + price * point.x; }

std::optional<std::size_t> choose_for_price(std::span<const Point> points, double price) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!best || bill(points[i], price) < bill(points[*best], price)) best = i;
  }
  return best;
}

std::optional<double> least_bill(const Played& played, std::span<const std::size_t> seeds, double price) {
  if (played.members.empty()) return std::nullopt;
  const std::vector<Point> points = played.points(Span::whole, seeds);
  return bill(points[*choose_for_price(points, price)], price);
}

/// Chosen on the first half, judged on the second.
std::optional<double> second_half_bill(const Played& played, std::span<const std::size_t> seeds, double price) {
  if (played.members.empty()) return std::nullopt;
  const auto chosen = choose_for_price(played.points(Span::first_half, seeds), price);
  return bill(played.points(Span::second_half, seeds)[*chosen], price);
}

struct Costs {
  std::optional<double> policy, hpa, clairvoyant;
  std::optional<double> policy_second_half, hpa_first_half;
};

/// A policy and its opponents over the same seeds, ready to be read at any level.
class Matched {
 public:
  Matched(const Played& policy, const Played& hpa, const Played& clairvoyant, bool has_halves,
          std::span<const std::size_t> seeds)
      : policy_(policy.points(Span::whole, seeds)),
        hpa_(hpa.points(Span::whole, seeds)),
        clairvoyant_(clairvoyant.points(Span::whole, seeds)),
        policy_hull_(lower_hull(policy_)),
        clairvoyant_hull_(lower_hull(clairvoyant_)) {
    if (!has_halves) return;
    hpa_first_ = hpa.points(Span::first_half, seeds);
    hpa_second_ = hpa.points(Span::second_half, seeds);
    policy_second_ = policy.points(Span::second_half, seeds);
    policy_second_hull_ = lower_hull(policy_second_);
  }

  Costs at(double level) const {
    Costs costs;
    costs.policy = hull_at(policy_, policy_hull_, level);
    costs.clairvoyant = hull_at(clairvoyant_, clairvoyant_hull_, level);
    costs.hpa = cheapest_within(hpa_, level);
    if (const auto chosen = choose_for_level(hpa_first_, level)) {
      const Point judged = hpa_second_[*chosen];
      costs.hpa_first_half = judged.y;
      costs.policy_second_half = hull_at(policy_second_, policy_second_hull_, judged.x);
    }
    return costs;
  }

 private:
  std::vector<Point> policy_, hpa_, clairvoyant_, hpa_first_, hpa_second_, policy_second_;
  std::vector<std::size_t> policy_hull_, clairvoyant_hull_, policy_second_hull_;
};

std::optional<double> saving(std::optional<double> policy, std::optional<double> hpa) {
  if (!policy || !hpa || *hpa <= 0.0) return std::nullopt;
  return 1.0 - *policy / *hpa;
}

/// Percentiles of the resampled figures; absent where too many resamples do not reach the level.
void set_bounds(Interval& interval, std::vector<double>& resampled, int resamples) {
  constexpr double kLow = 0.025, kHigh = 0.975, kFewestReached = 0.9;
  if (static_cast<double>(resampled.size()) < kFewestReached * resamples) return;
  interval.low = quantile_linear(resampled, kLow);
  interval.high = quantile_linear(resampled, kHigh);
}

}  // namespace

std::vector<std::size_t> lower_hull(std::span<const Point> points) {
  std::vector<std::size_t> order(points.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (points[a].x != points[b].x) return points[a].x < points[b].x;
    if (points[a].y != points[b].y) return points[a].y < points[b].y;
    return a < b;
  });
  std::vector<std::size_t> hull;
  for (const std::size_t next : order) {
    const Point& c = points[next];
    if (!hull.empty() && c.y >= points[hull.back()].y) continue;
    while (hull.size() > 1) {
      const Point& a = points[hull[hull.size() - 2]];
      const Point& b = points[hull.back()];
      if ((b.y - a.y) * (c.x - a.x) < (c.y - a.y) * (b.x - a.x)) break;  // b lies below the line from a to c
      hull.pop_back();
    }
    hull.push_back(next);
  }
  return hull;
}

std::optional<double> hull_at(std::span<const Point> points, std::span<const std::size_t> hull, double x) {
  if (hull.empty() || x < points[hull.front()].x) return std::nullopt;
  for (std::size_t i = 1; i < hull.size(); ++i) {
    const Point& left = points[hull[i - 1]];
    const Point& right = points[hull[i]];
    if (x < right.x) return left.y + (right.y - left.y) * (x - left.x) / (right.x - left.x);
  }
  return points[hull.back()].y;
}

std::optional<double> cheapest_within(std::span<const Point> points, double x) {
  const auto best = choose_for_level(points, x);
  return best ? std::optional(points[*best].y) : std::nullopt;
}

std::vector<std::vector<report::Front>> fronts_of(std::span<const BacktestRow> rows,
                                                  std::span<const std::string> traces,
                                                  std::span<const Family> families) {
  const Table table(rows);
  std::vector<std::vector<report::Front>> all;
  for (const std::string& trace : traces) {
    std::vector<report::Front>& fronts = all.emplace_back();
    for (const Family& family : families) {
      report::Front& front = fronts.emplace_back();
      front.family = family.name;
      const Played played = table.family(trace, family);
      const std::vector<Point> points = played.points(Span::whole, all_seeds(played));
      for (std::size_t i = 0; i < points.size(); ++i) {
        report::FrontPoint& point = front.points.emplace_back();
        point.policy = played.names[i];
        point.violation_ratio = points[i].x;
        point.relative_cost = points[i].y;
        const auto runs = static_cast<double>(played.members[i].size());
        for (const BacktestRow* row : played.members[i]) {
          point.p95_ms += row->p95_ms / runs;
          point.p99_ms += row->p99_ms / runs;
          point.churn_per_hour += row->churn / (row->whole.seconds / 3600.0) / runs;
          point.pods_started += row->pods_started / runs;
          point.slack_ratio += row->slack_ratio / runs;
        }
      }
      for (const std::size_t i : lower_hull(points)) front.points[i].is_on_front = true;
      std::stable_sort(front.points.begin(), front.points.end(),
                       [](const auto& a, const auto& b) { return a.violation_ratio < b.violation_ratio; });
    }
  }
  return all;
}

std::vector<LevelComparison> compare_at_levels(std::span<const BacktestRow> rows,
                                               std::span<const report::PlayedTrace> traces,
                                               std::span<const Family> families, const std::string& hpa60,
                                               const RulerSettings& settings) {
  const Table table(rows);
  const auto named = [&](std::string_view name) {
    const auto found = std::find_if(families.begin(), families.end(), [&](const Family& f) { return f.name == name; });
    return found == families.end() ? Family{} : *found;
  };
  const Family hpa_family = named(kHpaSweep);
  const Family clairvoyant_family = named(kClairvoyant);
  const Family usual{.name = hpa60, .members = {hpa60}};

  std::vector<LevelComparison> comparisons;
  for (const report::PlayedTrace& trace : traces) {
    const bool has_halves = trace.seconds >= settings.shortest_with_halves_s;
    const Played hpa = table.family(trace.name, hpa_family);
    const Played clairvoyant = table.family(trace.name, clairvoyant_family);
    const Played hpa_usual = table.family(trace.name, usual);
    for (const Family& family : families) {
      if (family.name == kHpaSweep || family.name == kClairvoyant || family.name == hpa60) continue;
      const Played policy = table.family(trace.name, family);
      const std::vector<std::size_t> seeds = all_seeds(policy);
      if (seeds.empty()) continue;

      std::vector<report::Bill> bills;
      for (const double price : settings.prices) {
        report::Bill& row = bills.emplace_back();
        row.price = price;
        row.policy = least_bill(policy, seeds, price);
        row.hpa_hindsight = least_bill(hpa, seeds, price);
        row.hpa60 = least_bill(hpa_usual, seeds, price);
        row.clairvoyant = least_bill(clairvoyant, seeds, price);
        if (!has_halves) continue;
        row.hpa_first_half = second_half_bill(hpa, seeds, price);
        row.policy_second_half = second_half_bill(policy, seeds, price);
      }

      const std::size_t first = comparisons.size();
      const Matched matched(policy, hpa, clairvoyant, has_halves, seeds);
      for (const double level : settings.violation_levels) {
        LevelComparison& row = comparisons.emplace_back();
        const Costs costs = matched.at(level);
        row.trace = trace.name;
        row.policy = family.name;
        row.violation_ratio = level;
        row.policy_cost = costs.policy;
        row.hpa_hindsight_cost = costs.hpa;
        row.hpa_first_half_cost = costs.hpa_first_half;
        row.policy_second_half_cost = costs.policy_second_half;
        row.clairvoyant_cost = costs.clairvoyant;
        if (const auto value = saving(costs.policy, costs.hpa)) row.saving_hindsight = Interval{*value, {}, {}};
        if (const auto value = saving(costs.policy_second_half, costs.hpa_first_half))
          row.saving_first_half = Interval{*value, {}, {}};
        if (costs.policy && costs.hpa && costs.clairvoyant && *costs.hpa > *costs.clairvoyant)
          row.gap_closed = (*costs.hpa - *costs.policy) / (*costs.hpa - *costs.clairvoyant);
        row.bills = bills;
      }
      if (seeds.size() < 2) continue;

      // Paired: a resample draws seeds, and every policy is looked at on those same seeds.
      RandomStream stream(settings.seed, "bootstrap");
      const std::size_t levels = settings.violation_levels.size();
      std::vector<std::vector<double>> hindsight(levels), first_half(levels);
      std::vector<std::size_t> drawn(seeds.size());
      for (int resample = 0; resample < settings.resamples; ++resample) {
        for (std::size_t& seed : drawn) seed = static_cast<std::size_t>(stream.below(seeds.size()));
        const Matched resampled(policy, hpa, clairvoyant, has_halves, drawn);
        for (std::size_t i = 0; i < levels; ++i) {
          const Costs costs = resampled.at(settings.violation_levels[i]);
          if (const auto value = saving(costs.policy, costs.hpa)) hindsight[i].push_back(*value);
          if (const auto value = saving(costs.policy_second_half, costs.hpa_first_half))
            first_half[i].push_back(*value);
        }
      }
      for (std::size_t i = 0; i < levels; ++i) {
        LevelComparison& row = comparisons[first + i];
        if (row.saving_hindsight) set_bounds(*row.saving_hindsight, hindsight[i], settings.resamples);
        if (row.saving_first_half) set_bounds(*row.saving_first_half, first_half[i], settings.resamples);
      }
    }
  }
  return comparisons;
}

}  // namespace mpca::study
