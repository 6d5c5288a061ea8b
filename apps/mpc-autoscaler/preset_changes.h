// The `--set` of commands that take a preset.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"

namespace mpca::app {

/// `readiness-lag=@lags.txt` with the lags of the file; others as they are.
///   errors   of the file
Result<std::vector<std::string>> with_files_read(const std::vector<std::string>& changes);

}  // namespace mpca::app
