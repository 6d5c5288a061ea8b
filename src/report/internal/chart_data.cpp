#include "report/internal/chart_data.h"

#include <array>
#include <cmath>
#include <cstddef>

#include "core/text.h"
#include "report/internal/html_text.h"

namespace mpca::report::internal {
namespace {

std::string rounded(double value, int decimals) {
  if (!std::isfinite(value)) return "";
  std::string text = fixed(value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

template <class Item>
std::string run_lengths(std::size_t size, const Item& item) {
  std::string packed_text;
  for (std::size_t i = 0; i < size;) {
    const std::string value = item(i);
    std::size_t end = i + 1;
    while (end < size && item(end) == value) ++end;
    if (i > 0) packed_text += ",";
    packed_text += value;
    if (end - i > 1) packed_text += cat("*", end - i);
    i = end;
  }
  return packed_text;
}

// Four significant digits are more than a chart shows, and a third of the bytes.
int decimals_for(std::span<const double> values) {
  double largest = 0.0;
  for (double value : values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  return largest >= 1000.0 ? 0 : largest >= 100.0 ? 1 : largest >= 10.0 ? 2 : 3;
}

std::string panel_json(const ChartPanel& panel, const Comparison& comparison) {
  std::string json = cat("{\"key\":", json_string(panel.key), ",\"label\":", json_string(panel.label),
                         ",\"short\":", json_string(panel.short_label), ",\"unit\":", json_string(panel.unit),
                         ",\"decimals\":", panel.decimals, ",\"height\":", panel.height_px,
                         ",\"perPolicy\":", panel.series ? "true" : "false");
  if (panel.shows_target) json += cat(",\"target\":", comparison.target_utilization * panel.shown_factor);
  return json + "}";
}

std::string trace_json(const TraceComparison& trace) {
  std::string json = cat("{\"name\":", json_string(trace.name), ",\"step\":", trace.step_s, ",\"time\":\"",
                         packed_differences(trace.time_s), "\",\"series\":{");
  std::string asked_for;
  bool first = true;
  for (const ChartPanel& panel : chart_panels()) {
    if (!first) json += ",";
    first = false;
    json += cat("\"", panel.key, "\":[");
    if (!panel.series) {
      json += cat("\"", packed(trace.demand_rps, panel.shown_factor, decimals_for(trace.demand_rps)), "\"");
    } else {
      for (std::size_t i = 0; i < trace.runs.size(); ++i)
        json +=
            cat(i > 0 ? "," : "", "\"", packed(trace.runs[i].*panel.series, panel.shown_factor, panel.decimals), "\"");
    }
    json += "]";
    if (!panel.asked_for) continue;
    asked_for += cat(asked_for.empty() ? "" : ",", "\"", panel.key, "\":[");
    for (std::size_t i = 0; i < trace.runs.size(); ++i) {
      const PolicyRun& run = trace.runs[i];
      const bool differs = run.*panel.asked_for != run.*panel.series;
      asked_for += i > 0 ? "," : "";
      asked_for += differs ? cat("\"", packed(run.*panel.asked_for, panel.shown_factor, panel.decimals), "\"")
                           : std::string("null");
    }
    asked_for += "]";
  }
  return json + cat("},\"askedFor\":{", asked_for, "}}");
}

}  // namespace

std::span<const ChartPanel> chart_panels() {
  static constexpr std::array kPanels = {
      ChartPanel{"demand", "Demand", "demand", "requests/s", 1.0, 1, 130, false, nullptr, nullptr},
      ChartPanel{"replicas", "Ready replicas", "ready", "replicas", 1.0, 0, 190, false, &PolicyRun::ready_replicas,
                 &PolicyRun::spec_replicas},
      ChartPanel{"utilization", "Utilization", "util. %", "%", 100.0, 1, 190, true, &PolicyRun::utilization, nullptr},
      ChartPanel{"backlog", "Backlog", "backlog", "requests", 1.0, 0, 140, false, &PolicyRun::backlog_requests,
                 nullptr},
  };
  return kPanels;
}

std::string packed(std::span<const double> values, double factor, int decimals) {
  return run_lengths(values.size(), [&](std::size_t i) { return rounded(values[i] * factor, decimals); });
}

std::string packed_differences(std::span<const double> values) {
  return run_lengths(values.size(),
                     [&](std::size_t i) { return rounded(i == 0 ? values[0] : values[i] - values[i - 1], 6); });
}

std::string chart_data_json(const Comparison& comparison) {
  std::string json = "{\"policies\":[";
  if (!comparison.traces.empty()) {
    for (std::size_t i = 0; i < comparison.traces.front().runs.size(); ++i)
      json += cat(i > 0 ? "," : "", json_string(comparison.traces.front().runs[i].policy));
  }
  json += "],\"panels\":[";
  bool first = true;
  for (const ChartPanel& panel : chart_panels()) {
    json += (first ? "" : ",") + panel_json(panel, comparison);
    first = false;
  }
  json += "],\"traces\":[";
  for (std::size_t i = 0; i < comparison.traces.size(); ++i)
    json += (i > 0 ? "," : "") + trace_json(comparison.traces[i]);
  return json + "]}";
}

}  // namespace mpca::report::internal
