// What the trace commands share.
#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "core/result.h"
#include "core/text.h"
#include "core/time.h"
#include "mpc-autoscaler/command_result.h"
#include "trace/demand_trace.h"
#include "trace/trace_csv.h"

namespace mpca::app {

/// Writes a trace as CSV, whole or not at all; `-` is the standard output.
inline Result<void> write_trace(const trace::DemandTrace& trace, const std::string& path, Context& context) {
  return write_or_print(path, trace::trace_csv(trace), context);
}

/// The sentence that these commands end with: `saved x.csv (80 points, dt=15s)`.
inline void say_saved(const std::string& path, std::int64_t points, Duration step, Context& context) {
  talk(path, context) << "saved " << path << " (" << points << " points, dt=" << shortest(to_seconds(step)) << "s)\n";
}
inline void say_saved(const trace::DemandTrace& trace, const std::string& path, Context& context) {
  say_saved(path, static_cast<std::int64_t>(trace.demand_rps.size()), trace.step, context);
}

}  // namespace mpca::app
