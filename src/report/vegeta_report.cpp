#include "report/vegeta_report.h"

#include <array>
#include <cmath>
#include <utility>

#include "core/text.h"

namespace mpca::report {
namespace {

/// `Name  [label, label]  value, value`, split. Lists may differ in length; values beyond the labels have no name.
struct ReportLine {
  std::vector<std::string_view> labels;
  std::vector<std::string_view> values;

  std::string_view value_of(std::string_view label) const {
    for (std::size_t i = 0; i < labels.size() && i < values.size(); ++i) {
      if (trim(labels[i]) == label) return trim(values[i]);
    }
    return {};
  }
};

std::optional<ReportLine> line_named(std::string_view name, std::string_view line) {
  line = trim(line);
  if (!line.starts_with(name)) return std::nullopt;
  const std::string_view rest = trim(line.substr(name.size()));
  const std::size_t close = rest.find(']');
  if (!rest.starts_with('[') || close == std::string_view::npos) return std::nullopt;
  return ReportLine{split(rest.substr(1, close - 1), ','), split(rest.substr(close + 1), ',')};
}

bool is_finite_number(std::string_view text) {
  const auto value = parse_double(text);
  return value && std::isfinite(*value);
}

std::string_view if_latency(std::string_view text) { return latency_ms(text) ? text : std::string_view{}; }

bool is_complete(const VegetaPhase& phase) {
  return !phase.throughput_rps.empty() && !phase.p95.empty() && !phase.p99.empty() && !phase.max.empty() &&
         !phase.success_ratio_pct.empty();
}

bool is_digit_or_point(char c) { return (c >= '0' && c <= '9') || c == '.'; }

/// Removes one of the units from the front of `text` and returns its length in milliseconds.
std::optional<double> take_unit_ms(std::string_view& text) {
  // Two-letter units first: `m` would take the front of `ms`.
  static constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"ns", 1e-6},
                                                                                 {"us", 1e-3},
                                                                                 {"\u00B5s", 1e-3},
                                                                                 {"\u03BCs", 1e-3},
                                                                                 {"ms", 1.0},
                                                                                 {"s", 1e3},
                                                                                 {"m", 6e4},
                                                                                 {"h", 3.6e6}}};
  for (const auto& [unit, ms] : kUnits) {
    if (!text.starts_with(unit)) continue;
    text.remove_prefix(unit.size());
    return ms;
  }
  return std::nullopt;
}

}  // namespace

VegetaReport parse_vegeta_report(std::string_view text) {
  VegetaReport report;
  VegetaPhase block;
  const auto finish_block = [&] {
    if (is_complete(block)) report.phases.push_back(block);
  };
  for (const std::string_view line : split(text, '\n')) {
    if (const auto requests = line_named("Requests", line)) {
      finish_block();
      block = {.phase = ++report.blocks};
      const std::string_view throughput = requests->value_of("throughput");
      if (is_finite_number(throughput)) block.throughput_rps = throughput;
    } else if (report.blocks == 0) {
      continue;
    } else if (const auto latencies = line_named("Latencies", line)) {
      block.p95 = if_latency(latencies->value_of("95"));
      block.p99 = if_latency(latencies->value_of("99"));
      block.max = if_latency(latencies->value_of("max"));
    } else if (const auto success = line_named("Success", line)) {
      std::string_view ratio = success->value_of("ratio");
      if (!ratio.ends_with('%')) continue;
      ratio = trim(ratio.substr(0, ratio.size() - 1));
      if (is_finite_number(ratio)) block.success_ratio_pct = ratio;
    }
  }
  finish_block();
  return report;
}

std::optional<double> latency_ms(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  double sum_ms = 0.0;
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit_or_point(text[digits])) ++digits;
    const auto number = parse_double(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto unit_ms = take_unit_ms(text);
    if (!number || !unit_ms) return std::nullopt;
    sum_ms += *number * *unit_ms;
  }
  return std::isfinite(sum_ms) ? std::optional(sum_ms) : std::nullopt;
}

}  // namespace mpca::report
