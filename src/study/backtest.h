// `backtest`: every policy on every trace with every seed, in a preset's world, and what that says. Resumable,
// parallel, and divisible over machines: each (trace, policy) leaves its rows in a file of its own, and what is there
// already is not played again.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "report/backtest.h"
#include "sim/dated_world.h"
#include "study/preset.h"
#include "trace/demand_trace.h"

namespace mpca::study {

struct TraceInput {
  std::string file;
  trace::DemandTrace trace;
};

/// Part `index` of `count`, from 1.
struct Shard {
  int index = 1;
  int count = 1;
};

struct BacktestSettings {
  std::vector<TraceInput> traces;
  /// Policies or families (`reactive:sweep`, `clairvoyant`).
  std::vector<std::string> policies;
  bool with_opponents = true;  // adds `hpa:sweep` and `clairvoyant` where they are missing
  Preset preset;
  std::string world = "fluid";
  sim::WallClock clock;  // that policies are shown
  int seeds = 3;         // 1 … seeds
  int jobs = 1;
  Shard shard;
  bool replace = false;  // results of another study in `out` give way
  std::string out;
  std::string command;
  std::string program;
};

struct Progress {
  double done = 0.0;  // of the work that was to do, 0 to 1
};

/// Writes `out`/study.json, runs/TRACE/POLICY.json and trajectories/TRACE/POLICY.js, then, unless this is one of
/// several shards, rows.csv and report.html. An `out` that holds results of the same study is gone on with.
///
///   errors   invalid_argument  no trace, no policy, a policy that cannot be made, doubled traces or policies (all)
///            already_exists    `out` holds something else
///            io                the first failure; finished runs stay
///            interrupted       finished runs stay, no report
///   returns  the report; with several shards, one without fronts and comparisons
Result<report::BacktestReport> backtest(const BacktestSettings& settings, const std::stop_token& stop,
                                        const std::function<void(const Progress&)>& on_progress);

/// Puts the shards of one study together and writes the report.
///   parts    n >= 1 directories that backtest() wrote
///   errors   invalid_argument  not parts of the same study, or runs that no part has (names them)
Result<report::BacktestReport> merge_backtests(const std::vector<std::string>& parts, const std::string& out,
                                               bool replace, const std::string& command, const std::string& program);

}  // namespace mpca::study
