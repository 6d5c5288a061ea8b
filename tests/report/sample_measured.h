// A measured comparison with made-up figures, for looking at the report and for its tests: it is no result of anything.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/comparison.h"

namespace mpca::report {

/// A spike of five minutes, sampled every 5 s: 50 requests/s for 2 min, 200 for 1 min, 50 for 2 min. A policy asks for
/// 12 replicas `reaction_s` after the jump and has them 40 s later; until then it is slow, and `failing` of its
/// requests fail.
inline PolicyRun sample_measured_run(const std::string& name, double reaction_s, double failing) {
  PolicyRun run;
  run.policy = name;
  Measured measured;
  for (int i = 0; i < 60; ++i) {
    const double time_s = 5.0 * i;
    const double asked_at_s = 120.0 + reaction_s, ready_at_s = asked_at_s + 40.0;
    const bool is_asked = time_s >= asked_at_s && time_s < 260.0, is_ready = time_s >= ready_at_s && time_s < 260.0;
    const bool is_overloaded = time_s >= 120.0 && time_s < std::min(ready_at_s + 10.0, 200.0);
    run.spec_replicas.push_back(is_asked ? 12 : 4);
    run.ready_replicas.push_back(is_ready ? 12 : 4);
    run.utilization.push_back((time_s >= 120.0 && time_s < 180.0 ? 200.0 : 50.0) / (17.5 * run.ready_replicas.back()));
    run.backlog_requests.push_back(is_overloaded ? 12.0 * (time_s - 120.0) : 0.0);
    const double p50 = is_overloaded ? 200.0 + 60.0 * (time_s - 120.0) : 116.0 + 3.0 * (i % 3);
    measured.latency_p50_ms.push_back(p50);
    measured.latency_p95_ms.push_back(i == 7 ? std::numeric_limits<double>::quiet_NaN() : 1.6 * p50);
    measured.latency_p99_ms.push_back(2.1 * p50);
    measured.failed_ratio.push_back(is_overloaded ? failing : 0.0);
  }
  const double slow_ms = 400.0 + 45.0 * (reaction_s + 40.0);
  const auto failed = static_cast<std::uint64_t>(std::llround(12000.0 * failing));
  measured.phases = {{0, 120, 50, 6000, 0, 117, 187, 246, 301},
                     {120, 60, 200, 12000, failed, 0.6 * slow_ms, slow_ms, 1.4 * slow_ms, 2.0 * slow_ms},
                     {180, 120, 50, 6000, 0, 118, 192, 251, 333}};
  run.metrics.duration_s = 300.0;
  run.metrics.mean_replicas = 4.0 + 8.0 * (140.0 - reaction_s) / 300.0;
  run.metrics.replica_hours = run.metrics.mean_replicas / 12.0;
  run.metrics.max_replicas = 12;
  run.metrics.replica_churn = 16;
  run.metrics.violation_ratio = (reaction_s + 50.0) / 300.0;
  run.metrics.utilization_mean = 0.81;
  run.metrics.utilization_p95 = 2.7;
  run.metrics.backlog_max_requests = 12.0 * (reaction_s + 45.0);
  run.metrics.latency_p95_s = 1.0;
  run.metrics.request_latency_p50_s = 0.121;
  run.metrics.request_latency_p95_s = slow_ms / 1000.0;
  run.metrics.request_latency_p99_s = 1.4 * slow_ms / 1000.0;
  run.metrics.failed_ratio = 0.5 * failing;
  run.metrics.cost_usd = run.metrics.replica_hours * 0.004;
  run.measured = std::move(measured);
  return run;
}

inline TraceComparison sample_measured_trace(const std::string& name, double shift_s = 0.0) {
  TraceComparison trace;
  trace.name = name;
  trace.step_s = 5.0;
  trace.steps = 60;
  for (int i = 0; i < 60; ++i) {
    trace.time_s.push_back(5.0 * i);
    trace.demand_rps.push_back(i >= 24 && i < 36 ? 200.0 : 50.0);
  }
  trace.runs.push_back(sample_measured_run("lab-mpc", 5.0 + shift_s, 0.002));
  trace.runs.push_back(sample_measured_run("lab-hpa", 35.0 + shift_s, 0.064));
  return trace;
}

/// One run of each policy, or several with their medians. With `doubt`, lab-hpa has a caution.
inline Comparison sample_measured(int repeats = 1, bool doubt = false) {
  Comparison comparison;
  comparison.world = "lab";
  comparison.configuration = {{"capacity per replica", "17.5 requests/s"}, {"speed", "8"}, {"seed", "1"}};
  comparison.command = "mpc-autoscaler lab --scenario spike --policy lab-mpc --policy lab-hpa --speed 8 --out out/lab";
  comparison.version = "0.1.0";
  comparison.notes = {"Measured, not simulated: every pod is a process, every request was sent.",
                      "The experiment ran 8 times as fast as life."};
  for (int i = 0; i < repeats; ++i)
    comparison.traces.push_back(
        sample_measured_trace(repeats == 1 ? "spike" : "spike, repeat " + std::to_string(i + 1), 4.0 * i));
  if (doubt)
    comparison.traces.back().runs[1].measured->cautions = {
        "The load generator was late by 41 ms at its 99.9th percentile; its latencies are too high by up to that."};
  if (repeats == 1) return comparison;
  for (std::size_t policy = 0; policy < 2; ++policy) {
    RepeatedRuns& runs = comparison.repeated.emplace_back();
    runs.policy = comparison.traces[0].runs[policy].policy;
    runs.repeats = repeats;
    for (const MetricRow& row : metric_table()) {
      std::vector<double> values;
      for (const TraceComparison& trace : comparison.traces)
        if (const auto value = row.value(trace.runs[policy].metrics)) values.push_back(*value);
      std::sort(values.begin(), values.end());
      if (values.empty())
        runs.figures.emplace_back();
      else
        runs.figures.emplace_back(RepeatedFigure{values[values.size() / 2], values.front(), values.back()});
    }
  }
  return comparison;
}

}  // namespace mpca::report
