// What the comparison report shows, as data: policies side by side on the same demand, per trace.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policy/world.h"
#include "report/metrics.h"

namespace mpca::report {

/// One policy on one trace. The series are thinned for drawing (see SeriesThinner); the metrics are exact.
struct PolicyRun {
  std::string policy;  // as given on the command line
  RunMetrics metrics;
  std::vector<double> ready_replicas;  // each of the size of TraceComparison::time_s
  std::vector<double> spec_replicas;
  std::vector<double> utilization;  // fraction
  std::vector<double> backlog_requests;
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
  std::string world;  // `idealised`, `realistic`
  double target_utilization = 0.7;
  std::vector<std::pair<std::string, std::string>> configuration;  // name, value: shown as a table
  std::string command;                                             // repeats the whole comparison
  std::string version;
  std::vector<TraceComparison> traces;
};

}  // namespace mpca::report
