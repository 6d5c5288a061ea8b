// Many experiments, one after the other, and what they say together. A run that fails does not stop the others; what is
// finished stays, and `resume` goes on from there. The report is made of the finished runs' files, so it is the same
// whether they were measured in one go or in several.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "lab/run_plan.h"

namespace mpca::lab {

/// A load, by its name.
struct LabScenario {
  std::string name;
  load::ArrivalPlan load;            // experiment time
  std::vector<trace::Phase> phases;  // empty for a trace without them
};

/// One row of a batch: what is run on every scenario, `repeats` times.
struct BatchEntry {
  std::string label;   // what tables and directories call it
  std::string policy;  // `{preset}` in it becomes the scenario's preset of lab-online
  std::string mode;    // of run-meta.yaml
  int repeats = 1;
  std::string folder{};  // between the results' directory and the scenario; empty: none
};

/// What stands for the HPA in a batch: label and policy. nullopt: as its users have it; else at this target, in percent
/// of the pods' CPU request.
using HpaEntry = std::function<BatchEntry(std::optional<int> target_percent)>;
/// The lab's HPA-like rule.
BatchEntry lab_hpa(std::optional<int> target_percent);

/// The reference lab's batches by name: `matched`, `mpc-only`, `hpa-target-grid`, `isolation`.
struct BatchKind {
  std::string_view name;
  std::string_view sentence;
  std::vector<BatchEntry> (*entries)(const HpaEntry& hpa);
};
std::span<const BatchKind> batch_kinds();

/// `policy` with the scenario's preset of lab-online in the place of `{preset}`; what else the text says changes it.
std::string with_preset(const std::string& policy, const std::string& scenario);

struct BatchSettings {
  std::vector<LabScenario> scenarios;
  std::vector<BatchEntry> entries;
  std::uint64_t seed = 1;  // of lags and arrivals; each repeat has its own of it, the same for all policies
  bool resume = false;     // keep finished runs that are in `out`
  bool replace = false;    // run those again
  std::string out;
  std::string command;
  std::string program;
  std::string git_revision;
};

/// What to tell a person while it goes on.
struct BatchProgress {
  int run = 0;  // from 1
  int runs = 0;
  std::string scenario;
  std::string policy;
  int repeat = 1;
  int repeats = 1;
  Progress live;
};
using OnBatchProgress = std::function<void(const BatchProgress&)>;
/// After each run: `error` when it failed; `was_there` when it was finished before.
using OnBatchRun = std::function<void(const BatchProgress&, const MeasuredRun*, const Error* error, bool was_there)>;

struct BatchResult {
  report::Comparison comparison;  // of the finished runs; without traces when no scenario has all its policies
  int finished = 0;
  int failed = 0;
};

/// Writes `out`/[FOLDER/]SCENARIO/RUN/… per run (the reference lab's layout), then `summary.csv` and `report.html`.
///
///   errors   invalid_argument  before anything runs: all that the place knows to be wrong
///            already_exists    `out` holds something, and neither resume nor replace
///            interrupted       finished runs stay; resume goes on
///            io                the report cannot be written
Result<BatchResult> run_batch(Place& place, const BatchSettings& settings, const std::stop_token& stop,
                              const OnBatchProgress& on_progress, const OnBatchRun& on_run);

}  // namespace mpca::lab
