#include <cmath>

#include "core/text.h"
#include "policy/decision.h"

namespace mpca::policy {
namespace {

std::string forecast_words(const std::vector<ForecastPoint>& forecast) {
  const ForecastPoint& last = forecast.back();
  return cat("forecast ", fixed(last.demand_rps, 1), " rps at +", format_duration(last.lead_time));
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
  if (!explanation.forecast.empty()) add(forecast_words(explanation.forecast));
  if (explanation.recommendation)
    add(cat("the rule ", explanation.rule, " asks for ", fixed(*explanation.recommendation, 2)));
  for (const GuardStep& step : explanation.guards) add(cat(step.guard, " ", step.before, " -> ", step.after));
  if (!explanation.status.empty()) add(cat("status ", explanation.status));
  const int change = decision.replicas - observation.spec_replicas;
  const std::string outcome =
      change > 0   ? cat("raise from ", observation.spec_replicas, " to ", replicas_words(decision.replicas))
      : change < 0 ? cat("lower from ", observation.spec_replicas, " to ", replicas_words(decision.replicas))
                   : cat("stay at ", replicas_words(decision.replicas));
  return text.empty() ? outcome : cat(text, ": ", outcome);
}

}  // namespace mpca::policy
