// A backtest as text for a terminal, and its rows as CSV for other programs.
#pragma once

#include <string>

#include "report/backtest.h"

namespace mpca::report {

/// The verdict; per trace the costs at each violation level and the bills; the medians over the traces at the end.
/// About 120 columns with ordinary names, no colour, ends with a line end. What is not reached is said.
std::string to_text(const BacktestReport& report);

/// One row per run: `trace,policy,seed,…` in exact values (shortest that round-trips), an empty regret without a
/// clairvoyant, LF line ends. Halves as they are in BacktestRow.
std::string rows_csv(const BacktestReport& report);

}  // namespace mpca::report
