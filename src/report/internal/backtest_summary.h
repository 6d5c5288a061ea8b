// A backtest over all its traces: medians, and what they come to in one sentence.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/backtest.h"

namespace mpca::report::internal {

/// By its text: the opponents and the floor, each with its own place in pages and tables.
bool is_clairvoyant(std::string_view policy);
bool is_hpa(std::string_view policy);
/// The HPA that people run: target 60 %, stabilization 300 s.
bool is_hpa60(std::string_view policy);

/// The numbers of colour, dashes and marker of each family. HPA and clairvoyant have the same on every page.
std::vector<std::size_t> slots_of(const std::vector<std::string>& families);

/// Families in the order of the fronts, or of the comparisons where there are none.
std::vector<std::string> families_of(const BacktestReport& report);

/// Families that were compared, in the order in which they come.
std::vector<std::string> compared_families(const BacktestReport& report);

/// Whether there is an HPA to compare with at all.
bool has_hpa(const BacktestReport& report);

/// nullopt of nothing.
std::optional<double> median(std::vector<double> values);

/// One family at one violation level, over the traces where it and the HPA get there.
struct LevelSummary {
  std::string family;
  double violation_ratio = 0.0;
  std::vector<double> savings;        // against the HPA in hindsight; one per such trace, in the order of traces
  std::vector<double> first_savings;  // against the HPA of the first half
  std::optional<double> saving;       // medians
  std::optional<double> saving_first_half;
  std::optional<double> gap_closed;
  std::optional<double> policy_cost;  // over all traces where the family gets there, HPA or not
  std::optional<double> worst_saving;
  std::string worst_trace;
  std::size_t reached = 0;      // traces where the family gets there
  std::size_t hpa_reached = 0;  // traces where the HPA gets there
  std::size_t traces = 0;
};
LevelSummary level_summary(const BacktestReport& report, std::string_view family, double violation_ratio);

/// Medians over the traces of J at one price; the family's own and its opponents'.
Bill median_bill(const BacktestReport& report, std::string_view family, double price);

/// The level nearest to 1 %, on which the verdict is; nullopt without levels.
std::optional<double> main_level(const BacktestReport& report);

struct BacktestVerdict {
  std::string sentence;
  std::vector<std::string> details;
};
/// Of the family with the greatest median saving among those that get to the main level on the most traces.
BacktestVerdict verdict_of(const BacktestReport& report);

/// `9.1%`, `−2.3%`: with a decimal below 100 %.
std::string words_of_percent(double share);

/// `1%`, `0.3%`
std::string words_of_level(double violation_ratio);

/// `0`, `0.42%`, `under 0.01%`: two significant digits where there is room.
std::string words_of_violations(double violation_ratio);

/// At how many times its own speed a file was played.
double speed_up(const PlayedTrace& trace);

/// Whether a trace is too short for halves (docs/METHODOLOGY.md: two hours).
bool is_too_short_for_halves(const PlayedTrace* trace);

const PlayedTrace* find_trace(const BacktestReport& report, std::string_view name);

}  // namespace mpca::report::internal
