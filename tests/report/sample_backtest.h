// Backtests with made-up figures, for looking at the page and for its tests: they are no results of anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "report/backtest.h"
#include "report/trajectory_file.h"

namespace mpca::report {

struct SampleShape {
  int traces = 4;
  std::vector<std::string> families = {"reactive:sweep", "lab-mpc", "hpa:sweep", "clairvoyant"};
  int members = 24;
  int seeds = 5;
};

/// In [0, 1), the same for equal arguments.
inline double sample_noise(int a, int b, int c) {
  auto x = static_cast<std::uint32_t>(a) * 73856093U ^ static_cast<std::uint32_t>(b) * 19349663U ^
           static_cast<std::uint32_t>(c) * 83492791U;
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x / 4294967296.0;
}

/// Marks the lower convex hull of points in order of violations, as far as it falls.
inline void mark_hull(Front& front) {
  std::vector<std::size_t> hull;
  const auto& points = front.points;
  const auto turns_up = [&](std::size_t a, std::size_t b, std::size_t c) {
    return (points[b].violation_ratio - points[a].violation_ratio) *
                   (points[c].relative_cost - points[a].relative_cost) -
               (points[b].relative_cost - points[a].relative_cost) *
                   (points[c].violation_ratio - points[a].violation_ratio) >
           0.0;
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!hull.empty() && points[i].relative_cost >= points[hull.back()].relative_cost) continue;
    while (hull.size() > 1 && !turns_up(hull[hull.size() - 2], hull.back(), i)) hull.pop_back();
    hull.push_back(i);
  }
  for (const std::size_t i : hull) front.points[i].is_on_front = true;
}

inline std::optional<double> sample_cost_at(const Front& front, double violation_ratio) {
  const FrontPoint* before = nullptr;
  for (const FrontPoint& point : front.points) {
    if (!point.is_on_front) continue;
    if (point.violation_ratio <= violation_ratio) {
      before = &point;
      continue;
    }
    if (!before) return std::nullopt;
    const double share =
        (violation_ratio - before->violation_ratio) / (point.violation_ratio - before->violation_ratio);
    return before->relative_cost + share * (point.relative_cost - before->relative_cost);
  }
  return before ? std::optional(before->relative_cost) : std::nullopt;
}

inline std::optional<double> sample_bill(const Front& front, double price) {
  std::optional<double> least;
  for (const FrontPoint& point : front.points)
    least = std::min(least.value_or(1e300), point.relative_cost + price * point.violation_ratio);
  return least;
}

inline Front sample_front(const std::string& family, int trace, int members, const std::string& trace_name) {
  const bool is_hpa = family.starts_with("hpa"), is_clairvoyant = family.starts_with("clairvoyant");
  const int kind = is_clairvoyant ? 0 : is_hpa ? 3 : 1 + static_cast<int>(family.size() % 2);
  const double burst = 0.3 + 1.1 * sample_noise(trace, 1, 1);
  Front front;
  front.family = family;
  for (int k = 0; k < members; ++k) {
    const double knob = members == 1 ? 0.5 : static_cast<double>(k) / (members - 1);
    FrontPoint point;
    const int target = 30 + 5 * (k % 13), window = 60 * (k / 13);
    point.policy = members == 1     ? family
                   : is_hpa         ? cat("hpa:target=", target, ",stabilization=", window, "s")
                   : is_clairvoyant ? cat("clairvoyant:price=", shortest(std::pow(2.0, k)))
                                    : cat(family.substr(0, family.find(':')), ":level=0.", 500 + k);
    const double away = kind * (0.1 + 0.08 * burst);
    const double noise = is_clairvoyant ? 0.0 : sample_noise(trace, k, kind);
    const double headroom = is_hpa && members > 1 ? 100.0 / target - 1.0 + 0.0006 * window : 0.03 + 1.6 * knob * knob;
    point.relative_cost = 1.04 + away + headroom * (0.7 + 0.5 * burst) + (is_hpa ? 0.12 : 0.02) * noise;
    point.violation_ratio =
        0.45 * std::exp(-(is_clairvoyant ? 26.0 : 6.5 / (0.4 + burst)) * headroom) * (0.8 + 0.5 * noise);
    if (point.violation_ratio < 2e-5) point.violation_ratio = 0.0;
    point.p95_ms = 44.0 + 900.0 * point.violation_ratio;
    point.p99_ms = 60.0 + 2400.0 * point.violation_ratio;
    point.churn_per_hour = 20.0 + 300.0 * (1.0 - knob) * burst;
    point.pods_started = 400.0 + 3000.0 * (1.0 - knob);
    point.slack_ratio = 1.0 - 1.0 / std::max(point.relative_cost, 1.0);
    point.trajectory = trajectory_path(trace_name, point.policy);
    front.points.push_back(point);
  }
  std::stable_sort(front.points.begin(), front.points.end(), [](const FrontPoint& a, const FrontPoint& b) {
    return std::pair(a.violation_ratio, a.relative_cost) < std::pair(b.violation_ratio, b.relative_cost);
  });
  mark_hull(front);
  return front;
}

inline PlayedTrace sample_played(const std::string& name, int trace) {
  PlayedTrace played;
  played.name = name;
  played.file = cat("traces/", name, ".csv");
  played.file_step_s = trace % 3 == 1 ? 300.0 : 60.0;
  played.played_step_s = 60.0;
  played.seconds = trace % 4 == 3 ? 5400.0 : 86400.0 + 20000.0 * trace;
  played.scale = 0.37 * (trace + 1);
  played.is_held = trace % 5 == 2;
  for (int i = 0; i < 600; ++i) {
    const double day = std::sin(6.283 * i / 300.0 + trace), spike = (i + 90 * trace) % 280 < 12 ? 700.0 : 0.0;
    played.time_s.push_back(played.seconds * i / 600.0);
    played.demand_rps.push_back(450.0 + 350.0 * day + spike + 160.0 * sample_noise(trace, i, 5));
  }
  return played;
}

inline BacktestReport sample_backtest(const SampleShape& shape = {}) {
  static const char* const kNames[] = {"nasa-http", "worldcup98", "wikipedia",  "azure-functions", "alibaba-web",
                                       "twitter",   "clarknet",   "flash-sale", "office-hours",    "bursts",
                                       "slow-ramp", "steps",      "weekend"};
  BacktestReport report;
  report.preset = "standard";
  report.world = "fluid";
  report.seeds = shape.seeds;
  report.capacity_rps = 25.0;
  report.latency_target_ms = 250.0;
  report.violation_levels = {0.003, 0.01, 0.03, 0.1};
  report.prices = {3, 10, 30, 100};
  report.configuration = {{"preset", "standard"}, {"world", "fluid"},
                          {"capacity-rps", "25"}, {"readiness-lag", "lognormal(mean=30s,cv=0.3)"},
                          {"period", "15s"},      {"latency-target", "250ms"}};
  report.command = "mpc-autoscaler backtest --trace traces/*.csv --policy reactive:sweep lab-mpc hpa:sweep clairvoyant";
  report.version = "sample";
  for (int t = 0; t < shape.traces; ++t) {
    const std::string name = t < 13 ? kNames[t] : cat("trace-", t);
    report.traces.push_back(sample_played(name, t));
    auto& fronts = report.fronts.emplace_back();
    for (const std::string& family : shape.families)
      fronts.push_back(sample_front(family, t, family == "lab-mpc" ? 1 : shape.members, name));
    const Front* hpa = nullptr;
    const Front* floor = nullptr;
    for (const Front& front : fronts) {
      if (front.family.starts_with("hpa")) hpa = &front;
      if (front.family.starts_with("clairvoyant")) floor = &front;
    }
    for (const Front& front : fronts) {
      for (std::size_t k = 0; k < front.points.size(); ++k) {
        for (int seed = 1; seed <= shape.seeds; ++seed) {
          const FrontPoint& point = front.points[k];
          BacktestRow row;
          row.trace = name;
          row.policy = point.policy;
          row.seed = static_cast<std::uint64_t>(seed);
          const double requests = 1e7, demand = requests / 25.0;
          const double late = point.violation_ratio * requests * (0.95 + 0.02 * seed);
          row.whole = {report.traces.back().seconds, point.relative_cost * demand, requests, 0.8 * late, 0.2 * late};
          row.demand_replica_seconds = demand;
          for (int half = 0; half < 2; ++half) {
            row.halves[half] = {row.whole.seconds / 2, row.whole.replica_seconds / 2, requests / 2, row.whole.late / 2,
                                row.whole.failed / 2};
            row.half_demand_replica_seconds[half] = demand / 2;
          }
          row.p95_ms = point.p95_ms;
          row.p99_ms = point.p99_ms;
          row.churn = 1000.0 + seed;
          row.pods_started = point.pods_started;
          row.slack_ratio = point.slack_ratio;
          report.rows.push_back(row);
        }
      }
      if (&front == hpa || &front == floor) continue;
      for (const double level : report.violation_levels) {
        LevelComparison one;
        one.trace = name;
        one.policy = front.family;
        one.violation_ratio = level;
        one.policy_cost = sample_cost_at(front, level);
        if (hpa) one.hpa_hindsight_cost = sample_cost_at(*hpa, level);
        if (floor) one.clairvoyant_cost = sample_cost_at(*floor, level);
        const auto interval = [&](double value) {
          return shape.seeds > 1 ? Interval{value, value - 0.012, value + 0.013} : Interval{value, {}, {}};
        };
        if (one.policy_cost && one.hpa_hindsight_cost) {
          one.saving_hindsight = interval(1.0 - *one.policy_cost / *one.hpa_hindsight_cost);
          if (one.clairvoyant_cost && *one.hpa_hindsight_cost > *one.clairvoyant_cost)
            one.gap_closed =
                (*one.hpa_hindsight_cost - *one.policy_cost) / (*one.hpa_hindsight_cost - *one.clairvoyant_cost);
          if (report.traces.back().seconds >= 7200.0) {
            one.policy_second_half_cost = 1.02 * *one.policy_cost;
            one.hpa_first_half_cost = 1.08 * *one.hpa_hindsight_cost;
            one.saving_first_half = interval(1.0 - *one.policy_second_half_cost / *one.hpa_first_half_cost);
          }
        }
        for (const double price : report.prices) {
          Bill bill;
          bill.price = price;
          bill.policy = sample_bill(front, price);
          if (hpa) {
            bill.hpa_hindsight = sample_bill(*hpa, price);
            for (const FrontPoint& point : hpa->points)
              if (point.policy == "hpa:target=60,stabilization=300s")
                bill.hpa60 = point.relative_cost + price * point.violation_ratio;
            if (one.hpa_first_half_cost) bill.hpa_first_half = 1.06 * *bill.hpa_hindsight;
            if (one.hpa_first_half_cost) bill.policy_second_half = 1.03 * *bill.policy;
          }
          if (floor) bill.clairvoyant = sample_bill(*floor, price);
          one.bills.push_back(bill);
        }
        report.comparisons.push_back(one);
      }
    }
  }
  return report;
}

/// Names with markup and quotes, a level that nobody reaches, no violations, one seed, no trajectories, no demand.
inline BacktestReport nasty_backtest() {
  SampleShape shape;
  shape.traces = 2;
  shape.families = {"</script><img src=x onerror=alert(1)>", "a\"b'c&<i>", "\xFF\x01 broken"};
  shape.members = 3;
  shape.seeds = 1;
  BacktestReport report = sample_backtest(shape);
  report.traces[0].name = report.comparisons[0].trace = "</title><script>alert(2)</script>";
  report.traces[1].file = "<b>\".csv";
  report.traces[1].time_s.clear();
  report.traces[1].demand_rps.clear();
  report.command = "x </code></pre><script>alert(3)</script>";
  report.configuration = {{"<b>", "<script>alert(4)</script>"}};
  report.preset = "<!-- <script>";
  for (std::vector<Front>& fronts : report.fronts) {
    for (Front& front : fronts) {
      for (FrontPoint& point : front.points) {
        point.trajectory.clear();
        point.violation_ratio = 0.0;
      }
    }
  }
  for (LevelComparison& one : report.comparisons) one.policy_cost.reset();
  return report;
}

/// A run that follows a wave with a spike, in 400 points.
inline TrajectoryRun sample_trajectory(std::uint64_t seed, double headroom) {
  TrajectoryRecorder recorder(5760, 400, 25.0);
  for (int i = 0; i < 5760; ++i) {
    policy::PeriodOutcome outcome;
    outcome.start = at_seconds(15.0 * i);
    outcome.length = from_seconds(15.0);
    const auto demand = [&](int at) {
      return 450.0 + 350.0 * std::sin(6.283 * at / 2880.0) + (at % 1500 > 1460 ? 600.0 : 0.0) +
             120.0 * sample_noise(static_cast<int>(seed), at, 2);
    };
    outcome.demand_rps = demand(i);
    outcome.spec_replicas = std::max(1, static_cast<int>(std::ceil(headroom * demand(std::max(i - 2, 0)) / 25.0)));
    outcome.ready_replicas = std::max(1, static_cast<int>(std::ceil(headroom * demand(std::max(i - 5, 0)) / 25.0)));
    const double late = std::max(0.0, outcome.demand_rps - 25.0 * outcome.ready_replicas);
    outcome.requests = policy::RequestOutcome{15.0 * outcome.demand_rps, 10.0 * late, 5.0 * late};
    recorder.add(outcome);
  }
  return recorder.finish(seed);
}

}  // namespace mpca::report
