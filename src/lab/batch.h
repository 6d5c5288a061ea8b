// Many experiments, one after the other, and what they say together. A run that fails does not stop the others; what is
// finished stays, and `resume` goes on from there. The report is made of the finished runs' files, so it is the same
// whether they were measured in one go or in several.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "lab/experiment.h"

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

/// The reference lab's batches by name: `matched`, `mpc-only`, `hpa-target-grid`, `isolation`.
struct BatchKind {
  std::string_view name;
  std::string_view sentence;
  std::vector<BatchEntry> (*entries)();
};
std::span<const BatchKind> batch_kinds();

struct BatchSettings {
  ExperimentSettings experiment;
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
///   errors   invalid_argument  before anything runs: every policy text, event and setting that is none
///            already_exists    `out` holds something, and neither resume nor replace
///            interrupted       finished runs stay; resume goes on
///            io                the report cannot be written
Result<BatchResult> run_batch(const BatchSettings& settings, const std::stop_token& stop,
                              const OnBatchProgress& on_progress, const OnBatchRun& on_run);

}  // namespace mpca::lab
