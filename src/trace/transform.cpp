#include "trace/transform.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "core/stats.h"
#include "core/text.h"

namespace mpca::trace {
namespace {

constexpr std::int64_t kMostSteps = 100'000'000;

std::int64_t points_of(const DemandTrace& trace) { return static_cast<std::int64_t>(trace.demand_rps.size()); }

Duration end_of(const DemandTrace& trace) { return trace.start + points_of(trace) * trace.step; }

// What each of `parts` equal pieces of step `i` has under straight lines through the middles of the steps.
void refine_linearly(const std::vector<double>& demand, std::size_t i, std::int64_t parts, std::vector<double>& out) {
  const double here = demand[i];
  const double before = i == 0 ? here : demand[i - 1];
  const double after = i + 1 == demand.size() ? here : demand[i + 1];
  const std::size_t begin = out.size();
  double sum = 0.0;
  for (std::int64_t k = 0; k < parts; ++k) {
    const double from_middle = (static_cast<double>(k) + 0.5) / static_cast<double>(parts) - 0.5;
    const double neighbour = from_middle < 0.0 ? before : after;
    out.push_back(here + std::abs(from_middle) * (neighbour - here));
    sum += out.back();
  }
  const double keep = sum > 0.0 ? here * static_cast<double>(parts) / sum : 0.0;
  for (std::size_t k = begin; k < out.size(); ++k) out[k] *= keep;
}

double poisson(double mean, RandomStream& random) {
  // Above the border exp(-mean) comes near the smallest doubles' precision and the loop gets long.
  constexpr double kNormalFrom = 60.0;
  if (mean >= kNormalFrom) return std::max(0.0, std::floor(mean + std::sqrt(mean) * random.normal() + 0.5));
  // Knuth (1969), The Art of Computer Programming, volume 2, 3.4.1: multiply uniforms until they pass exp(-mean).
  const double limit = std::exp(-mean);
  double product = random.uniform();
  double count = 0.0;
  while (product > limit) {
    product *= random.uniform();
    count += 1.0;
  }
  return count;
}

}  // namespace

Result<DemandTrace> scale(DemandTrace trace, double factor) {
  if (!std::isfinite(factor) || factor < 0.0) return invalid(cat("the scale is ", factor, "; must be >= 0"));
  for (std::size_t i = 0; i < trace.demand_rps.size(); ++i) {
    trace.demand_rps[i] *= factor;
    if (!std::isfinite(trace.demand_rps[i])) {
      return invalid(cat("step ", i, " times ", factor, " is too large a number; use a smaller scale"));
    }
  }
  return trace;
}

Result<DemandTrace> crop(const DemandTrace& trace, Duration from, Duration to) {
  DemandTrace cropped{.name = trace.name, .start = {}, .step = trace.step, .demand_rps = {}, .phase_idx = {}};
  for (std::size_t i = 0; i < trace.demand_rps.size(); ++i) {
    const Duration begin = trace.start + static_cast<std::int64_t>(i) * trace.step;
    if (begin < from) continue;
    if (begin + trace.step > to) break;
    if (cropped.demand_rps.empty()) cropped.start = begin;
    cropped.demand_rps.push_back(trace.demand_rps[i]);
    if (!trace.phase_idx.empty()) cropped.phase_idx.push_back(trace.phase_idx[i]);
  }
  if (cropped.demand_rps.empty()) {
    return invalid(cat("no whole step of ", format_duration(trace.step), " lies within [", format_duration(from), ", ",
                       format_duration(to), "); the trace covers [", format_duration(trace.start), ", ",
                       format_duration(end_of(trace)), ")"));
  }
  return cropped;
}

Result<DemandTrace> concatenate(std::span<const DemandTrace> traces) {
  if (traces.empty()) return invalid("nothing to concatenate");
  DemandTrace all = traces[0];
  bool with_phases = true;
  for (const DemandTrace& trace : traces) {
    if (trace.step != all.step) {
      return invalid(cat(trace.name, " has a step of ", format_duration(trace.step), ", ", all.name, " of ",
                         format_duration(all.step), "; resample to one step first"));
    }
    with_phases = with_phases && !trace.phase_idx.empty();
  }
  for (const DemandTrace& trace : traces.subspan(1)) {
    all.demand_rps.insert(all.demand_rps.end(), trace.demand_rps.begin(), trace.demand_rps.end());
    all.phase_idx.insert(all.phase_idx.end(), trace.phase_idx.begin(), trace.phase_idx.end());
  }
  if (!with_phases) all.phase_idx.clear();
  return all;
}

Result<DemandTrace> resample(const DemandTrace& trace, Duration step, Refine refine) {
  if (step <= Duration::zero()) return invalid("the new step must be > 0");
  if (step == trace.step) return trace;
  const std::int64_t old_ns = trace.step.count();
  const std::int64_t new_ns = step.count();
  const bool linear = refine == Refine::linear && new_ns < old_ns;
  if (linear && old_ns % new_ns != 0) {
    return invalid(cat("linear refinement needs a step that divides ", format_duration(trace.step), "; ",
                       format_duration(step), " does not"));
  }
  const double new_steps =
      std::ceil(static_cast<double>(points_of(trace)) * static_cast<double>(old_ns) / static_cast<double>(new_ns));
  if (new_steps > static_cast<double>(kMostSteps)) {
    return invalid(cat("a step of ", format_duration(step), " makes more than ", kMostSteps, " steps"));
  }

  DemandTrace resampled{.name = trace.name, .start = trace.start, .step = step, .demand_rps = {}, .phase_idx = {}};
  resampled.demand_rps.reserve(static_cast<std::size_t>(new_steps));
  const std::int64_t old_points = points_of(trace);
  const auto demand = [&](std::int64_t i) { return trace.demand_rps[static_cast<std::size_t>(i)]; };
  if (linear) {
    for (std::size_t i = 0; i < trace.demand_rps.size(); ++i) {
      refine_linearly(trace.demand_rps, i, old_ns / new_ns, resampled.demand_rps);
    }
  }
  // `old` is the old step in which the new one begins, `offset_ns` how far into it.
  std::int64_t old = 0;
  std::int64_t offset_ns = 0;
  while (old < old_points) {
    if (!trace.phase_idx.empty()) resampled.phase_idx.push_back(trace.phase_idx[static_cast<std::size_t>(old)]);
    double mean_rps = 0.0;
    std::int64_t left_ns = new_ns;
    const bool within_one = left_ns <= old_ns - offset_ns;
    const double only = demand(old);
    while (left_ns > 0 && old < old_points) {
      const std::int64_t taken_ns = std::min(left_ns, old_ns - offset_ns);
      mean_rps += demand(old) * (static_cast<double>(taken_ns) / static_cast<double>(new_ns));
      left_ns -= taken_ns;
      offset_ns += taken_ns;
      if (offset_ns == old_ns) {
        offset_ns = 0;
        ++old;
      }
    }
    // A step within one old step has its value to the bit.
    if (!linear) resampled.demand_rps.push_back(within_one ? only : mean_rps);
  }
  return resampled;
}

Result<DemandTrace> add_noise(DemandTrace trace, const Noise& noise, RandomStream& random) {
  if (!std::isfinite(noise.relative) || noise.relative < 0.0) {
    return invalid(cat("the relative noise is ", noise.relative, "; must be >= 0"));
  }
  const double step_s = to_seconds(trace.step);
  for (double& demand_rps : trace.demand_rps) {
    if (noise.relative > 0.0) demand_rps = std::max(0.0, demand_rps * (1.0 + noise.relative * random.normal()));
    if (noise.poisson) demand_rps = poisson(demand_rps * step_s, random) / step_s;
  }
  return trace;
}

double total_requests(const DemandTrace& trace) {
  double sum_rps = 0.0;
  for (const double demand_rps : trace.demand_rps) sum_rps += demand_rps;
  return sum_rps * to_seconds(trace.step);
}

TraceInfo info(const DemandTrace& trace) {
  std::vector<double> demand = trace.demand_rps;
  TraceInfo info{.points = points_of(trace),
                 .step = trace.step,
                 .start = trace.start,
                 .duration = points_of(trace) * trace.step,
                 .mean_rps = mean(demand),
                 .total_requests = total_requests(trace),
                 .phases = static_cast<int>(std::set<int>(trace.phase_idx.begin(), trace.phase_idx.end()).size())};
  if (demand.empty()) return info;
  info.min_rps = *std::min_element(demand.begin(), demand.end());
  info.max_rps = *std::max_element(demand.begin(), demand.end());
  info.p50_rps = quantile_linear(demand, 0.50);
  info.p99_rps = quantile_linear(demand, 0.99);
  return info;
}

}  // namespace mpca::trace
