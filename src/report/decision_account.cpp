#include "report/decision_account.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.h"
#include "core/time.h"
#include "report/internal/text_columns.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using policy::Explanation;
using Kind = AccountColumn::Kind;

constexpr std::size_t kNameWidth = 28;

/// `12 s`, `4.5 s`.
std::string seconds_words(double seconds) {
  return seconds < 10.0 ? cat(shortest(std::round(10.0 * seconds) / 10.0), " s")
                        : internal::words_of_duration(std::round(seconds));
}

std::string percent(double share) { return cat(fixed(100.0 * share, 0), " %"); }

/// Of a bar: finer than an eighth of a character.
std::string share_text(double share) { return shortest(std::round(1e4 * share) / 1e4); }

/// The parts of the dead time with their confidences.
AccountPart dead_time_part(double dead_time_s, const Explanation& explanation, const policy::Workload& workload) {
  AccountPart part{
      .label = "dead time",
      .words = cat(seconds_words(dead_time_s), ", from a change of demand until pods ordered for it serve")};
  const auto age = named_value(explanation, "metric_age_s"), lag = named_value(explanation, "readiness_lag_late_s");
  if (!age || !lag) return part;
  part.columns = {{Kind::name, kNameWidth}, {Kind::number, 8}, {Kind::words}};
  const auto add = [&](std::string_view name, double value, std::string_view confidence) {
    const auto known = named_value(explanation, confidence);
    part.rows.push_back(
        {std::string(name), seconds_words(value), known ? cat(percent(*known), " of it measured") : std::string()});
  };
  add("age of metrics", *age, "metric_age_confidence");
  add("80 % of pods are Ready by", *lag, "readiness_lag_confidence");
  add("control period", to_seconds(workload.period), "");
  return part;
}

AccountPart forecast_part(const Explanation& explanation, double capacity_rps) {
  const bool is_fan = std::any_of(explanation.forecast.begin(), explanation.forecast.end(),
                                  [](const policy::ForecastPoint& point) { return point.level != 0.5; });
  double greatest = 0.0;
  for (const policy::ForecastPoint& point : explanation.forecast) greatest = std::max(greatest, point.demand_rps);
  AccountPart part{.label = "forecast",
                   .words = is_fan ? cat("the greatest demand within ",
                                         seconds_words(to_seconds(explanation.forecast.front().lead_time)),
                                         " is at most, with probability")
                                   : std::string("demand after"),
                   .columns = {{Kind::name, 8}, {Kind::bar, 30}, {Kind::number, 13}, {Kind::number, 16}}};
  for (const policy::ForecastPoint& point : explanation.forecast)
    part.rows.push_back({is_fan ? shortest(point.level) : format_duration(point.lead_time),
                         share_text(greatest > 0.0 ? point.demand_rps / greatest : 0.0),
                         cat(fixed(point.demand_rps, 1), " rps"),
                         cat(fixed(point.demand_rps / capacity_rps, 1), " replicas")});
  return part;
}

AccountPart candidates_part(const Explanation& explanation) {
  const auto price = named_value(explanation, "late_price");
  std::size_t width = 0;
  for (const policy::CandidateVote& vote : explanation.candidates) width = std::max(width, internal::width(vote.name));
  AccountPart part{.label = "candidates",
                   .columns = {{Kind::name, width + 2},
                               {Kind::bar, 12, "weight"},
                               {Kind::number, 6},
                               {Kind::number, 6, "asks"},
                               {Kind::number, 8, "cost"},
                               {Kind::number, 9, "late"}}};
  if (price) part.columns.push_back({Kind::number, 8, "bill"});
  double heard = 0.0;
  for (const policy::CandidateVote& vote : explanation.candidates) {
    heard += vote.weight;
    part.rows.push_back({vote.name, share_text(vote.weight), percent(vote.weight), shortest(vote.replicas),
                         fixed(vote.cost, 3), cat(fixed(100.0 * vote.late_share, 2), " %")});
    if (price) part.rows.back().push_back(fixed(vote.cost + *price * vote.late_share, 3));
  }
  part.note = cat("the others ", percent(std::max(1.0 - heard, 0.0)),
                  "; cost, late and bill: what each would have paid per replica kept busy");
  return part;
}

AccountPart guards_part(const Explanation& explanation) {
  AccountPart part{.label = "guards", .columns = {{Kind::name, kNameWidth}, {Kind::number}}};
  for (const policy::GuardStep& step : explanation.guards)
    part.rows.push_back({step.guard, cat(step.before, " -> ", step.after)});
  if (part.rows.empty()) part.words = "none changed anything";
  return part;
}

AccountPart other_values_part(const Explanation& explanation) {
  static constexpr std::array<std::string_view, 9> kShown = {
      "dead_time_s",          "metric_age_s",        "metric_age_confidence",
      "readiness_lag_late_s", "readiness_lag_s",     "readiness_lag_confidence",
      "capacity_rps",         "capacity_confidence", "late_price"};
  AccountPart part{.label = "values", .columns = {{Kind::name, kNameWidth}, {Kind::number}}};
  for (const policy::NamedValue& value : explanation.values) {
    if (std::find(kShown.begin(), kShown.end(), value.name) != kShown.end()) continue;
    part.rows.push_back({value.name, shortest(std::round(1e4 * value.value) / 1e4)});
  }
  return part;
}

}  // namespace

double known_capacity_rps(const Explanation& explanation, const policy::Workload& workload) {
  const double capacity = named_value(explanation, "capacity_rps").value_or(workload.capacity_rps);
  return capacity > 0.0 ? capacity : workload.capacity_rps;
}

bool says_more_than_its_sentence(const Explanation& explanation) {
  return explanation.demand_rps || !explanation.forecast.empty() || !explanation.values.empty() ||
         !explanation.candidates.empty();
}

std::vector<AccountPart> account_parts(const policy::Observation& observation, const policy::Decision& decision,
                                       const policy::Workload& workload) {
  const Explanation& explanation = decision.explanation;
  const double capacity = known_capacity_rps(explanation, workload);
  std::vector<AccountPart> parts;
  const auto say = [&](std::string_view label, std::string words) {
    parts.push_back({.label = label, .words = std::move(words)});
  };
  if (explanation.demand_rps)
    say("demand", cat(fixed(*explanation.demand_rps, 1), " rps, ", fixed(*explanation.demand_rps / capacity, 1),
                      " replicas' worth; known from: ", explanation.demand_source));
  if (const auto confidence = named_value(explanation, "capacity_confidence"))
    say("capacity", cat(fixed(capacity, 1), " rps a replica, ", percent(*confidence), " of it measured"));
  if (const auto dead_time = named_value(explanation, "dead_time_s"))
    parts.push_back(dead_time_part(*dead_time, explanation, workload));
  if (!explanation.forecast.empty()) parts.push_back(forecast_part(explanation, capacity));
  if (!explanation.rule.empty()) say("rule", explanation.rule);
  if (!explanation.status.empty()) say("status", explanation.status);
  if (!explanation.candidates.empty()) parts.push_back(candidates_part(explanation));
  if (explanation.recommendation) say("wanted", cat(fixed(*explanation.recommendation, 2), " replicas"));
  if (explanation.band)
    say("band", explanation.band->raise_below == explanation.band->lower_above
                    ? cat(explanation.band->raise_below, " replicas: below raise, above lower")
                    : cat("below ", explanation.band->raise_below, " replicas raise, above ",
                          explanation.band->lower_above, " lower"));
  parts.push_back(guards_part(explanation));
  if (AccountPart others = other_values_part(explanation); !others.rows.empty()) parts.push_back(std::move(others));
  say("replicas", cat(observation.spec_replicas, " -> ", decision.replicas, "  (", observation.ready_replicas, " of ",
                      observation.spec_replicas, " were Ready)"));
  return parts;
}

}  // namespace mpca::report
