// Comparisons with made-up policies, for looking at the report and for its tests: they are no results of anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "report/comparison.h"
#include "report/thin_series.h"

namespace mpca::report {

/// A policy that reaches ceil(demand / (25 x target)) after `lag` steps, never below `floor` or above 12.
inline PolicyRun sample_run(const std::string& name, const std::vector<double>& demand, double step_s, double target,
                            int lag, int floor, int max_points, ThinSeries* drawn) {
  SeriesThinner thinner(static_cast<int>(demand.size()), max_points);
  MetricsAccumulator accumulator(25.0, 0.7);
  const auto steps = static_cast<int>(demand.size());
  double backlog = 0.0;
  int ready = floor;
  for (int i = 0; i < steps; ++i) {
    const auto wanted = [&](int at) {
      const double needed = std::ceil(demand[static_cast<std::size_t>(std::clamp(at, 0, steps - 1))] / (25.0 * target));
      return std::clamp(static_cast<int>(needed), floor, 12);
    };
    int spec = wanted(i - 1);
    for (int back = 2; back < 8; ++back) spec = std::max(spec, wanted(i - back));
    ready = std::max(floor, std::min(spec, wanted(i - lag)));
    policy::PeriodOutcome outcome;
    outcome.start = at_seconds(step_s * i);
    outcome.length = from_seconds(step_s);
    outcome.demand_rps = demand[static_cast<std::size_t>(i)];
    outcome.spec_replicas = spec;
    outcome.ready_replicas = ready;
    outcome.utilization = outcome.demand_rps / (25.0 * ready);
    backlog = std::max(0.0, backlog + step_s * (outcome.demand_rps - 17.5 * ready));
    outcome.backlog_requests = backlog;
    thinner.add(outcome);
    accumulator.add(outcome);
  }
  *drawn = thinner.finish();
  return {name,
          accumulator.finish(),
          drawn->ready_replicas,
          drawn->spec_replicas,
          drawn->utilization,
          drawn->backlog_requests,
          std::nullopt};
}

inline TraceComparison sample_trace(const std::string& name, const std::vector<double>& demand, double step_s,
                                    const std::vector<std::string>& policies, int max_points = 4000) {
  TraceComparison trace;
  trace.name = name;
  trace.step_s = step_s;
  trace.steps = static_cast<int>(demand.size());
  const double targets[] = {0.7, 0.6, 0.65, 0.7};
  const int lags[] = {1, 3, 2, 4};
  const int floors[] = {2, 2, 2, 12};
  for (std::size_t i = 0; i < policies.size(); ++i) {
    ThinSeries drawn;
    trace.runs.push_back(
        sample_run(policies[i], demand, step_s, targets[i % 4], lags[i % 4], floors[i % 4], max_points, &drawn));
    trace.time_s = drawn.time_s;
    trace.demand_rps = drawn.demand_rps;
  }
  return trace;
}

/// Step, spike, seasonality, and a long one of two days in minutes.
inline Comparison sample_comparison(const std::vector<std::string>& policies = {
                                        "lab-mpc", "lab-hpa", "reactive:target=0.65,hold=120s", "static:12"}) {
  Comparison comparison;
  comparison.world = "realistic";
  comparison.configuration = {{"world", "realistic"},
                              {"capacity per replica", "25 requests/s"},
                              {"target utilization", "0.7"},
                              {"replicas", "2 to 12"},
                              {"period", "15s (the trace's step)"},
                              {"readiness lag", "30s"},
                              {"seed", "1"}};
  comparison.command =
      "mpc-autoscaler compare --trace tests/data/traces/step.csv --trace tests/data/traces/spike.csv --policy lab-mpc "
      "--policy lab-hpa "
      "--policy reactive:target=0.65,hold=120s --policy static:12 --world realistic --out out/demo";
  comparison.version = "0.1.0";

  std::vector<double> step, spike, season, days;
  for (int i = 0; i < 60; ++i) step.push_back(i < 20 ? 20 : i < 40 ? 80 : 40);
  for (int i = 0; i < 26; ++i) spike.push_back(i == 12 || i == 13 ? 200 : 20);
  for (int i = 0; i < 80; ++i) season.push_back(std::clamp(std::round(70 + 50 * std::sin(i * 0.0785398)), 20.0, 120.0));
  for (int i = 0; i < 2880; ++i) {
    const double wave = 90 - 75 * std::cos(i * 6.2831853 / 1440) + 12 * std::sin(i * 0.7) + 9 * std::sin(i * 1.93);
    days.push_back(std::max(1.0, wave + (i == 1900 ? 140 : 0)));
  }
  comparison.traces = {sample_trace("step", step, 15, policies), sample_trace("spike", spike, 15, policies),
                       sample_trace("seasonality", season, 15, policies),
                       sample_trace("two-days", days, 60, policies, 2000)};
  comparison.traces.back().note = "demand scaled by 2.31, so that its 99.9th percentile needs 12 replicas";
  return comparison;
}

}  // namespace mpca::report
