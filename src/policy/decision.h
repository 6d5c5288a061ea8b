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

struct Explanation {
  std::string rule;                     // the formula or method, in words: `ceil(demand / (capacity x target))`
  std::optional<double> demand_rps;     // the estimate that the decision rests on
  std::string demand_source;            // how it was known: `served rate`, `served + failed + change in flight`
  std::vector<ForecastPoint> forecast;  // empty for a reactive policy
  std::vector<NamedValue> values;
  std::optional<double> recommendation;  // what the rule or optimiser wanted, before rounding, guards and bounds
  std::vector<GuardStep> guards;         // in the order they acted; only those that changed something
  std::string status;                    // `optimal`, `greedy`, `hold: no fresh signal`, …
  bool operator==(const Explanation&) const = default;
};

struct Decision {
  int replicas = 0;
  Explanation explanation;
  bool operator==(const Decision&) const = default;
};

/// The value of that name, if the policy gave one.
std::optional<double> named_value(const Explanation& explanation, std::string_view name);

/// One sentence for a person: `demand 80.0 rps (served rate), forecast 80.0 rps at 15s; wanted 4.57, max_step 6 -> 4: 4
/// replicas`.
std::string explanation_sentence(const Observation& observation, const Decision& decision);

}  // namespace mpca::policy
