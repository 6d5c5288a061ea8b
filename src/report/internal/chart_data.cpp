#include "report/internal/chart_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "core/text.h"
#include "report/internal/decision_data.h"
#include "report/internal/html_text.h"
#include "report/internal/measured_figures.h"

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
  if (panel.is_logarithmic) json += ",\"log\":true";
  if (!panel.choice.empty())
    json += cat(",\"choice\":", json_string(panel.choice), ",\"chosen\":", panel.is_chosen ? "true" : "false");
  if (panel.shows_target) json += cat(",\"target\":", comparison.target_utilization * panel.shown_factor);
  return json + "}";
}

std::string trace_json(const TraceComparison& trace, const std::vector<const ChartPanel*>& panels,
                       DecisionPacker& decisions) {
  std::string json = cat("{\"name\":", json_string(trace.name), ",\"step\":", trace.step_s, ",\"time\":\"",
                         packed_differences(trace.time_s), "\",\"series\":{");
  std::string asked_for;
  bool first = true;
  for (const ChartPanel* shown : panels) {
    const ChartPanel& panel = *shown;
    if (!first) json += ",";
    first = false;
    json += cat("\"", panel.key, "\":[");
    if (!panel.series) {
      json += cat("\"", packed(trace.demand_rps, panel.shown_factor, decimals_for(trace.demand_rps)), "\"");
    } else {
      for (std::size_t i = 0; i < trace.runs.size(); ++i)
        json += cat(i > 0 ? "," : "", "\"",
                    packed(panel.series(trace, trace.runs[i]), panel.shown_factor, panel.decimals), "\"");
    }
    json += "]";
    if (!panel.asked_for) continue;
    asked_for += cat(asked_for.empty() ? "" : ",", "\"", panel.key, "\":[");
    for (std::size_t i = 0; i < trace.runs.size(); ++i) {
      const std::vector<double> values = panel.asked_for(trace, trace.runs[i]);
      const bool differs = values != panel.series(trace, trace.runs[i]);
      asked_for += i > 0 ? "," : "";
      asked_for += differs ? cat("\"", packed(values, panel.shown_factor, panel.decimals), "\"") : std::string("null");
    }
    asked_for += "]";
  }
  std::string told;
  for (const PolicyRun& run : trace.runs) told += cat(told.empty() ? "" : ",", decisions.packed(run.decisions));
  return json + cat("},\"askedFor\":{", asked_for, "},\"decisions\":[", told, "]}");
}

}  // namespace

std::span<const ChartPanel> chart_panels() {
  using T = const TraceComparison&;
  using R = const PolicyRun&;
  using V = std::vector<double>;
  static constexpr std::array kPanels = {
      ChartPanel{"demand", "Demand", "demand", "requests/s", 1.0, 1, 130, false, nullptr, nullptr},
      ChartPanel{"latency_p50", "Latency", "p50 ms", "ms", 1.0, 1, 190, false,
                 [](T, R run) -> V { return run.measured ? run.measured->latency_p50_ms : V(); }, nullptr, true, "p50"},
      ChartPanel{"latency_p95", "Latency", "p95 ms", "ms", 1.0, 1, 190, false,
                 [](T, R run) -> V { return run.measured ? run.measured->latency_p95_ms : V(); }, nullptr, true, "p95",
                 true},
      ChartPanel{"latency_p99", "Latency", "p99 ms", "ms", 1.0, 1, 190, false,
                 [](T, R run) -> V { return run.measured ? run.measured->latency_p99_ms : V(); }, nullptr, true, "p99"},
      ChartPanel{"failed",
                 "Failed requests",
                 "failed %",
                 "%",
                 100.0,
                 1,
                 100,
                 false,
                 &failed_over_time,
                 nullptr,
                 false,
                 {},
                 false,
                 true},
      ChartPanel{"replicas", "Ready replicas", "ready", "replicas", 1.0, 0, 190, false,
                 [](T, R run) -> V { return run.ready_replicas; }, [](T, R run) -> V { return run.spec_replicas; }},
      ChartPanel{"utilization", "Utilization", "util. %", "%", 100.0, 1, 190, true,
                 [](T, R run) -> V { return run.utilization; }, nullptr},
      ChartPanel{"backlog", "Backlog", "backlog", "requests", 1.0, 0, 140, false,
                 [](T, R run) -> V { return run.backlog_requests; }, nullptr},
  };
  return kPanels;
}

std::vector<const ChartPanel*> chart_panels_of(const Comparison& comparison) {
  const auto has_something = [&](const ChartPanel& panel) {
    if (!panel.series) return true;
    for (const TraceComparison& trace : comparison.traces) {
      for (const PolicyRun& run : trace.runs) {
        const std::vector<double> values = panel.series(trace, run);
        if (!panel.needs_a_value && !values.empty()) return true;
        if (std::any_of(values.begin(), values.end(), [](double value) { return value > 0.0; })) return true;
      }
    }
    return false;
  };
  std::vector<const ChartPanel*> panels;
  for (const ChartPanel& panel : chart_panels())
    if (has_something(panel)) panels.push_back(&panel);
  return panels;
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
  const std::vector<const ChartPanel*> panels = chart_panels_of(comparison);
  for (std::size_t i = 0; i < panels.size(); ++i) json += (i > 0 ? "," : "") + panel_json(*panels[i], comparison);
  DecisionPacker decisions;
  bool is_measured = false;
  for (const TraceComparison& trace : comparison.traces)
    for (const PolicyRun& run : trace.runs) is_measured |= run.measured.has_value();
  json += cat("],\"measured\":", is_measured ? "true" : "false", ",\"traces\":[");
  for (std::size_t i = 0; i < comparison.traces.size(); ++i)
    json += (i > 0 ? "," : "") + trace_json(comparison.traces[i], panels, decisions);
  return json + cat("],\"phrases\":", decisions.phrases_json(), "}");
}

}  // namespace mpca::report::internal
