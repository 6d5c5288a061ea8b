#include "report/vegeta_report.h"

#include <cmath>

#include "core/text.h"
#include "core/time.h"

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
      block = VegetaPhase{};
      block.phase = ++report.blocks;
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
  // Go writes the micro sign; what went through an editor or a keyboard may have the Greek letter.
  constexpr std::string_view kGreekMu = "\u03BC";
  std::string go_text(text);
  if (const std::size_t at = go_text.find(kGreekMu); at != std::string::npos) go_text.replace(at, kGreekMu.size(), "u");
  const auto duration = parse_duration(go_text);
  if (!duration) return std::nullopt;
  return static_cast<double>(duration->count()) / 1e6;
}

}  // namespace mpca::report
