#include "mpc-autoscaler/load_traces.h"

#include "config/trace_files.h"

namespace mpca::app {

Result<std::vector<trace::DemandTrace>> load_traces(const std::vector<std::string>& paths,
                                                    const std::stop_token& stop) {
  std::vector<trace::DemandTrace> traces;
  Problems problems;
  config::LoadOptions load;
  load.stop = stop;
  for (const std::string& path : paths) {
    auto trace = config::load_trace(path, load);
    if (trace) {
      traces.push_back(*std::move(trace));
    } else if (trace.error().code == ErrorCode::interrupted) {
      return std::unexpected(trace.error());
    } else {
      problems.add(trace.error().message);
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  return traces;
}

}  // namespace mpca::app
