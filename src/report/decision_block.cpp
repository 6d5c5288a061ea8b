#include "report/decision_block.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "core/time.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using policy::Explanation;

constexpr std::size_t kLabelWidth = 12;
constexpr double kBarWidth = 30.0;

std::string padded(std::string_view text, std::size_t width) {
  return cat(text, std::string(text.size() < width ? width - text.size() : 0, ' '));
}
std::string right(std::string_view text, std::size_t width) {
  return cat(std::string(text.size() < width ? width - text.size() : 0, ' '), text);
}

std::string line(std::string_view label, std::string_view words) {
  return cat(padded(label, kLabelWidth), words, "\n");
}

/// `share` of `width` characters, to an eighth of one, and blanks behind it.
std::string bar(double share, double width) {
  static constexpr std::array<std::string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(8.0 * width * std::clamp(share, 0.0, 1.0)));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  text += kParts[eighths % 8];
  const std::size_t used = eighths / 8 + (eighths % 8 != 0 ? 1 : 0);
  return text + std::string(static_cast<std::size_t>(width) - std::min(used, static_cast<std::size_t>(width)), ' ');
}

/// `12 s`, `4.5 s`.
std::string seconds_words(double seconds) {
  return seconds < 10.0 ? cat(shortest(std::round(10.0 * seconds) / 10.0), " s")
                        : internal::words_of_duration(std::round(seconds));
}

std::string percent(double share) { return cat(fixed(100.0 * share, 0), " %"); }

/// The parts of the dead time with their confidences; nothing without a dead time.
std::string dead_time_lines(const Explanation& explanation, const policy::Workload& workload) {
  const auto dead_time = named_value(explanation, "dead_time_s");
  const auto age = named_value(explanation, "metric_age_s"), lag = named_value(explanation, "readiness_lag_late_s");
  if (!dead_time) return "";
  std::string text =
      line("dead time", cat(seconds_words(*dead_time), ", from a change of demand until pods ordered for it serve"));
  if (!age || !lag) return text;
  const auto part = [&](std::string_view name, double value, std::string_view confidence) {
    const auto known = named_value(explanation, confidence);
    text += line("", cat(padded(name, 28), right(seconds_words(value), 8),
                         known ? cat("   ", percent(*known), " of it measured") : std::string()));
  };
  part("age of metrics", *age, "metric_age_confidence");
  part("80 % of pods are Ready by", *lag, "readiness_lag_confidence");
  part("control period", to_seconds(workload.period), "");
  return text;
}

std::string forecast_lines(const Explanation& explanation, double capacity_rps) {
  if (explanation.forecast.empty()) return "";
  const bool is_fan = std::any_of(explanation.forecast.begin(), explanation.forecast.end(),
                                  [](const policy::ForecastPoint& point) { return point.level != 0.5; });
  double greatest = 0.0;
  for (const policy::ForecastPoint& point : explanation.forecast) greatest = std::max(greatest, point.demand_rps);
  std::string text = line("forecast", is_fan ? cat("the greatest demand within ",
                                                   seconds_words(to_seconds(explanation.forecast.front().lead_time)),
                                                   " is at most, with probability")
                                             : std::string("demand after"));
  for (const policy::ForecastPoint& point : explanation.forecast) {
    const std::string name = is_fan ? shortest(point.level) : format_duration(point.lead_time);
    text += line("", cat(padded(name, 8), bar(greatest > 0.0 ? point.demand_rps / greatest : 0.0, kBarWidth),
                         right(fixed(point.demand_rps, 1), 9), " rps",
                         right(fixed(point.demand_rps / capacity_rps, 1), 7), " replicas"));
  }
  return text;
}

std::string candidate_lines(const Explanation& explanation) {
  if (explanation.candidates.empty()) return "";
  const auto price = named_value(explanation, "late_price");
  std::size_t width = 0;
  for (const policy::CandidateVote& vote : explanation.candidates) width = std::max(width, vote.name.size());
  constexpr double kWeightWidth = 12.0;
  std::string text =
      line("candidates", cat(padded("", width), "  weight", std::string(12, ' '), right("asks", 6), right("cost", 8),
                             right("late", 9), price ? right("bill", 8) : std::string()));
  double heard = 0.0;
  for (const policy::CandidateVote& vote : explanation.candidates) {
    heard += vote.weight;
    text += line("", cat(padded(vote.name, width), "  ", bar(vote.weight, kWeightWidth), right(percent(vote.weight), 6),
                         right(shortest(vote.replicas), 6), right(fixed(vote.cost, 3), 8),
                         right(cat(fixed(100.0 * vote.late_share, 2), " %"), 9),
                         price ? right(fixed(vote.cost + *price * vote.late_share, 3), 8) : std::string()));
  }
  text += line("", cat("the others ", percent(std::max(1.0 - heard, 0.0)),
                       "; cost, late and bill: what each would have paid per replica kept busy"));
  return text;
}

std::string other_values(const Explanation& explanation) {
  static constexpr std::array<std::string_view, 9> kShown = {
      "dead_time_s",          "metric_age_s",        "metric_age_confidence",
      "readiness_lag_late_s", "readiness_lag_s",     "readiness_lag_confidence",
      "capacity_rps",         "capacity_confidence", "late_price"};
  std::string text;
  for (const policy::NamedValue& value : explanation.values) {
    if (std::find(kShown.begin(), kShown.end(), value.name) != kShown.end()) continue;
    text +=
        line(text.empty() ? "values" : "", cat(padded(value.name, 28), shortest(std::round(1e4 * value.value) / 1e4)));
  }
  return text;
}

}  // namespace

double known_capacity_rps(const Explanation& explanation, const policy::Workload& workload) {
  const double capacity = named_value(explanation, "capacity_rps").value_or(workload.capacity_rps);
  return capacity > 0.0 ? capacity : workload.capacity_rps;
}

std::string decision_block(const runlog::DecisionRecord& record, const policy::Workload& workload) {
  const Explanation& explanation = record.decision.explanation;
  const double capacity = known_capacity_rps(explanation, workload);
  std::string text;
  if (explanation.demand_rps)
    text +=
        line("demand", cat(fixed(*explanation.demand_rps, 1), " rps, ", fixed(*explanation.demand_rps / capacity, 1),
                           " replicas' worth; known from: ", explanation.demand_source));
  if (const auto confidence = named_value(explanation, "capacity_confidence"))
    text += line("capacity", cat(fixed(capacity, 1), " rps a replica, ", percent(*confidence), " of it measured"));
  text += dead_time_lines(explanation, workload);
  text += forecast_lines(explanation, capacity);
  if (!explanation.rule.empty()) text += line("rule", explanation.rule);
  if (!explanation.status.empty()) text += line("status", explanation.status);
  text += candidate_lines(explanation);
  if (explanation.recommendation) text += line("wanted", cat(fixed(*explanation.recommendation, 2), " replicas"));
  if (explanation.band)
    text += line("band", explanation.band->raise_below == explanation.band->lower_above
                             ? cat(explanation.band->raise_below, " replicas: below raise, above lower")
                             : cat("below ", explanation.band->raise_below, " replicas raise, above ",
                                   explanation.band->lower_above, " lower"));
  for (const policy::GuardStep& step : explanation.guards)
    text += line(&step == &explanation.guards.front() ? "guards" : "",
                 cat(padded(step.guard, 28), step.before, " -> ", step.after));
  if (explanation.guards.empty()) text += line("guards", "none changed anything");
  text += other_values(explanation);
  const policy::Observation& seen = record.observation;
  return text + line("replicas", cat(seen.spec_replicas, " -> ", record.decision.replicas, "  (", seen.ready_replicas,
                                     " of ", seen.spec_replicas, " were Ready)"));
}

}  // namespace mpca::report
