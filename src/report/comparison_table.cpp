#include "report/comparison_table.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/csv.h"
#include "core/text.h"
#include "report/internal/measured_figures.h"
#include "report/internal/text_columns.h"
#include "report/verdict.h"

namespace mpca::report {
namespace {

using internal::padded_left;
using internal::padded_right;
using internal::printable;
using internal::trimmed_line;
using internal::width;

struct TextRow {
  std::string label;
  std::vector<std::string> values;
};

std::vector<RunMetrics> metrics_of(const TraceComparison& trace) {
  std::vector<RunMetrics> runs;
  for (const PolicyRun& run : trace.runs) runs.push_back(run.metrics);
  return runs;
}

std::string label_with_unit(const MetricRow& metric) {
  return metric.unit == "replicas" || metric.unit == "requests" || metric.unit.empty()
             ? std::string(metric.label)
             : cat(metric.label, " [", metric.unit, "]");
}

std::string marked(const std::string& value, bool is_best) { return value + (is_best ? " *" : "  "); }

std::vector<TextRow> metric_rows(const TraceComparison& trace) {
  const std::vector<RunMetrics> runs = metrics_of(trace);
  std::vector<TextRow> rows;
  for (const MetricRow* metric : compared_rows(runs)) {
    TextRow& row = rows.emplace_back(label_with_unit(*metric));
    const std::vector<bool> best = best_of(*metric, runs);
    for (std::size_t i = 0; i < runs.size(); ++i) row.values.push_back(marked(shown_value(*metric, runs[i]), best[i]));
  }
  return rows;
}

std::vector<TextRow> phase_rows(const TraceComparison& trace) {
  std::vector<TextRow> rows;
  for (std::size_t i = 0; i < internal::phases_of(trace); ++i) {
    const std::vector<const MeasuredPhase*> phases = internal::phase_of_runs(trace, i);
    TextRow& row = rows.emplace_back(internal::words_of_phase(trace, i));
    const std::vector<bool> best = internal::best_of_phase(internal::PhaseFigure::latency_p95, phases);
    for (std::size_t run = 0; run < phases.size(); ++run) {
      using enum internal::PhaseFigure;
      const MeasuredPhase* phase = phases[run];
      row.values.push_back(marked(
          !phase ? "n/a"
                 : cat(internal::shown_figure(latency_p95, *phase), " / ", internal::shown_figure(latency_p99, *phase),
                       phase->failed > 0 ? cat(", ", internal::shown_figure(failed, *phase), " failed") : ""),
          best[run]));
    }
  }
  return rows;
}

std::vector<TextRow> repeated_rows(const std::vector<RepeatedRuns>& repeated) {
  std::vector<TextRow> rows;
  for (const MetricRow* metric : internal::repeated_rows(repeated)) {
    TextRow& row = rows.emplace_back(label_with_unit(*metric));
    const std::vector<bool> best = internal::best_repeated(*metric, repeated);
    for (std::size_t i = 0; i < repeated.size(); ++i)
      row.values.push_back(marked(internal::shown_repeated(*metric, repeated[i]), best[i]));
  }
  return rows;
}

std::string aligned(const std::string& corner, const std::vector<std::string>& names,
                    const std::vector<TextRow>& rows) {
  constexpr std::size_t kGap = 2;
  std::size_t label_columns = 0;
  for (const TextRow& row : rows) label_columns = std::max(label_columns, width(row.label));
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t& wide = columns.emplace_back(width(names[i]) + 2);
    for (const TextRow& row : rows) wide = std::max(wide, width(row.values[i]));
  }
  std::string header = padded_right(printable(corner), label_columns);
  for (std::size_t i = 0; i < names.size(); ++i) header += padded_left(printable(names[i] + "  "), columns[i] + kGap);
  std::string text = trimmed_line(header);
  for (const TextRow& row : rows) {
    std::string line = padded_right(row.label, label_columns);
    for (std::size_t i = 0; i < row.values.size(); ++i) line += padded_left(row.values[i], columns[i] + kGap);
    text += trimmed_line(line);
  }
  return text + "\n";
}

std::string cautions_text(const TraceComparison& trace) {
  std::string text;
  for (const PolicyRun& run : trace.runs) {
    if (!run.measured) continue;
    for (const std::string& caution : run.measured->cautions)
      text += cat("CAUTION, ", printable(run.policy), ": ", printable(caution), "\n");
  }
  return text;
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::string text;
  for (const std::string& note : comparison.notes) text += cat("Note: ", printable(note), "\n");
  if (!comparison.notes.empty()) text += "\n";
  if (!comparison.repeated.empty()) {
    std::vector<std::string> names;
    for (const RepeatedRuns& repeated : comparison.repeated) names.push_back(repeated.policy);
    text += cat("Medians of ", comparison.repeated.front().repeats, " repeats, with the lowest and the highest\n\n");
    text += aligned("repeats", names, repeated_rows(comparison.repeated));
  }
  for (const TraceComparison& trace : comparison.traces) {
    std::vector<std::string> names;
    for (const PolicyRun& run : trace.runs) names.push_back(run.policy);
    text += printable(verdict_of(trace, comparison.target_utilization).sentence) + "\n";
    text += cautions_text(trace);
    if (!trace.note.empty()) text += cat("(", printable(trace.note), ")\n");
    text += "\n" + aligned(trace.name, names, metric_rows(trace));
    if (internal::phases_of(trace) > 0) text += aligned("p95 / p99 by phase", names, phase_rows(trace));
  }
  if (comparison.traces.size() > 1) {
    const Verdict verdict = overall_verdict(comparison);
    text += printable(verdict.sentence) + "\n";
    if (comparison.repeated.empty()) return text;
    for (const std::string& detail : verdict.details) text += printable(detail) + "\n";
  }
  return text;
}

std::string summary_csv(const Comparison& comparison) {
  std::vector<RunMetrics> all;
  for (const TraceComparison& trace : comparison.traces)
    for (const PolicyRun& run : trace.runs) all.push_back(run.metrics);
  const std::vector<const MetricRow*> rows = filed_rows(all);
  std::string csv = "trace,policy";
  for (const MetricRow* metric : rows) csv += cat(",", metric->key);
  csv += "\n";
  for (const TraceComparison& trace : comparison.traces) {
    for (const PolicyRun& run : trace.runs) {
      csv += cat(csv_field(trace.name), ",", csv_field(run.policy));
      for (const MetricRow* metric : rows) {
        const auto value = metric->value(run.metrics);
        csv += ",";
        if (value) csv += shortest(*value);
      }
      csv += "\n";
    }
  }
  return csv;
}

}  // namespace mpca::report
