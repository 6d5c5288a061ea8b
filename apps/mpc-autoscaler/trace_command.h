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
  const std::string text = trace::trace_csv(trace);
  if (path != "-") return write_result(path, text);
  context.out << text;
  return {};
}

/// Where to say that a trace was written: not in the middle of the trace itself.
inline std::ostream& talk(const std::string& out_path, Context& context) {
  return out_path == "-" ? context.err : context.out;
}

/// The sentence that these commands end with: `saved x.csv (80 points, dt=15s)`.
inline void say_saved(const std::string& path, std::int64_t points, Duration step, Context& context) {
  talk(path, context) << "saved " << path << " (" << points << " points, dt=" << shortest(to_seconds(step)) << "s)\n";
}
inline void say_saved(const trace::DemandTrace& trace, const std::string& path, Context& context) {
  say_saved(path, static_cast<std::int64_t>(trace.demand_rps.size()), trace.step, context);
}

}  // namespace mpca::app
