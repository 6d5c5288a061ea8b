#include "report/backtest_json.h"

#include <cmath>
#include <cstddef>
#include <map>
#include <string_view>

#include "core/text.h"
#include "report/internal/backtest_summary.h"
#include "report/internal/html_text.h"

namespace mpca::report {
namespace {

using internal::json_string;

constexpr double kRegretPrice = 10.0;

std::string number(std::optional<double> value) {
  return value && std::isfinite(*value) ? shortest(*value) : std::string("null");
}

std::string interval(const std::optional<Interval>& figure) {
  if (!figure || !figure->low || !figure->high) return "null";
  return cat("[", number(figure->low), ",", number(figure->high), "]");
}

std::optional<double> value_of(const std::optional<Interval>& figure) {
  return figure ? std::optional<double>(figure->value) : std::nullopt;
}

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += cat(text.empty() ? "" : ",", number(value));
  return cat("[", text, "]");
}

std::string row_json(const BacktestRow& row, std::optional<double> regret) {
  return cat("{\"trace\":", json_string(row.trace), ",\"policy\":", json_string(row.policy), ",\"seed\":", row.seed,
             ",\"replica_seconds\":", number(row.whole.replica_seconds),
             ",\"relative_cost\":", number(row.relative_cost()), ",\"violation_ratio\":", number(row.violation_ratio()),
             ",\"p95_ms\":", number(row.p95_ms), ",\"p99_ms\":", number(row.p99_ms), ",\"churn\":", number(row.churn),
             ",\"regret\":", number(regret), ",\"pods_started\":", number(row.pods_started),
             ",\"slack_ratio\":", number(row.slack_ratio), "}");
}

std::string bill_json(const Bill& bill) {
  return cat(json_string(shortest(bill.price)), ":{\"policy\":", number(bill.policy),
             ",\"hpa_hindsight\":", number(bill.hpa_hindsight), ",\"hpa_first_half\":", number(bill.hpa_first_half),
             ",\"hpa60\":", number(bill.hpa60), ",\"clairvoyant\":", number(bill.clairvoyant),
             ",\"policy_second_half\":", number(bill.policy_second_half), "}");
}

std::string comparison_json(const LevelComparison& one) {
  std::string bills;
  for (const Bill& bill : one.bills) bills += cat(bills.empty() ? "" : ",", bill_json(bill));
  return cat("{\"trace\":", json_string(one.trace), ",\"violation_ratio\":", number(one.violation_ratio),
             ",\"policy_name\":", json_string(one.policy), ",\"policy_cost\":", number(one.policy_cost),
             ",\"hpa_hindsight_cost\":", number(one.hpa_hindsight_cost),
             ",\"hpa_first_half_cost\":", number(one.hpa_first_half_cost),
             ",\"policy_second_half_cost\":", number(one.policy_second_half_cost),
             ",\"clairvoyant_cost\":", number(one.clairvoyant_cost),
             ",\"saving_hindsight\":", number(value_of(one.saving_hindsight)),
             ",\"saving_hindsight_interval\":", interval(one.saving_hindsight),
             ",\"saving_first_half\":", number(value_of(one.saving_first_half)),
             ",\"saving_first_half_interval\":", interval(one.saving_first_half),
             ",\"gap_closed\":", number(one.gap_closed), ",\"bill\":{", bills, "}}");
}

std::string trace_json(const PlayedTrace& trace) {
  return cat("{\"name\":", json_string(trace.name), ",\"file\":", json_string(trace.file),
             ",\"file_step_s\":", number(trace.file_step_s), ",\"played_step_s\":", number(trace.played_step_s),
             ",\"seconds\":", number(trace.seconds), ",\"scale\":", number(trace.scale),
             ",\"held\":", trace.is_held ? "true" : "false", "}");
}

template <class Item, class Write>
std::string lines(const std::vector<Item>& items, const Write& write) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) text += cat(i > 0 ? ",\n" : "\n", write(items[i], i));
  return cat("[", text, items.empty() ? "]" : "\n]");
}

}  // namespace

std::vector<std::optional<double>> regrets(const BacktestReport& report) {
  const auto bill = [](const BacktestRow& row) { return row.relative_cost() + kRegretPrice * row.violation_ratio(); };
  std::map<std::pair<std::string_view, std::uint64_t>, double> least;
  for (const BacktestRow& row : report.rows) {
    if (!internal::is_clairvoyant(row.policy)) continue;
    const auto [found, is_new] = least.try_emplace({row.trace, row.seed}, bill(row));
    if (!is_new) found->second = std::min(found->second, bill(row));
  }
  std::vector<std::optional<double>> regrets;
  for (const BacktestRow& row : report.rows) {
    const auto found = least.find({row.trace, row.seed});
    regrets.push_back(found == least.end() ? std::nullopt : std::optional(bill(row) - found->second));
  }
  return regrets;
}

std::string to_json(const BacktestReport& report) {
  const std::vector<std::optional<double>> regret = regrets(report);
  std::string configuration;
  for (const auto& [name, value] : report.configuration)
    configuration += cat(configuration.empty() ? "" : ",", json_string(name), ":", json_string(value));
  return cat(
      "{\"format\":\"mpca-backtest-1\",\"preset\":", json_string(report.preset),
      ",\n\"world\":", json_string(report.world), ",\"seeds\":", report.seeds,
      ",\"capacity_rps\":", number(report.capacity_rps), ",\"latency_target_ms\":", number(report.latency_target_ms),
      ",\"violation_levels\":", list(report.violation_levels), ",\"prices\":", list(report.prices),
      ",\"version\":", json_string(report.version), ",\"command\":", json_string(report.command),
      ",\n\"configuration\":{", configuration,
      "},\n\"traces\":", lines(report.traces, [](const PlayedTrace& trace, std::size_t) { return trace_json(trace); }),
      ",\n\"comparison\":",
      lines(report.comparisons, [](const LevelComparison& one, std::size_t) { return comparison_json(one); }),
      ",\n\"rows\":",
      lines(report.rows, [&](const BacktestRow& row, std::size_t i) { return row_json(row, regret[i]); }), "}\n");
}

}  // namespace mpca::report
