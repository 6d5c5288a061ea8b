// Policies side by side: every policy on every trace, each in a world of its own that meets the same demand. Runs in
// parallel; each run's directory appears when it is complete, so an interruption keeps what was finished.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "policy/policy.h"
#include "report/comparison.h"
#include "sim/dated_world.h"
#include "sim/realistic_world.h"
#include "study/preset.h"
#include "trace/demand_trace.h"

namespace mpca::study {

struct CompareSettings {
  std::vector<trace::DemandTrace> traces;
  std::vector<std::string> policies;  // as create_policy() takes them
  /// The reference lab's `idealised` and `realistic` (no randomness; a control period is a step of the trace), or the
  /// worlds that do not flatter, `fluid` and `requests`.
  std::string world = "idealised";
  policy::Workload workload;
  sim::RealisticSettings realistic;
  sim::WallClock clock;  // that policies are shown
  /// Of `fluid` and `requests`: pods, metrics, arrivals and the service, whose time is scaled so that capacity is wrong
  /// by as much as in the preset: not at all, as a rule. Its workload and the scale of its traces give way.
  Preset preset;
  int initial_replicas = 2;  // of every policy, within the bounds
  /// Traces are scaled so that their 99.9th percentile needs this many replicas at the target utilization. Not set:
  /// only those whose peak needs more than the maximum, to the lesser of 12 and the maximum. 0: never.
  std::optional<double> peak_replicas;
  std::uint64_t seed = 1;
  int jobs = 1;
  bool replace = false;  // existing results in `out` give way
  std::string out;       // directory for the results
  std::string command;   // repeats the comparison; for the report
  std::string program;   // version
};

/// Whole runs done and their part in progress, out of 1; called from several threads, one at a time.
using OnProgress = std::function<void(double done)>;

/// Writes `out`/TRACE/POLICY/{decisions.jsonl, decisions.csv, summary.json, config.json} per run, then `summary.csv`
/// and `report.html`.
///
///   errors   invalid_argument  no trace, no policy, a policy text that create_policy() refuses, bounds, a world that
///                              cannot have this period (all at once, before anything is written)
///            already_exists    `out` holds something and `replace` is false
///            io                the first failure; finished runs stay
///            interrupted       finished runs stay, no report
Result<report::Comparison> compare(CompareSettings settings, const std::stop_token& stop,
                                   const OnProgress& on_progress);

/// The factor that `peak_replicas` (as in CompareSettings) asks for; 1 when none.
double peak_scale(const trace::DemandTrace& trace, const policy::Workload& workload,
                  std::optional<double> peak_replicas);

}  // namespace mpca::study
