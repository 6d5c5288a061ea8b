#include "report/tune_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/text.h"
#include "policy/label.h"
#include "report/internal/backtest_summary.h"
#include "report/internal/text_columns.h"
#include "report/internal/words.h"

namespace mpca::report {
namespace {

using internal::Cells;
using internal::laid_out;
using internal::printable;
using internal::words_of_duration;
using internal::words_of_percent;
using internal::words_of_violations;

std::string words_of_kind(std::string_view kind) {
  if (kind == "today") return "today's rule";
  if (kind == "hpa") return "the tuned HPA";
  if (kind == "reactive") return "the tuned reactive rule";
  return std::string(kind);
}

std::string short_name(std::string_view kind) {
  if (kind == "hpa") return "HPA, tuned";
  if (kind == "reactive") return "reactive, tuned";
  return std::string(kind);
}

/// ` (95 % interval 8.0% to 12.4%)`; of what it costs more where nothing is saved.
std::string interval_words(const Interval& saving) {
  if (!saving.low || !saving.high) return "";
  const bool is_cost = saving.value < 0.0;
  return cat(" (95 % interval ", words_of_percent(is_cost ? -*saving.high : *saving.low), " to ",
             words_of_percent(is_cost ? -*saving.low : *saving.high), ")");
}

bool is_about_share(const TuneReport& report) { return report.late_share > 0.0; }

std::string bill_name(const TuneReport& report) { return is_about_share(report) ? "cost" : "bill"; }

/// `saves 9.1% of today's bill (…)`, `costs 3.0% more than today (…)`
std::string saving_words(const TuneReport& report, const Interval& saving) {
  const std::string interval = interval_words(saving);
  if (saving.value < 0.0) return cat("costs ", words_of_percent(-saving.value), " more than today", interval);
  return cat("saves ", words_of_percent(saving.value), " of today's ", bill_name(report), interval);
}

const TuneRule* find_rule(const TuneReport& report, std::string_view kind) {
  const auto found =
      std::find_if(report.rules.begin(), report.rules.end(), [&](const TuneRule& rule) { return rule.kind == kind; });
  return found == report.rules.end() ? nullptr : &*found;
}

std::string share_words(const TuneReport& report, const TuneRule& rule) {
  return cat(words_of_violations(rule.figures.violation_ratio), " late or failed, asked for ",
             words_of_violations(report.late_share), rule.keeps ? "" : ", which is missed");
}

/// What speaks against prediction.
std::string prediction_words(const TuneReport& report) {
  const TuneRule* predictive = find_rule(report, "predictive");
  if (predictive == nullptr) return "";
  const TuneRule& simple = report.rules[report.best_simple];
  const Interval& saving = report.predictive_saving;
  if (is_about_share(report) && simple.keeps && !predictive->keeps)
    return cat("Prediction does not pay here: ", share_words(report, *predictive), ".");
  if (saving.value >= kWorthIt)
    return cat("That prediction pays cannot be shown here: against ", words_of_kind(simple.kind), " it saves ",
               words_of_percent(saving.value), ", but the blocks differ too much", interval_words(saving), ".");
  return cat("Prediction does not pay here: against ", words_of_kind(simple.kind), " it ",
             saving.value < 0.0 ? cat("costs ", words_of_percent(-saving.value), " more")
                                : cat("saves ", words_of_percent(saving.value)),
             interval_words(saving), ".");
}

/// The fields of a HorizontalPodAutoscaler.
std::string manifest(const HpaFields& fields) {
  std::string text;
  if (fields.average_utilization)
    text +=
        cat("  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target: {type: Utilization, "
            "averageUtilization: ",
            *fields.average_utilization, "}\n");
  return cat(text, "  behavior:\n    scaleDown: {stabilizationWindowSeconds: ", fields.scale_down_window_s, "}\n");
}

std::string verdict_text(const TuneReport& report) {
  const TuneRule& rule = report.rules[report.chosen];
  const TuneRule* hpa = find_rule(report, "hpa");
  switch (report.verdict) {
    case TuneVerdict::use_predictive: {
      std::string text =
          cat("Use predictive: it ", saving_words(report, rule.saving), ".\n\n  ", printable(rule.policy), "\n");
      const TuneRule& simple = report.rules[report.best_simple];
      const Interval& saving = report.predictive_saving;
      if (simple.kind == "today") return text;
      text += cat("\nAgainst ", words_of_kind(simple.kind), ", the best without prediction, it saves ",
                  words_of_percent(saving.value), interval_words(saving), ".\n");
      if (saving.low.value_or(0.0) < kWorthIt)
        text += cat("That is a narrow call: ", printable(policy::label_of(simple.policy)), " alone ",
                    saving_words(report, simple.saving), ".\n");
      return text;
    }
    case TuneVerdict::use_reactive: {
      std::string text = cat(prediction_words(report), "\nUse the reactive rule: it ",
                             saving_words(report, rule.saving), ".\n\n  ", printable(rule.policy), "\n");
      if (hpa != nullptr && hpa->hpa && hpa->saving.value > 0.0)
        text +=
            cat("\nIf it has to be an HPA, this one ", saving_words(report, hpa->saving), ":\n\n", manifest(*hpa->hpa));
      return text;
    }
    case TuneVerdict::use_hpa:
      return cat(prediction_words(report), "\nUse the HPA like this: it ", saving_words(report, rule.saving), ".\n\n",
                 rule.hpa ? manifest(*rule.hpa) : cat("  ", printable(rule.policy), "\n"));
    case TuneVerdict::keep_present:
      return cat(prediction_words(report), "\nKeep what you have: nothing is surely better by ",
                 words_of_percent(kWorthIt), " or more.\n\n  ", printable(rule.policy), "\n");
    case TuneVerdict::too_short:
      break;
  }
  return "";
}

std::string saving_cell(const TuneRule& rule) {
  if (rule.kind == "today") return "";
  if (!rule.saving.low || !rule.saving.high) return words_of_percent(rule.saving.value);
  return cat(words_of_percent(rule.saving.value), " [", words_of_percent(*rule.saving.low), ", ",
             words_of_percent(*rule.saving.high), "]");
}

Cells figures_row(std::string name, const TuneFigures& figures, std::string saving, std::string settings) {
  return {std::move(name),
          fixed(figures.bill, 2),
          std::move(saving),
          fixed(figures.mean_replicas, 1),
          words_of_violations(figures.violation_ratio),
          fixed(figures.churn_per_hour, figures.churn_per_hour < 9.95 ? 1 : 0),
          std::move(settings)};
}

std::string rules_table(const TuneReport& report) {
  constexpr std::size_t kSettings = 6;
  std::vector<Cells> rows = {{"", bill_name(report), "saved", "pods", "late", "changes/h", "settings"}};
  for (const TuneRule& rule : report.rules)
    rows.push_back(
        figures_row(short_name(rule.kind), rule.figures, saving_cell(rule), printable(policy::label_of(rule.policy))));
  if (report.foresight)
    rows.push_back(figures_row("foresight", *report.foresight,
                               report.foresight_saving ? words_of_percent(*report.foresight_saving) : "",
                               "knows all rates to come: no rule saves more"));
  std::string text = "\n" + laid_out(rows, 1, kSettings);
  text += is_about_share(report)
              ? cat("  cost: what is paid, of the least that serving takes, at ",
                    words_of_violations(report.late_share), " late or failed; saved: of today's, 95 % interval\n")
              : cat("  bill: what is paid, of the least that serving takes, plus ", shortest(report.late_price),
                    " times the share that is late or fails; saved: of today's, 95 % interval\n");
  return text;
}

std::string blocks_table(const TuneReport& report) {
  std::vector<Cells> rows = {{"saved in block"}};
  for (int block = 1; block <= report.folds; ++block) rows[0].push_back(cat(block));
  rows[0].emplace_back("same settings chosen");
  for (const TuneRule& rule : report.rules) {
    if (rule.kind == "today") continue;
    Cells& row = rows.emplace_back(Cells{short_name(rule.kind)});
    for (const TuneBlock& block : rule.blocks) row.push_back(block.saving ? words_of_percent(*block.saving) : "n/a");
    row.push_back(cat(rule.same_choice, " of ", report.folds, ", from ", rule.settings));
  }
  return cat("\nHow sure: ", report.folds, " blocks of ", words_of_duration(report.trace.seconds / report.folds), ", ",
             report.seeds, report.seeds == 1 ? " seed" : " seeds",
             "; each block is judged with the settings that were best on the others.\nEvery rule starts without memory "
             "in block 1.\n",
             laid_out(rows, 1, rows[0].size() - 1));
}

std::string played_text(const TuneReport& report) {
  const double seconds = report.trace.seconds;
  std::string text = cat(printable(report.trace.name), ": ");
  text += seconds < 0.99 * report.recorded_seconds
              ? cat("the first ", words_of_duration(seconds), " of ", words_of_duration(report.recorded_seconds),
                    " (--set longest-play=… plays more)")
              : words_of_duration(seconds);
  if (const double speed = internal::speed_up(report.trace); speed > 1.0001)
    text += cat(", ", shortest(std::round(speed * 100.0) / 100.0),
                " times as fast as recorded (--preset standard-native plays it as it was)");
  const double scale = report.trace.scale;
  if (std::abs(scale - 1.0) > 1e-6)
    text += cat("; rates times ", shortest(std::stod(fixed(scale, scale < 10 ? 3 : 0))),
                " (--capacity N plays them as they are)");
  return text + "\n";
}

}  // namespace

std::string to_string(TuneVerdict verdict) {
  switch (verdict) {
    case TuneVerdict::use_predictive:
      return "use-predictive";
    case TuneVerdict::use_reactive:
      return "use-reactive";
    case TuneVerdict::use_hpa:
      return "use-hpa";
    case TuneVerdict::keep_present:
      return "keep-present";
    case TuneVerdict::too_short:
      break;
  }
  return "too-short";
}

std::string to_text(const TuneReport& report) {
  if (report.verdict == TuneVerdict::too_short)
    return cat("Too short to tell: ", words_of_duration(report.trace.seconds), " of history; ",
               words_of_duration(report.needed_seconds), " are needed (two hours, and ten dead times for each of ",
               report.folds,
               " blocks).\npredictive learns from its first minute on; what it would save "
               "here cannot be said yet.\n\n",
               played_text(report));
  return verdict_text(report) + rules_table(report) + blocks_table(report) + "\n" + played_text(report);
}

}  // namespace mpca::report
