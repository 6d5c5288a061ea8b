#include "report/comparison_table.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/csv.h"
#include "core/text.h"
#include "report/verdict.h"

namespace mpca::report {
namespace {

// Columns that a text takes on a terminal: code points, which is right for all but exotic names.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded_left(const std::string& text, std::size_t columns) {
  return std::string(columns - std::min(columns, width(text)), ' ') + text;
}

std::string padded_right(const std::string& text, std::size_t columns) {
  return text + std::string(columns - std::min(columns, width(text)), ' ');
}

// Control characters in a name must not reach the terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text;
}

struct TextRow {
  std::string label;
  std::vector<std::string> values;
};

std::vector<TextRow> text_rows(const TraceComparison& trace) {
  std::vector<RunMetrics> runs;
  for (const PolicyRun& run : trace.runs) runs.push_back(run.metrics);

  std::vector<TextRow> rows;
  for (const MetricRow& metric : metric_table()) {
    if (metric.group == MetricGroup::run) continue;
    if (std::none_of(runs.begin(), runs.end(), [&](const RunMetrics& run) { return metric.value(run).has_value(); }))
      continue;
    TextRow& row = rows.emplace_back();
    row.label = metric.unit == "replicas" || metric.unit == "requests" || metric.unit.empty()
                    ? std::string(metric.label)
                    : cat(metric.label, " [", metric.unit, "]");
    const std::vector<bool> best = best_of(metric, runs);
    for (std::size_t i = 0; i < runs.size(); ++i)
      row.values.push_back(shown_value(metric, runs[i]) + (best[i] ? " *" : "  "));
  }
  return rows;
}

std::string trimmed_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  constexpr std::size_t kGap = 2;
  std::string text;
  for (const TraceComparison& trace : comparison.traces) {
    const std::vector<TextRow> rows = text_rows(trace);
    std::size_t label_columns = 0;
    for (const TextRow& row : rows) label_columns = std::max(label_columns, width(row.label));
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < trace.runs.size(); ++i) {
      std::size_t& wide = columns.emplace_back(width(trace.runs[i].policy) + 2);
      for (const TextRow& row : rows) wide = std::max(wide, width(row.values[i]));
    }

    text += printable(verdict_of(trace, comparison.target_utilization).sentence) + "\n";
    if (!trace.note.empty()) text += cat("(", printable(trace.note), ")\n");
    text += "\n";
    std::string header = padded_right(printable(trace.name), label_columns);
    for (std::size_t i = 0; i < trace.runs.size(); ++i)
      header += padded_left(printable(trace.runs[i].policy) + "  ", columns[i] + kGap);
    text += trimmed_line(header);
    for (const TextRow& row : rows) {
      std::string line = padded_right(row.label, label_columns);
      for (std::size_t i = 0; i < row.values.size(); ++i) line += padded_left(row.values[i], columns[i] + kGap);
      text += trimmed_line(line);
    }
    text += "\n";
  }
  if (comparison.traces.size() > 1) text += printable(overall_verdict(comparison).sentence) + "\n";
  return text;
}

std::string summary_csv(const Comparison& comparison) {
  std::string csv = "trace,policy";
  for (const MetricRow& metric : metric_table()) csv += cat(",", metric.key);
  csv += "\n";
  for (const TraceComparison& trace : comparison.traces) {
    for (const PolicyRun& run : trace.runs) {
      csv += cat(csv_field(trace.name), ",", csv_field(run.policy));
      for (const MetricRow& metric : metric_table()) {
        const auto value = metric.value(run.metrics);
        csv += ",";
        if (value) csv += shortest(*value);
      }
      csv += "\n";
    }
  }
  return csv;
}

}  // namespace mpca::report
