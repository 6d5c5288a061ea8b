// Traces made from traces. Each function leaves its input alone and says in its errors what to do instead.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/random.h"
#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"

namespace mpca::trace {

/// Every value times `factor` (finite, >= 0).
///   errors   invalid_argument  a bad factor, or a product that is not finite
Result<DemandTrace> scale(DemandTrace trace, double factor);

/// The steps that lie wholly within [from, to) of the trace's own time. They keep their times, so that a crop can be
/// found again in its source.
///   errors   invalid_argument  nothing lies within (the message says what the trace covers)
Result<DemandTrace> crop(const DemandTrace& trace, Duration from, Duration to);

/// One after the other, without a hole; the first one's start and name. Phases stay when every trace has them.
///   traces   n >= 1 with equal steps
///   errors   invalid_argument  no trace, different steps (resample first)
Result<DemandTrace> concatenate(std::span<const DemandTrace> traces);

enum class Refine {
  repeat,  // a finer step has the value of the step that it lies in
  linear,  // straight lines between the middles of the steps, scaled within each so that it keeps its requests
};

/// The same requests in steps of another length: each new step has the time-weighted mean of what it covers. A last
/// step that reaches past the end counts nothing there, so that the number of requests stays the same (to rounding). A
/// new step belongs to the phase in which it begins.
///   refine   matters only when the new step is shorter; `linear` then needs a step that divides the old one
///   errors   invalid_argument  a step that is not positive, more than 100 million steps, linear with another step
Result<DemandTrace> resample(const DemandTrace& trace, Duration step, Refine refine = Refine::repeat);

struct Noise {
  double relative = 0.0;  // standard deviation of each value as a share of it, >= 0; values below 0 become 0
  bool poisson = false;   // whole requests per step: a Poisson number with the step's demand as its mean
};

/// Draws in step order: first the relative noise, then the Poisson number. The same stream gives the same trace.
///   errors   invalid_argument  a negative or non-finite `relative`
///   cost     O(n), Poisson O(1) per step on average: exact below a mean of 60 requests, above it the rounded normal
///            distribution of the same mean and variance
Result<DemandTrace> add_noise(DemandTrace trace, const Noise& noise, RandomStream& random);

/// The sum of demand times step.
double total_requests(const DemandTrace& trace);

/// What a trace looks like, for people.
struct TraceInfo {
  std::int64_t points = 0;
  Duration step{};
  Duration start{};
  Duration duration{};  // points times step
  double min_rps = 0.0;
  double mean_rps = 0.0;
  double p50_rps = 0.0;
  double p99_rps = 0.0;
  double max_rps = 0.0;
  double total_requests = 0.0;
  int phases = 0;  // different ones; 0 when the trace has none
};

TraceInfo info(const DemandTrace& trace);

}  // namespace mpca::trace
