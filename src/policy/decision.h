// What a policy answers, and why. The explanation is data; explanation_sentence() makes the words from it, so a
// decision costs no text when nobody reads it and every world explains itself in the same words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "policy/observation.h"

namespace mpca::policy {

/// Demand at one lead time ahead of the decision.
struct ForecastPoint {
  Duration lead_time{};
  double level = 0.5;  // quantile level in (0, 1); a point forecast says 0.5
  double demand_rps = 0.0;
  bool operator==(const ForecastPoint&) const = default;
};

/// A rule that changed the recommendation on its way to the decision.
struct GuardStep {
  std::string guard;  // `max_step`, `scale_down_hold`, `emergency`, `bounds`, …
  int before = 0;
  int after = 0;
  bool operator==(const GuardStep&) const = default;
};

/// A number worth knowing later: a plant parameter, a state of the policy, a term of the formula.
struct NamedValue {
  std::string name;  // snake_case with its unit: `backlog_requests`
  double value = 0.0;
  bool operator==(const NamedValue&) const = default;
};

/// One of several rules that were asked, and why it was heard as much as it was. The bill by which it is judged is cost
/// + price of late demand x late_share.
struct CandidateVote {
  std::string name;         // `planner q 0.97`
  double weight = 0.0;      // its share of the decision, in [0, 1]
  double replicas = 0.0;    // what it asks for now
  double cost = 0.0;        // replicas it would have paid for, per replica that the demand kept busy
  double late_share = 0.0;  // of the demand that it would have served late, in [0, 1]
  bool operator==(const CandidateVote&) const = default;
};

/// What the rule holds on to: with less than `raise_below` replicas it raises, with more than `lower_above` it lowers,
/// whatever it has asked for before; between them it keeps what its candidates hold. Before guards and bounds.
struct PlanBand {
  int raise_below = 0;
  int lower_above = 0;
  bool operator==(const PlanBand&) const = default;
};

struct Explanation {
  std::string rule;                     // the formula or method, in words: `ceil(demand / (capacity x target))`
  std::optional<double> demand_rps;     // the estimate that the decision rests on
  std::string demand_source;            // how it was known: `served rate`, `served + failed + change in flight`
  std::vector<ForecastPoint> forecast;  // empty for a reactive policy
  std::vector<NamedValue> values;
  std::vector<CandidateVote> candidates;  // the heaviest first, then the one with the lowest bill if it is not heavy
  std::optional<PlanBand> band;           // of a policy that has one
  std::optional<double> recommendation;   // what the rule or optimiser wanted, before rounding, guards and bounds
  std::vector<GuardStep> guards;          // in the order they acted; only those that changed something
  std::string status;                     // `optimal`, `late price 10`, `hold: no fresh signal`, …
  bool operator==(const Explanation&) const = default;
};

struct Decision {
  int replicas = 0;
  Explanation explanation;
  bool operator==(const Decision&) const = default;
};

/// The value of that name, if the policy gave one.
std::optional<double> named_value(const Explanation& explanation, std::string_view name);

/// One sentence for a person: `demand 80.0 rps (served rate), forecast 80.0 rps at +15s, the rule … asks for 4.57,
/// max_step 6 -> 4: lower from 7 to 4 replicas`, or of a policy that forecasts quantiles: `demand 212.0 rps (served
/// rate), at most 260.0 rps (q 0.97) within 48s; "planner q 0.97" weighs 71 %; wanted 11.40, reactive_floor 11 -> 12:
/// stay at 12 replicas`.
std::string explanation_sentence(const Observation& observation, const Decision& decision);

}  // namespace mpca::policy
