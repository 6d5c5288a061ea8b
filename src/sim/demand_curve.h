// Demand as a function of continuous time, from a trace of means over steps.
#pragma once

#include <cstdint>
#include <vector>

#include "trace/demand_trace.h"

namespace mpca::sim {

enum class Interpolation {
  held,    // constant within a step: what a trace of phases means
  linear,  // a straight line between the middles of steps, constant before the first and after the last
};

/// The mean arrival rate over each whole second of the trace, from its first step on; `length / 1 s` values, the last
/// partial second left out.
std::vector<double> rate_per_second(const trace::DemandTrace& trace, Interpolation interpolation);

}  // namespace mpca::sim
