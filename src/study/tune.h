// `tune`: which rule, with which settings, one workload should be scaled by, judged on its own history by
// cross-validation over time. Rules from simple to complex: the present one, the HPA tuned, the reactive rule tuned,
// predictive tuned. A more complex one is recommended only if it is surely better than the simpler.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "report/tune.h"
#include "sim/dated_world.h"
#include "study/backtest.h"
#include "study/cross_validation.h"
#include "study/preset.h"
#include "study/ruler.h"

namespace mpca::study {

struct TuneSettings {
  TraceInput input;
  Preset preset;
  Wish wish;  // capacity_rps is the preset's, whatever stands here
  std::string present = "hpa:target=60,stabilization=300s";
  std::string calendar;  // that predictive is given, as policy/predictive/calendar.h writes it
  sim::WallClock clock;  // that policies are shown
  int folds = 6;         // kFewestFolds … kMostFolds
  int seeds = 3;         // 1 … seeds
  int jobs = 1;
  std::vector<Family> families;  // empty: families_to_tune()
  std::string command;
  std::string program;
};

/// What is tried, in order from simple to complex: `hpa` (target x scale-down window, on the present object if the
/// present rule is one), `reactive`, `predictive` (the wish, with dead bands, and the calendar: `calendar`, or else
/// that of the present rule).
std::vector<Family> families_to_tune(const std::string& present, const Wish& wish, const std::string& calendar = {});

/// The shortest history that is judged: two hours, or ten dead times a block if that is more.
double shortest_history_s(const Preset& preset, int folds);

///   errors   invalid_argument  a present rule that cannot be made; no demand
///            interrupted       nothing is kept
///   returns  the report; equal for equal settings, whatever `jobs` is
Result<report::TuneReport> tune(const TuneSettings& settings, const std::stop_token& stop,
                                const std::function<void(const Progress&)>& on_progress);

/// From the rules' held-out figures to the verdict: `verdict`, `chosen`, `best_simple`, `predictive_saving`.
/// A rule replaces a simpler one when it saves at least 2 % against it and the interval lies above 0; with a wish for a
/// share, also when it alone keeps it, or when neither does and it has a fifth fewer violations.
///   blocks   per rule of `report.rules`, held out
void decide(report::TuneReport& report, const std::vector<std::vector<BlockAccount>>& blocks, const Wish& wish);

}  // namespace mpca::study
