// The loads of experiments, from what a command was given.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "lab/batch.h"
#include "load/arrivals.h"

namespace mpca::app {

struct LoadChoice {
  std::vector<std::string> scenarios;                // step, spike, seasonality
  std::string phases{};                              // a file
  std::optional<std::vector<std::string>> traces{};  // files; none: the command takes none
  load::ArrivalKind arrivals = load::ArrivalKind::constant;
};

/// Every load, or every reason why not.
Result<std::vector<lab::LabScenario>> loads(const LoadChoice& choice, const std::stop_token& stop);

}  // namespace mpca::app
