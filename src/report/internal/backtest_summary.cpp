#include "report/internal/backtest_summary.h"

#include <algorithm>
#include <cmath>

#include "core/stats.h"
#include "core/text.h"
#include "report/internal/words.h"

namespace mpca::report::internal {
namespace {

bool names_kind(std::string_view policy, std::string_view kind) {
  return policy.starts_with(kind) && (policy.size() == kind.size() || policy[kind.size()] == ':');
}

std::string of_traces(std::size_t count, std::size_t all) {
  if (count == all) return all == 1 ? "on the one trace" : cat("median of ", all, " traces");
  return count == 1 ? cat("on one trace of ", all) : cat("median of ", count, " traces of ", all);
}

// `saves 9.1%`, `costs 2.3% more`
std::string saves(double saving) {
  if (std::abs(saving) < 0.0005) return "costs the same";
  return saving > 0.0 ? cat("saves ", words_of_percent(saving)) : cat("costs ", words_of_percent(-saving), " more");
}

void add(std::vector<double>& values, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) values.push_back(*value);
}

bool is_same_level(double a, double b) { return std::abs(a - b) <= 1e-12 + 1e-9 * std::abs(b); }

}  // namespace

bool is_clairvoyant(std::string_view policy) { return names_kind(policy, "clairvoyant"); }
bool is_hpa(std::string_view policy) { return names_kind(policy, "hpa"); }
bool is_hpa60(std::string_view policy) {
  return policy == "hpa:target=60,stabilization=300s" || policy == "hpa:stabilization=300s,target=60" ||
         policy == "hpa:target=60";
}

std::vector<std::size_t> slots_of(const std::vector<std::string>& families) {
  constexpr std::size_t kHpa = 1, kClairvoyant = 5;  // orange; grey
  std::vector<std::size_t> slots;
  std::size_t next = 0;
  bool has_hpa = false;
  for (const std::string& family : families) {
    if (is_clairvoyant(family)) {
      slots.push_back(kClairvoyant);
    } else if (is_hpa(family) && !std::exchange(has_hpa, true)) {
      slots.push_back(kHpa);
    } else {
      while (next % 8 == kHpa || next % 8 == kClairvoyant) ++next;
      slots.push_back(next++);
    }
  }
  return slots;
}

std::vector<std::string> compared_families(const BacktestReport& report) {
  std::vector<std::string> families;
  for (const LevelComparison& one : report.comparisons)
    if (std::find(families.begin(), families.end(), one.policy) == families.end()) families.push_back(one.policy);
  return families;
}

std::vector<std::string> families_of(const BacktestReport& report) {
  std::vector<std::string> families;
  for (const std::vector<Front>& fronts : report.fronts)
    for (const Front& front : fronts)
      if (std::find(families.begin(), families.end(), front.family) == families.end()) families.push_back(front.family);
  for (const std::string& family : compared_families(report))
    if (std::find(families.begin(), families.end(), family) == families.end()) families.push_back(family);
  return families;
}

bool has_hpa(const BacktestReport& report) {
  const std::vector<std::string> families = families_of(report);
  return std::any_of(families.begin(), families.end(), is_hpa) ||
         std::any_of(report.comparisons.begin(), report.comparisons.end(),
                     [](const LevelComparison& one) { return one.hpa_hindsight_cost || one.hpa_first_half_cost; });
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return quantile_linear(values, 0.5);
}

LevelSummary level_summary(const BacktestReport& report, std::string_view family, double violation_ratio) {
  LevelSummary summary;
  summary.family = family;
  summary.violation_ratio = violation_ratio;
  std::vector<double> gaps, costs;
  for (const LevelComparison& one : report.comparisons) {
    if (one.policy != family || !is_same_level(one.violation_ratio, violation_ratio)) continue;
    ++summary.traces;
    summary.reached += one.policy_cost.has_value();
    summary.hpa_reached += one.hpa_hindsight_cost.has_value();
    add(costs, one.policy_cost);
    add(gaps, one.gap_closed);
    if (one.saving_first_half) add(summary.first_savings, one.saving_first_half->value);
    if (!one.saving_hindsight) continue;
    add(summary.savings, one.saving_hindsight->value);
    if (!summary.worst_saving || one.saving_hindsight->value < *summary.worst_saving) {
      summary.worst_saving = one.saving_hindsight->value;
      summary.worst_trace = one.trace;
    }
  }
  summary.saving = median(summary.savings);
  summary.saving_first_half = median(summary.first_savings);
  summary.gap_closed = median(gaps);
  summary.policy_cost = median(costs);
  return summary;
}

Bill median_bill(const BacktestReport& report, std::string_view family, double price) {
  constexpr std::optional<double> Bill::* kParts[] = {&Bill::policy, &Bill::hpa_hindsight,      &Bill::hpa_first_half,
                                                      &Bill::hpa60,  &Bill::policy_second_half, &Bill::clairvoyant};
  Bill bill;
  bill.price = price;
  for (const auto part : kParts) {
    std::vector<double> values;
    std::vector<std::string_view> seen;  // each trace once: its bills are the same at each level
    for (const LevelComparison& one : report.comparisons) {
      if (one.policy != family || std::find(seen.begin(), seen.end(), one.trace) != seen.end()) continue;
      seen.push_back(one.trace);
      for (const Bill& of_trace : one.bills)
        if (is_same_level(of_trace.price, price)) add(values, of_trace.*part);
    }
    bill.*part = median(values);
  }
  return bill;
}

std::optional<double> main_level(const BacktestReport& report) {
  std::optional<double> nearest;
  const auto distance = [](double level) { return std::abs(std::log(std::max(level, 1e-12) / 0.01)); };
  for (const double level : report.violation_levels)
    if (!nearest || distance(level) < distance(*nearest)) nearest = level;
  return nearest;
}

BacktestVerdict verdict_of(const BacktestReport& report) {
  const std::optional<double> level = main_level(report);
  std::vector<LevelSummary> summaries;
  for (const std::string& family : compared_families(report))
    if (level && !is_hpa(family) && !is_clairvoyant(family)) summaries.push_back(level_summary(report, family, *level));
  if (summaries.empty()) {
    const std::vector<std::string> families = families_of(report);
    return {families.empty() ? "Nothing was compared"
                             : cat(listed(families), ": fronts of ", report.traces.size(),
                                   report.traces.size() == 1 ? " trace" : " traces", ", nothing to compare them with"),
            {}};
  }
  // Only those compare by what they save that are compared on about as many traces: one lucky trace is no victory.
  std::size_t most = 0;
  for (const LevelSummary& one : summaries) most = std::max(most, one.savings.size());
  const auto has_most = [most](const LevelSummary& one) { return 4 * one.savings.size() >= 3 * most; };
  std::stable_sort(summaries.begin(), summaries.end(), [&](const LevelSummary& a, const LevelSummary& b) {
    if (has_most(a) != has_most(b)) return has_most(a);
    if (a.savings.empty() || b.savings.empty()) {
      if (a.savings.empty() != b.savings.empty()) return b.savings.empty();
      if (a.reached != b.reached) return a.reached > b.reached;
      return a.policy_cost.value_or(INFINITY) < b.policy_cost.value_or(INFINITY);
    }
    return *a.saving > *b.saving;
  });
  const std::string at = cat(" at ", words_of_level(*level), " violations");
  BacktestVerdict verdict;
  const LevelSummary& best = summaries.front();
  if (best.saving) {
    verdict.sentence = cat(best.family, " ", saves(*best.saving), " (", of_traces(best.savings.size(), best.traces),
                           ") against the HPA tuned in hindsight", at);
  } else if (best.reached > 0) {
    verdict.sentence = cat(best.family, " pays ", fixed(*best.policy_cost, 2),
                           " times the least that serves the demand (", of_traces(best.reached, best.traces), ")", at,
                           !has_hpa(report)       ? "; no HPA to compare with"
                           : best.hpa_reached > 0 ? "; where it gets there, the HPA does not"
                                                  : "; no HPA gets there");
  } else {
    verdict.sentence = cat("No policy gets down to ", words_of_level(*level), " violations on any trace");
  }
  for (const LevelSummary& one : summaries) {
    std::string detail;
    const auto say = [&](const std::string& words) { detail += cat(detail.empty() ? "" : ", ", words); };
    if (&one != &best && one.saving) say(cat(saves(*one.saving), " (", of_traces(one.savings.size(), one.traces), ")"));
    if (one.savings.size() > 1 && one.worst_saving)
      say(cat("at worst ", saves(*one.worst_saving), " (", one.worst_trace, ")"));
    if (one.saving_first_half)
      say(cat(saves(*one.saving_first_half), " against the HPA tuned on the first half (",
              of_traces(one.first_savings.size(), one.traces), ")"));
    if (one.gap_closed && *one.gap_closed > 0.0)
      say(cat("closes ", words_of_percent(*one.gap_closed), " of the way to perfect foresight"));
    if (one.reached < one.traces)
      say(one.reached == 0 ? std::string("never gets there")
                           : cat("does not get there on ", one.traces - one.reached,
                                 one.traces - one.reached == 1 ? " trace" : " traces"));
    if (!detail.empty()) verdict.details.push_back(cat(one.family, at, ": ", detail));
  }
  if (best.saving && best.hpa_reached < best.traces)
    verdict.details.push_back(cat("No HPA of the sweep gets to ", words_of_level(*level), " on ",
                                  best.traces - best.hpa_reached,
                                  best.traces - best.hpa_reached == 1 ? " trace" : " traces"));
  return verdict;
}

std::string words_of_percent(double share) {
  const std::string digits = fixed(100.0 * std::abs(share), std::abs(share) < 0.9995 ? 1 : 0);
  return (share < 0.0 && digits != "0.0" ? "\xE2\x88\x92" : "") + digits + "%";
}

std::string words_of_level(double violation_ratio) { return shortest(std::round(violation_ratio * 1e8) / 1e6) + "%"; }

std::string words_of_violations(double violation_ratio) {
  const double percent = 100.0 * violation_ratio;
  if (!(percent > 0.0)) return "0";
  if (percent < 0.0095) return "under 0.01%";
  return fixed(percent, percent < 0.995 ? 2 : percent < 9.95 ? 1 : 0) + "%";
}

double speed_up(const PlayedTrace& trace) {
  return trace.played_step_s > 0.0 ? trace.file_step_s / trace.played_step_s : 1.0;
}

bool is_too_short_for_halves(const PlayedTrace* trace) { return trace && trace->seconds < 7200.0; }

const PlayedTrace* find_trace(const BacktestReport& report, std::string_view name) {
  for (const PlayedTrace& trace : report.traces)
    if (trace.name == name) return &trace;
  return nullptr;
}

}  // namespace mpca::report::internal
