// The trace files of a command that takes several.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "trace/demand_trace.h"

namespace mpca::app {

/// Every trace, or every reason why not.
Result<std::vector<trace::DemandTrace>> load_traces(const std::vector<std::string>& paths, const std::stop_token& stop);

}  // namespace mpca::app
