// The packaged traces of the reference lab's three scenarios: where they are, and reading them as the lab does.
#pragma once

#include <string>

#include "core/result.h"
#include "trace/demand_trace.h"

namespace mpca::app {

/// data/traces beside the current directory, else beside the program's source or install tree.
std::string packaged_trace_dir();

/// `DIR/baseline_SCENARIO_profile_dt15.csv`, with the lab's manners.
Result<trace::DemandTrace> load_lab_trace(const std::string& directory, const std::string& scenario);

}  // namespace mpca::app
