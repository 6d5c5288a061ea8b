// The text that `vegeta report` prints, one block per phase of an experiment, as the reference lab collects it:
//
//   Requests      [total, rate, throughput]         6000, 20.00, 19.99
//   Duration      [total, attack, wait]             5m0s, 5m0s, 21.4ms
//   Latencies     [min, mean, 50, 90, 95, 99, max]  20.1ms, 23.4ms, 23.2ms, 25.8ms, 26.6ms, 31ms, 90.2ms
//   Success       [ratio]                           100.00%
//
// Values are found by the label above them, so further columns and lines do no harm. Latencies stay text in summaries,
// as printed, because rounding them again would lose what a reader compares. github.com/tsenart/vegeta,
// lib/reporters.go, NewTextReporter.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mpca::report {

/// One complete block. All texts as printed, the ratio without its `%`.
struct VegetaPhase {
  int phase = 0;  // from 1; counts blocks that were skipped, so phases keep their number
  std::string throughput_rps;
  std::string p95;
  std::string p99;
  std::string max;
  std::string success_ratio_pct;
  bool operator==(const VegetaPhase&) const = default;
};

struct VegetaReport {
  std::vector<VegetaPhase> phases;
  int blocks = 0;  // `Requests` lines, whether their block is complete or not
};

/// A block begins at each `Requests` line. Blocks without a readable throughput, p95, p99, max and ratio are skipped
/// and counted. Any bytes are accepted: text that is no report gives no phases.
///
///   cost     one pass; allocates what it returns
VegetaReport parse_vegeta_report(std::string_view text);

/// A duration as Go prints it, in milliseconds: `25.3ms`, `600µs` (or `us`, or with the Greek letter), `1.2s`,
/// `1m2.5s`, `1h0m3s`, `0s`. nullopt for anything else.
std::optional<double> latency_ms(std::string_view text);

}  // namespace mpca::report
