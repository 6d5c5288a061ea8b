// One run of an experiment as it was measured: what was sent, what came back and when, and what the fleet looked like,
// once per sample. Written into the run's directory, so a report can be made of any set of runs, now or later; the
// report is made of these files, and of the decision logs beside them. Times of the experiment are experiment time;
// latencies are real.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/latency_histogram.h"
#include "core/result.h"
#include "load/load_run.h"
#include "policy/policy.h"
#include "report/comparison.h"
#include "report/run_decisions.h"

namespace mpca::lab {

inline constexpr std::string_view kMeasuredRunFile = "measured-run.json";

/// One instant, every `sample_s`.
struct FleetSample {
  int spec_replicas = 0;
  int ready_replicas = 0;
  std::uint64_t outstanding = 0;  // requests with a pod; of use where the run's `concurrency` is known
};

struct MeasuredRun {
  std::string scenario;
  std::string policy;  // as create_policy() takes it
  std::string label;   // what comparisons call it; the same in every scenario
  int repeat = 1;
  std::uint64_t seed = 1;
  double speed = 1.0;
  std::string world = "lab";       // or `cluster`
  std::optional<int> concurrency;  // requests that a pod works on at once; not known of pods that are not ours
  policy::Workload workload;
  double sample_s = 1.0;
  std::vector<double> demand_rps;  // planned, mean over each sample; n, as all series
  std::vector<FleetSample> fleet;
  std::vector<double> latency_p50_ms;  // of requests due in the sample; NaN where none was
  std::vector<double> latency_p95_ms;
  std::vector<double> latency_p99_ms;
  std::vector<double> failed_ratio;  // of requests due in the sample; NaN where none was
  std::vector<report::MeasuredPhase> phases;
  load::Counts counts;
  LatencyHistogram latency;  // of the whole run
  std::vector<std::string> cautions;
  report::RunDecisions decisions;  // for the report; not in the file, the run's decision log has them
};

/// Milliseconds that a pod sleeps per request so that `concurrency` requests at once make `capacity_rps`.
int sleep_ms_for(double capacity_rps, int concurrency);

std::string to_json(const MeasuredRun& run);
/// `where` begins the messages.
///   errors   invalid_argument  not this format or version, a field missing or of the wrong type, series of unequal
///   size
Result<MeasuredRun> parse_measured_run(std::string_view json, std::string_view where);

/// Runs side by side: one block per scenario and repeat that has every policy (by label), medians over all repeats of
/// each where there are several.
///   runs     n >= 1
report::Comparison to_comparison(std::vector<MeasuredRun> runs);

}  // namespace mpca::lab
