#include "load/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

std::vector<Arrival> all_of(const ArrivalPlan& plan) {
  std::vector<Arrival> all;
  ArrivalSchedule schedule(plan);
  while (const auto arrival = schedule.next()) all.push_back(*arrival);
  return all;
}

std::vector<Duration> dues_of(const ArrivalPlan& plan) {
  std::vector<Duration> all;
  for (const Arrival& arrival : all_of(plan)) all.push_back(arrival.due);
  return all;
}

// vegeta's constant pacer: 4/s for 1 s are 4 requests, the first at once.
TEST(Arrivals, AConstantRateIsPacedFromTheStart) {
  EXPECT_EQ(dues_of(plan_at_rate(4, 1s)), (std::vector<Duration>{0ms, 250ms, 500ms, 750ms}));
  EXPECT_EQ(dues_of(plan_at_rate(0.1, 10s)), std::vector<Duration>{0s});
  EXPECT_EQ(dues_of(plan_at_rate(0, 10s)), std::vector<Duration>{});
  EXPECT_EQ(all_of(plan_at_rate(20, 5min)).size(), 6000u);
}

// By hand: 2/s for 2 s are due at 0, 0.5, 1, 1.5; nothing for 1 s; 1/s for 2 s at 3 and 4.
TEST(Arrivals, AnArrivalAtAPhasesEndBelongsToTheNextPhaseThatHasAny) {
  const auto plan = plan_from_phases({{0, 2s, 2.0}, {1, 1s, 0.0}, {2, 2s, 1.0}});
  EXPECT_EQ(dues_of(plan), (std::vector<Duration>{0ms, 500ms, 1000ms, 1500ms, 3000ms, 4000ms}));
  EXPECT_EQ(all_of(plan).back().phase, 2);
  EXPECT_EQ(all_of(plan)[3].phase, 0);
  EXPECT_EQ(phase_count(plan), 3);
  EXPECT_EQ(length_of(plan), 5s);
}

// By hand: the integral of t over [0, 4 s] is t^2/2; it is 1, 2, 4, 7 at 1.414, 2, 2.828, 3.742 s.
TEST(Arrivals, ARampIsDueWhereItsIntegralIsWhole) {
  const auto dues = dues_of({.segments = {{4s, 0.0, 4.0, 0}}});
  ASSERT_EQ(dues.size(), 8u);
  for (std::size_t n = 0; n < dues.size(); ++n) {
    EXPECT_NEAR(to_seconds(dues[n]), std::sqrt(2.0 * static_cast<double>(n)), 1e-8);
  }
}

// By hand: 10 until 5 s, the line to 30 at 15 s, 30 until 20 s; half of the way (20) at the step's edge. The integral
// is 50 + 200 + 150.
TEST(Arrivals, ATraceIsLinearBetweenTheMiddlesOfItsSteps) {
  const trace::DemandTrace trace{.name = "two", .step = 10s, .demand_rps = {10, 30}, .phase_idx = {4, 7}};
  const auto plan = plan_from_trace(trace);
  EXPECT_EQ(plan.segments,
            (std::vector<RateSegment>{{5s, 10, 10, 0}, {5s, 10, 20, 0}, {5s, 20, 30, 1}, {5s, 30, 30, 1}}));
  EXPECT_EQ(all_of(plan).size(), 400u);
}

TEST(Arrivals, BlocksAreRunsOfTheSamePhaseSoTheirNumbersNeverDecrease) {
  const trace::DemandTrace trace{.name = "back", .step = 2s, .demand_rps = {1, 1, 1, 1}, .phase_idx = {0, 3, 3, 0}};
  EXPECT_EQ(phase_count(plan_from_trace(trace)), 3);
  EXPECT_EQ(phase_count(plan_from_trace({.name = "none", .step = 2s, .demand_rps = {1, 1}, .phase_idx = {}})), 1);
}

TEST(Arrivals, ScaleChangesHowManyAndSpeedHowLong) {
  const auto plan = plan_from_phases({{0, 10s, 5.0}, {1, 20s, 10.0}});
  EXPECT_EQ(all_of(scaled(plan, 3.0)).size(), 750u);
  EXPECT_EQ(length_of(scaled(plan, 3.0)), 30s);
  EXPECT_EQ(all_of(sped_up(plan, 2.0)).size(), 125u);
  EXPECT_EQ(length_of(sped_up(plan, 2.0)), 15s);
}

// 100/s for 1000 s: the number is Poisson with mean and variance 100 000 (bounds of 5 sigma), gaps have mean and
// standard deviation 10 ms.
TEST(Arrivals, PoissonArrivalsHaveExponentialGapsAndRepeatWithTheirSeed) {
  ArrivalPlan plan = plan_at_rate(100, 1000s);
  plan.kind = ArrivalKind::poisson;
  plan.seed = 5;
  const auto dues = dues_of(plan);
  EXPECT_NEAR(static_cast<double>(dues.size()), 100'000.0, 5 * std::sqrt(100'000.0));
  double sum = 0.0, squares = 0.0;
  for (std::size_t i = 1; i < dues.size(); ++i) {
    const double gap = to_seconds(dues[i] - dues[i - 1]);
    sum += gap;
    squares += gap * gap;
  }
  const auto gaps = static_cast<double>(dues.size() - 1);
  EXPECT_NEAR(sum / gaps, 0.01, 2e-4);
  EXPECT_NEAR(std::sqrt(squares / gaps - sum / gaps * (sum / gaps)), 0.01, 2e-4);
  EXPECT_EQ(dues, dues_of(plan));
  plan.seed = 6;
  EXPECT_NE(dues, dues_of(plan));
}

TEST(Arrivals, TheyNeverGoBackAndStayWithinTheirPlan) {
  RandomStream stream(3, "plans");
  for (int round = 0; round < 300; ++round) {
    ArrivalPlan plan;
    plan.seed = static_cast<std::uint64_t>(round);
    plan.kind = stream.below(2) == 0 ? ArrivalKind::constant : ArrivalKind::poisson;
    double expected = 0.0;
    for (std::uint64_t i = 0; i <= stream.below(5); ++i) {
      const Duration length(static_cast<std::int64_t>(1 + stream.below(3'000'000'000)));
      const double start = stream.below(3) == 0 ? 0.0 : 50 * stream.uniform();
      const double end = stream.below(3) == 0 ? 0.0 : 50 * stream.uniform();
      plan.segments.push_back({length, start, end, static_cast<int>(i)});
      expected += 0.5 * (start + end) * to_seconds(length);
    }
    const auto arrivals = all_of(plan);
    for (std::size_t i = 1; i < arrivals.size(); ++i) {
      EXPECT_LE(arrivals[i - 1].due, arrivals[i].due);
      EXPECT_LE(arrivals[i - 1].phase, arrivals[i].phase);
    }
    if (!arrivals.empty()) {
      EXPECT_LE(arrivals.back().due, length_of(plan));
    }
    if (plan.kind == ArrivalKind::constant) {
      EXPECT_EQ(static_cast<double>(arrivals.size()), std::ceil(expected - 1e-6));
    }
  }
}

}  // namespace
}  // namespace mpca::load
