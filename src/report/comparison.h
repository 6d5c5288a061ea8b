// What the comparison report shows, as data: policies side by side on the same demand, per trace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/world.h"
#include "report/metrics.h"
#include "report/run_decisions.h"

namespace mpca::report {

/// What users of a real service saw in one phase of the plan.
struct MeasuredPhase {
  double start_s = 0.0;  // experiment time
  double length_s = 0.0;
  double rate_rps = 0.0;  // planned, mean
  std::uint64_t due = 0;  // requests
  std::uint64_t failed = 0;
  double latency_p50_ms = 0.0;  // real time, from the instant a request was due
  double latency_p95_ms = 0.0;
  double latency_p99_ms = 0.0;
  double latency_max_ms = 0.0;
};

/// What only a world of real processes knows.
struct Measured {
  std::vector<double> latency_p50_ms;  // each of the size of TraceComparison::time_s, by the instant requests were due;
  std::vector<double> latency_p95_ms;  // NaN where none was
  std::vector<double> latency_p99_ms;
  std::vector<double> failed_ratio;  // the same; empty when it was not recorded over time: then the phases' is drawn
  std::vector<MeasuredPhase> phases;
  std::vector<std::string> cautions;  // why the figures are not to be trusted, a sentence each; empty: nothing known
};

/// One policy on one trace. The series are thinned for drawing (see SeriesThinner); the metrics are exact.
struct PolicyRun {
  std::string policy;  // as given on the command line
  RunMetrics metrics;
  std::vector<double> ready_replicas;  // each of the size of TraceComparison::time_s
  std::vector<double> spec_replicas;
  std::vector<double> utilization;  // fraction
  std::vector<double> backlog_requests;
  std::optional<Measured> measured = std::nullopt;  // simulators
  RunDecisions decisions = {};                      // none: the page has no panel for them
};

/// One figure of one policy over several repeats of an experiment.
struct RepeatedFigure {
  double median = 0.0;
  double lowest = 0.0;
  double highest = 0.0;
};

/// The repeats of one policy: per row of metric_table(), nullopt where the world does not know it.
struct RepeatedRuns {
  std::string policy;
  int repeats = 0;
  std::vector<std::optional<RepeatedFigure>> figures;
};

struct TraceComparison {
  std::string name;
  std::string note;  // `scaled by 2.31 so that the 99.9th percentile needs 12 replicas`, or empty
  double step_s = 0.0;
  int steps = 0;  // of the trace; more than time_s.size() when the series are thinned
  std::vector<double> time_s;
  std::vector<double> demand_rps;
  std::vector<PolicyRun> runs;  // same order in every trace
};

struct Comparison {
  std::string world;  // `idealised`, `realistic`, `lab`
  double target_utilization = 0.7;
  std::vector<std::pair<std::string, std::string>> configuration;  // name, value: shown as a table
  std::string command;                                             // repeats the whole comparison
  std::string version;
  std::vector<std::string> notes;      // what a reader has to know first, a sentence each: `8 times as fast as life`
  std::vector<RepeatedRuns> repeated;  // empty without repeats; the traces are then the repeats
  std::vector<TraceComparison> traces;
};

}  // namespace mpca::report
