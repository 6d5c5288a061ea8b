// When requests are due, from a plan alone and never from how the server does: that is what makes the load open. A rate
// over time, its integral, and the instants at which the integral reaches the next arrival: every whole number for a
// constant schedule (as vegeta paces), the arrivals of a unit-rate Poisson process for a random one (Lewis and Shedler
// (1979) call it inversion of the integrated rate).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/random.h"
#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/phases.h"

namespace mpca::load {

/// The rate goes linearly from `start_rps` to `end_rps` (both >= 0) over `length` (> 0).
struct RateSegment {
  Duration length{};
  double start_rps = 0.0;
  double end_rps = 0.0;
  int phase = 0;  // index of the block that its requests are reported in, from 0, never decreasing
  bool operator==(const RateSegment&) const = default;
};

enum class ArrivalKind { constant, poisson };

struct ArrivalPlan {
  std::vector<RateSegment> segments;  // one after the other, from 0
  ArrivalKind kind = ArrivalKind::constant;
  std::uint64_t seed = 1;  // of Poisson arrivals
};

ArrivalPlan plan_at_rate(double rate_rps, Duration length);
/// One block per phase.
ArrivalPlan plan_from_phases(const std::vector<trace::Phase>& phases);
/// Each step's value holds at the middle of its step; linear in between, constant before the first and after the last
/// middle. Blocks are the trace's phases, one when it has none.
ArrivalPlan plan_from_trace(const trace::DemandTrace& trace);

/// All rates times `factor` (> 0).
ArrivalPlan scaled(ArrivalPlan plan, double factor);
/// All lengths divided by `factor` (> 0): the same rates in less time.
ArrivalPlan sped_up(ArrivalPlan plan, double factor);

Duration length_of(const ArrivalPlan& plan);
int phase_count(const ArrivalPlan& plan);

struct Arrival {
  Duration due{};  // from the plan's start
  int phase = 0;
};

/// The arrivals of a plan in order. Equal plans give equal arrivals.
class ArrivalSchedule {
 public:
  /// The plan is copied.
  explicit ArrivalSchedule(ArrivalPlan plan);
  /// nullopt after the last.
  std::optional<Arrival> next();

 private:
  ArrivalPlan plan_;
  RandomStream random_;
  std::size_t segment_ = 0;
  Duration segment_start_{};
  double segment_start_count_ = 0.0;  // integral of the rate up to the segment
  double next_count_ = 0.0;           // where the integral stands at the next arrival
};

}  // namespace mpca::load
