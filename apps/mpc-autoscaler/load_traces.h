// The trace files of a command that takes several.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "trace/demand_trace.h"

namespace mpca::app {

/// The same files, with a folder replaced by the files in it, in the order of their names; hidden ones are left out.
///   errors   io  a folder that cannot be read; invalid_argument  one without files
Result<std::vector<std::string>> trace_files(const std::vector<std::string>& paths);

/// Every trace, or every reason why not.
Result<std::vector<trace::DemandTrace>> load_traces(const std::vector<std::string>& paths, const std::stop_token& stop);

}  // namespace mpca::app
