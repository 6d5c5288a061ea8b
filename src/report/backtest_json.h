// What a backtest found, for other programs: `mpca-backtest-1`. Which fields: docs/METHODOLOGY.md.
#pragma once

#include <string>

#include "report/backtest.h"

namespace mpca::report {

/// JSON, a row or comparison per line. Numbers read back as the same doubles; what could not be reached or does not
/// exist (regret without a clairvoyant, intervals with one seed) is null. O(rows).
std::string to_json(const BacktestReport& report);

/// Each row's J(10) minus the least J(10) of the clairvoyant rows of its trace and seed, in the order of the rows;
/// nullopt where there are none.
std::vector<std::optional<double>> regrets(const BacktestReport& report);

}  // namespace mpca::report
