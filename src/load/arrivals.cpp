#include "load/arrivals.h"

#include <algorithm>
#include <cmath>

namespace mpca::load {
namespace {

// An arrival this near to the end of a segment belongs to the next one: 0.1 rps for 10 s is one arrival, whatever the
// last bit of the product says.
constexpr double kRoundingCount = 1e-6;

double count_of(const RateSegment& segment) {
  return 0.5 * (segment.start_rps + segment.end_rps) * to_seconds(segment.length);
}

// When the rate's integral reaches `count` within the segment. The quadratic formula in the form that does not cancel,
// which is also right for a constant rate.
Duration offset_of(const RateSegment& segment, double count) {
  const double slope = (segment.end_rps - segment.start_rps) / to_seconds(segment.length);
  const double root = std::sqrt(std::max(0.0, segment.start_rps * segment.start_rps + 2.0 * slope * count));
  const double sum = segment.start_rps + root;
  if (sum <= 0.0) return {};
  return std::min(segment.length, from_seconds(2.0 * count / sum));
}

}  // namespace

ArrivalPlan plan_at_rate(double rate_rps, Duration length) { return {.segments = {{length, rate_rps, rate_rps, 0}}}; }

ArrivalPlan plan_from_phases(const std::vector<trace::Phase>& phases) {
  ArrivalPlan plan;
  for (const trace::Phase& phase : phases) {
    plan.segments.push_back({phase.duration, phase.rate_rps, phase.rate_rps, static_cast<int>(plan.segments.size())});
  }
  return plan;
}

ArrivalPlan plan_from_trace(const trace::DemandTrace& trace) {
  ArrivalPlan plan;
  const Duration first_half = trace.step / 2;
  const Duration second_half = trace.step - first_half;
  const std::size_t steps = trace.demand_rps.size();
  int phase = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    if (i > 0 && !trace.phase_idx.empty() && trace.phase_idx[i] != trace.phase_idx[i - 1]) ++phase;
    const double here_rps = trace.demand_rps[i];
    const double begin_rps = i == 0 ? here_rps : 0.5 * (trace.demand_rps[i - 1] + here_rps);
    const double end_rps = i + 1 == steps ? here_rps : 0.5 * (here_rps + trace.demand_rps[i + 1]);
    plan.segments.push_back({first_half, begin_rps, here_rps, phase});
    plan.segments.push_back({second_half, here_rps, end_rps, phase});
  }
  return plan;
}

ArrivalPlan scaled(ArrivalPlan plan, double factor) {
  for (RateSegment& segment : plan.segments) {
    segment.start_rps *= factor;
    segment.end_rps *= factor;
  }
  return plan;
}

ArrivalPlan sped_up(ArrivalPlan plan, double factor) {
  for (RateSegment& segment : plan.segments) {
    segment.length = std::max(Duration(1), from_seconds(to_seconds(segment.length) / factor));
  }
  return plan;
}

Duration length_of(const ArrivalPlan& plan) {
  Duration length{};
  for (const RateSegment& segment : plan.segments) length += segment.length;
  return length;
}

int phase_count(const ArrivalPlan& plan) { return plan.segments.empty() ? 0 : plan.segments.back().phase + 1; }

ArrivalSchedule::ArrivalSchedule(ArrivalPlan plan) : plan_(std::move(plan)), random_(plan_.seed, "arrivals") {
  if (plan_.kind == ArrivalKind::poisson) next_count_ = random_.exponential();
}

std::optional<Arrival> ArrivalSchedule::next() {
  while (segment_ < plan_.segments.size()) {
    const RateSegment& segment = plan_.segments[segment_];
    const double count = count_of(segment);
    const double into_segment = next_count_ - segment_start_count_;
    if (into_segment < count - kRoundingCount) {
      const Arrival arrival{segment_start_ + offset_of(segment, std::max(0.0, into_segment)), segment.phase};
      next_count_ += plan_.kind == ArrivalKind::poisson ? random_.exponential() : 1.0;
      return arrival;
    }
    segment_start_ += segment.length;
    segment_start_count_ += count;
    ++segment_;
  }
  return std::nullopt;
}

}  // namespace mpca::load
