// The plan of an experiment: phases of a constant rate, as the load generator runs them one after the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"

namespace mpca::trace {

struct Phase {
  int phase_idx = 0;
  Duration duration{};    // > 0
  double rate_rps = 0.0;  // >= 0
  bool operator==(const Phase&) const = default;
};

/// Reads `phase_idx,duration,rate_rps` (any order, further columns ignored); a duration is digits and one of s, m, h.
///   errors   invalid_argument  every bad row as `row N: …` (the header is row 1), all missing columns in one message
Result<std::vector<Phase>> parse_phases_csv(std::string_view text);

/// `phase_idx,duration,rate_rps`, which parse_phases_csv() reads back. Durations must be whole seconds.
std::string phases_csv(const std::vector<Phase>& phases);

/// max(1, round(duration / step)) steps per phase, halves to even: 37.5 is 38, 2.5 is 2. That is the lab's rule.
///   phases   n >= 1
///   errors   invalid_argument  no phase, a step that is not positive, more than 100 million steps
Result<DemandTrace> trace_from_phases(const std::vector<Phase>& phases, Duration step, std::string name);

}  // namespace mpca::trace
