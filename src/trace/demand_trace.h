// Demand over time: what users send per second, whether served or not. The input of every simulated world.
#pragma once

#include <string>
#include <vector>

#include "core/time.h"

namespace mpca::trace {

/// Equal steps; `demand_rps[i]` is the mean arrival rate over [start + i step, start + (i + 1) step).
struct DemandTrace {
  std::string name;  // for people: the file's stem, or what made it
  Duration start{};  // of the first step, from the trace's own zero
  Duration step = std::chrono::seconds(15);
  std::vector<double> demand_rps;  // n >= 1 finite values >= 0
  std::vector<int> phase_idx;      // empty, or n values >= 0: which phase of an experiment a step belongs to
  bool operator==(const DemandTrace&) const = default;
};

}  // namespace mpca::trace
