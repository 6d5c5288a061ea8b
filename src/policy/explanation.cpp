#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "policy/decision.h"

namespace mpca::policy {
namespace {

std::string forecast_words(const std::vector<ForecastPoint>& forecast) {
  const ForecastPoint& last = forecast.back();
  return cat("forecast ", fixed(last.demand_rps, 1), " rps at +", format_duration(last.lead_time));
}

constexpr double kShownLevel = 0.97;

bool has_fan(const Explanation& explanation) {
  return std::any_of(explanation.forecast.begin(), explanation.forecast.end(),
                     [](const ForecastPoint& point) { return point.level != 0.5; });
}

std::string fan_words(const std::vector<ForecastPoint>& forecast) {
  const ForecastPoint& shown = *std::min_element(forecast.begin(), forecast.end(), [](const auto& a, const auto& b) {
    return std::abs(a.level - kShownLevel) < std::abs(b.level - kShownLevel);
  });
  return cat("at most ", fixed(shown.demand_rps, 1), " rps (q ", shown.level, ") within ",
             format_duration(shown.lead_time));
}

/// ` (below 7 raise, above 11 lower)`, where there is anything between.
std::string band_words(const std::optional<PlanBand>& band) {
  if (!band || band->raise_below == band->lower_above) return "";
  return cat(" (below ", band->raise_below, " raise, above ", band->lower_above, " lower)");
}

/// `at most 260.0 rps (q 0.97) within 48s; "planner q 0.97" weighs 71 %; wanted 11.40`.
std::string plan_words(const Explanation& explanation) {
  std::string text = fan_words(explanation.forecast);
  if (!explanation.candidates.empty()) {
    const CandidateVote& heaviest = explanation.candidates.front();
    text += cat("; \"", heaviest.name, "\" weighs ", fixed(100.0 * heaviest.weight, 0), " %");
  }
  if (explanation.recommendation)
    text += cat("; wanted ", fixed(*explanation.recommendation, 2), band_words(explanation.band));
  return text;
}

std::string replicas_words(int replicas) { return cat(replicas, replicas == 1 ? " replica" : " replicas"); }

}  // namespace

std::optional<double> named_value(const Explanation& explanation, std::string_view name) {
  for (const NamedValue& value : explanation.values) {
    if (value.name == name) return value.value;
  }
  return std::nullopt;
}

std::string explanation_sentence(const Observation& observation, const Decision& decision) {
  const Explanation& explanation = decision.explanation;
  std::string text;
  const auto add = [&](const std::string& part) { text += text.empty() ? part : ", " + part; };
  if (explanation.demand_rps) {
    add(cat("demand ", fixed(*explanation.demand_rps, 1), " rps (", explanation.demand_source, ")"));
  }
  const bool is_plan = has_fan(explanation);
  if (is_plan) {
    add(plan_words(explanation));
  } else {
    if (!explanation.forecast.empty()) add(forecast_words(explanation.forecast));
    if (explanation.recommendation)
      add(cat("the rule ", explanation.rule, " asks for ", fixed(*explanation.recommendation, 2)));
  }
  for (const GuardStep& step : explanation.guards) add(cat(step.guard, " ", step.before, " -> ", step.after));
  if (!explanation.status.empty()) add(is_plan ? explanation.status : cat("status ", explanation.status));
  const int change = decision.replicas - observation.spec_replicas;
  const std::string outcome =
      change > 0   ? cat("raise from ", observation.spec_replicas, " to ", replicas_words(decision.replicas))
      : change < 0 ? cat("lower from ", observation.spec_replicas, " to ", replicas_words(decision.replicas))
                   : cat("stay at ", replicas_words(decision.replicas));
  return text.empty() ? outcome : cat(text, ": ", outcome);
}

}  // namespace mpca::policy
