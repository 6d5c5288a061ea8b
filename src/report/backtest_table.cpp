#include "report/backtest_table.h"

#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.h"
#include "report/backtest_json.h"
#include "report/internal/backtest_summary.h"
#include "report/internal/csv_row.h"
#include "report/internal/text_columns.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using internal::Cells;
using internal::laid_out;
using internal::printable;
using internal::words_of_level;
using internal::words_of_percent;

std::string cost(const std::optional<double>& value) { return value ? fixed(*value, 3) : std::string("not reached"); }

std::string share(const std::optional<double>& value) { return value ? words_of_percent(*value) : std::string("n/a"); }

std::string saving(const std::optional<Interval>& figure) {
  if (!figure) return "n/a";
  if (!figure->low || !figure->high) return words_of_percent(figure->value);
  return cat(words_of_percent(figure->value), " [", words_of_percent(*figure->low), ", ",
             words_of_percent(*figure->high), "]");
}

std::string bill(const std::optional<double>& value) { return value ? fixed(*value, 3) : std::string("n/a"); }

constexpr std::pair<const char*, std::optional<double> Bill::*> kBillColumns[] = {
    {"policy", &Bill::policy},
    {"HPA hindsight", &Bill::hpa_hindsight},
    {"hpa60", &Bill::hpa60},
    {"clairvoyant", &Bill::clairvoyant},
    {"2nd half", &Bill::policy_second_half},
    {"HPA of 1st half", &Bill::hpa_first_half}};

Cells bill_head() {
  Cells head = {"J(P)", "policy"};
  for (const auto& [name, part] : kBillColumns)
    head.push_back(std::string_view(name) == "policy" ? "best member" : name);
  return head;
}

Cells bill_cells(const std::string& family, const Bill& of) {
  Cells cells = {cat("P=", shortest(of.price)), printable(family)};
  for (const auto& [name, part] : kBillColumns) cells.push_back(bill(of.*part));
  return cells;
}

std::string trace_head(const BacktestReport& report, std::size_t index) {
  const PlayedTrace& trace = report.traces[index];
  std::string line = cat(printable(trace.name), ": ", internal::words_of_duration(trace.seconds), " played");
  if (const double speed = internal::speed_up(trace); speed > 1.0001)
    line += cat(", ", shortest(std::round(speed * 100.0) / 100.0), " times as fast as recorded");
  if (index < report.fronts.size()) {
    for (const Front& front : report.fronts[index]) {
      for (const FrontPoint& point : front.points) {
        if (!internal::is_hpa60(point.policy)) continue;
        return cat(line, "; HPA of 60% costs ", fixed(point.relative_cost, 3), " at ",
                   internal::words_of_violations(point.violation_ratio), " violations\n");
      }
    }
  }
  return line + "\n";
}

std::string trace_text(const BacktestReport& report, std::size_t index) {
  const PlayedTrace& trace = report.traces[index];
  std::vector<Cells> costs = {{"violations", "policy", "cost", "HPA hindsight", "clairvoyant", "saving", "gap closed",
                               "2nd half", "HPA of 1st half", "saving"}};
  std::vector<Cells> bills = {bill_head()};
  for (const double level : report.violation_levels) {
    for (const LevelComparison& one : report.comparisons) {
      if (one.trace != trace.name || one.violation_ratio != level) continue;
      costs.push_back({words_of_level(level), printable(one.policy), cost(one.policy_cost),
                       cost(one.hpa_hindsight_cost), cost(one.clairvoyant_cost), saving(one.saving_hindsight),
                       share(one.gap_closed), bill(one.policy_second_half_cost), bill(one.hpa_first_half_cost),
                       saving(one.saving_first_half)});
      if (level != report.violation_levels.front()) continue;
      for (const Bill& of : one.bills) bills.push_back(bill_cells(one.policy, of));
    }
  }
  std::string text = "\n" + trace_head(report, index);
  if (costs.size() == 1) return text + "  nothing to compare with\n";
  text += laid_out(costs, 2);
  if (bills.size() > 1) text += "\n" + laid_out(bills, 2);
  return text;
}

std::string medians(const BacktestReport& report, const std::vector<std::string>& compared) {
  std::vector<Cells> rows = {
      {"violations", "policy", "cost", "saving", "worst", "gap closed", "vs 1st half", "traces"}};
  std::vector<Cells> bills = {bill_head()};
  for (const double level : report.violation_levels) {
    for (const std::string& family : compared) {
      const internal::LevelSummary one = internal::level_summary(report, family, level);
      rows.push_back(
          {words_of_level(level), printable(family), cost(one.policy_cost), share(one.saving),
           one.worst_saving ? cat(words_of_percent(*one.worst_saving), " ", printable(one.worst_trace)) : "n/a",
           share(one.gap_closed), share(one.saving_first_half), cat(one.savings.size(), " of ", one.traces)});
    }
  }
  for (const std::string& family : compared)
    for (const double price : report.prices)
      bills.push_back(bill_cells(family, internal::median_bill(report, family, price)));
  return cat("\nMedians over ", report.traces.size(), " traces\n", laid_out(rows, 2), "\n", laid_out(bills, 2));
}

}  // namespace

std::string to_text(const BacktestReport& report) {
  const internal::BacktestVerdict verdict = internal::verdict_of(report);
  const std::vector<std::string> compared = internal::compared_families(report);
  std::string text = printable(verdict.sentence) + ".\n";
  for (const std::string& detail : verdict.details) text += cat("  ", printable(detail), "\n");
  for (std::size_t i = 0; i < report.traces.size(); ++i) text += trace_text(report, i);
  if (report.traces.size() > 1 && !compared.empty()) text += medians(report, compared);
  return text;
}

std::string rows_csv(const BacktestReport& report) {
  std::string csv =
      "trace,policy,seed,replica_seconds,demand_replica_seconds,relative_cost,violation_ratio,requests,late,failed,p95_"
      "ms,"
      "p99_ms,churn,pods_started,slack_ratio,regret,cost_first_half,violation_ratio_first_half,cost_second_half,"
      "violation_ratio_second_half\n";
  const std::vector<std::optional<double>> regret = regrets(report);
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const BacktestRow& row = report.rows[i];
    csv += internal::csv_row({row.trace,
                              row.policy,
                              cat(row.seed),
                              shortest(row.whole.replica_seconds),
                              shortest(row.demand_replica_seconds),
                              shortest(row.relative_cost()),
                              shortest(row.violation_ratio()),
                              shortest(row.whole.requests),
                              shortest(row.whole.late),
                              shortest(row.whole.failed),
                              shortest(row.p95_ms),
                              shortest(row.p99_ms),
                              shortest(row.churn),
                              shortest(row.pods_started),
                              shortest(row.slack_ratio),
                              regret[i] ? shortest(*regret[i]) : std::string(),
                              shortest(row.half_cost(0)),
                              shortest(row.half_violation_ratio(0)),
                              shortest(row.half_cost(1)),
                              shortest(row.half_violation_ratio(1))});
  }
  return csv;
}

}  // namespace mpca::report
