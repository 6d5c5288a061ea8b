// The rules that compete. Demand does not depend on what we do, so each of them can be asked at every sample what it
// would hold, and be scored by what that would have cost:
//
//   level     factor x the greatest load of the last `hold`, for factors 1.02 … 2.6 and holds 0, 2, 20 min, 6 h
//   trend     the same on the load extrapolated over the dead time, with a part or all of its slope
//   planner   up to a quantile of the forward maximum, and down to the same or a higher one
//   (forecast/forward_maximum.h)
//   own HPA   what the workload's own HorizontalPodAutoscaler would hold (predictive/own_hpa.h), where one is named
//
// What a rule remembers is the usual load; known events (predictive/calendar.h) multiply what it answers, so that they
// are anticipated, and forgotten when they end.
//
// Load is demand in replicas: what so many replicas serve at full utilization. All answers are totals, so pods that
// are starting are counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/time.h"
#include "forecast/forward_maximum.h"

namespace mpca::policy {

/// The greatest value within the last `hold`, to a twelfth of it or a second. As floats: 6e-8 of it may be off.
class HeldMaximum {
 public:
  /// Values >= 0 in order of time; `hold` zero keeps the last one only, otherwise it is the same in each call. Returns
  /// the greatest.
  double observe(TimePoint time, Duration hold, double value);
  template <class Visit>
  void visit(Visit&& visit) {
    visit(greatest_);
    visit(slot_);
  }

 private:
  static constexpr std::int64_t kSlots = 12;
  std::array<float, kSlots> greatest_{};
  std::int32_t slot_ = -1'000'000;
};

class Candidates {
 public:
  static constexpr std::array<double, 8> kFactors = {1.02, 1.08, 1.15, 1.25, 1.4, 1.6, 2.0, 2.6};
  static constexpr std::array<int, 4> kHoldSeconds = {0, 120, 1200, 21600};
  static constexpr std::array<double, 4> kTrendFactors = {1.08, 1.2, 1.4, 1.8};
  static constexpr std::array<int, 2> kTrendHoldSeconds = {60, 400};
  static constexpr std::array<double, 2> kTrendGains = {0.4, 1.0};
  static constexpr std::size_t kLevels = forecast::kForwardLevels.size();
  static constexpr std::size_t kPlannerPairs = kLevels - 2;  // down to the quantile two levels higher

  static constexpr std::size_t kRules = kFactors.size() * kHoldSeconds.size();
  static constexpr std::size_t kTrends = kTrendFactors.size() * kTrendHoldSeconds.size() * kTrendGains.size();
  static constexpr std::size_t kOwnHpa = kRules + kTrends + kLevels + kPlannerPairs;  // the last
  static constexpr std::size_t kCount = kOwnHpa + 1;
  using Replicas = std::array<std::uint16_t, kCount>;

  struct Situation {
    TimePoint sampled;
    double load = 0.0;                       // now, without what known events make of it
    forecast::ForwardQuantiles forward{};    // of that load over the dead time
    Duration dead_time{};                    // from a sample until what is asked for on it serves
    int min_replicas = 0, max_replicas = 0;  // at most 65535
    double event_factor = 1.0;               // the greatest that known events make of it over the dead time
    double least_load = 0.0;                 // known to come within it
    int own_hpa_replicas = 0;                // of the candidate that decides elsewhere
  };

  /// Once for each sample, in order. What each holds from now on.
  const Replicas& decide(const Situation& situation);
  const Replicas& replicas() const { return replicas_; }

  /// `level x1.15 held 2m`, `planner q 0.97`.
  static std::string name(std::size_t candidate);

  template <class Visit>
  void visit(Visit&& visit) {
    visit(replicas_);
    visit(held_load_);
    visit(held_trend_);
    visit(has_decided_);
    visit(last_sampled_);
    visit(last_load_);
    visit(slope_per_s_);
  }
  bool is_valid() const;

 private:
  Replicas replicas_{};
  std::array<HeldMaximum, kHoldSeconds.size()> held_load_{};
  std::array<std::array<HeldMaximum, kTrendHoldSeconds.size()>, kTrendGains.size()> held_trend_{};
  bool has_decided_ = false;
  TimePoint last_sampled_;
  double last_load_ = 0.0;
  double slope_per_s_ = 0.0;
};

}  // namespace mpca::policy
