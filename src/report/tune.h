// What tuning one workload on its own history found, as data: the verdict, and what each kind of rule would have cost
// on blocks of the history that its settings were not chosen on. How: docs/how-to/tune-a-workload.md.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/backtest.h"

namespace mpca::report {

enum class TuneVerdict {
  use_predictive,  // better than every rule below
  use_reactive,    // better than both HPAs; prediction adds too little
  use_hpa,         // the HPA with other settings; neither adds enough
  keep_present,    // nothing is surely better
  too_short,       // history cannot tell; nothing was played
};

/// `use-predictive`, …: as machines read it.
std::string to_string(TuneVerdict verdict);

/// The least saving that is worth another rule.
inline constexpr double kWorthIt = 0.02;

/// Of a whole history.
struct TuneFigures {
  double bill = 0.0;             // J(P); with a wish for a share, the relative cost
  double relative_cost = 0.0;    // paid / the least that serving takes
  double mean_replicas = 0.0;    // paid, on average
  double violation_ratio = 0.0;  // requests late or failed
  double churn_per_hour = 0.0;
};

/// One block of a rule that was chosen on the others.
struct TuneBlock {
  std::string policy;  // what was chosen
  double bill = 0.0;
  double violation_ratio = 0.0;
  std::optional<double> saving;  // against the present rule in the same block
};

/// What an HPA object takes to be the rule.
struct HpaFields {
  std::optional<int> average_utilization;  // percent; absent where the object looks at something else
  int scale_down_window_s = 0;
};

/// The present rule, or a kind of rule with its settings tuned.
struct TuneRule {
  std::string kind;    // `today`, `hpa`, `reactive`, `predictive`
  std::string policy;  // with the settings that are best on the whole history
  int settings = 1;    // that were tried
  TuneFigures figures;
  Interval saving;      // against the present rule; 0 for itself
  bool keeps = true;    // the wished share, to a fifth of it
  int same_choice = 0;  // blocks for which `policy` was the choice too
  std::vector<TuneBlock> blocks;
  std::optional<HpaFields> hpa;
};

struct TuneReport {
  TuneVerdict verdict = TuneVerdict::too_short;
  PlayedTrace trace;
  std::string preset;
  std::string present;      // as given
  double late_price = 0.0;  // of the wish; 0 when late_share decides
  double late_share = 0.0;
  int folds = 0;
  int seeds = 0;
  double recorded_seconds = 0.0;  // of the file at the speed that it is played
  double needed_seconds = 0.0;    // the shortest history that is judged
  std::vector<TuneRule> rules;    // from simple to complex; empty when history is too short
  std::size_t chosen = 0;         // index of the rule that the verdict speaks of
  std::size_t best_simple = 0;    // the rule that it would speak of without prediction
  Interval predictive_saving;     // of predictive against that one
  std::optional<TuneFigures> foresight;
  std::optional<double> foresight_saving;  // against the present rule: what no rule can do
  std::vector<std::pair<std::string, std::string>> configuration;
  std::string command;
  std::string version;
};

}  // namespace mpca::report
