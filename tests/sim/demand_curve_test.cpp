#include "sim/demand_curve.h"

#include <gtest/gtest.h>

#include <numeric>

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using Rates = std::vector<double>;

trace::DemandTrace demand(Duration step, Rates rps) {
  return {.name = "test", .start = {}, .step = step, .demand_rps = std::move(rps), .phase_idx = {}};
}

TEST(DemandCurve, HeldStepsLastExactlyAsLongAsTheyDo) {
  EXPECT_EQ(rate_per_second(demand(2s, {10, 0.1, 30}), Interpolation::held), (Rates{10, 10, 0.1, 0.1, 30, 30}));
}

// Middles at 2 s and 6 s, 10 and 50 rps: 10 rps a second between them. The second [2, 3) has its middle at 2.5 s.
TEST(DemandCurve, BetweenTheMiddlesOfStepsTheRateIsAStraightLine) {
  EXPECT_EQ(rate_per_second(demand(4s, {10, 50}), Interpolation::linear), (Rates{10, 10, 15, 25, 35, 45, 50, 50}));
}

// Steps of 3 s, middles at 1.5 s and 4.5 s, 0 and 60 rps, slope 20: the second [1, 2) is 0 in its first half and has
// the mean 5 in its second one; [4, 5) is 50 … 60 in its first half, then 60.
TEST(DemandCurve, ASecondWithAMiddleInItIsTheMeanOverBothParts) {
  const Rates rates = rate_per_second(demand(3s, {0, 60}), Interpolation::linear), by_hand = {0, 2.5, 20, 40, 57.5, 60};
  ASSERT_EQ(rates.size(), by_hand.size());
  for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], by_hand[i], 1e-12);
}

TEST(DemandCurve, ASecondOfSeveralStepsIsTheirMeanAndAPartialLastOneIsLeftOut) {
  EXPECT_EQ(rate_per_second(demand(400ms, {10, 20, 30, 40, 50, 60}), Interpolation::held),
            (Rates{0.4 * 10 + 0.4 * 20 + 0.2 * 30, 0.2 * 30 + 0.4 * 40 + 0.4 * 50}));
  EXPECT_EQ(rate_per_second(demand(700ms, {10}), Interpolation::held), Rates{});
}

TEST(DemandCurve, WhatIsConstantStaysSoToTheLastBit) {
  for (const Interpolation interpolation : {Interpolation::held, Interpolation::linear}) {
    for (const double rate : rate_per_second(demand(15s, Rates(10'000, 0.1)), interpolation)) ASSERT_EQ(rate, 0.1);
  }
}

// A straight line between middles keeps the sum of all steps but for the halves at both ends.
TEST(DemandCurve, AWaveKeepsItsMean) {
  Rates wave;
  for (int i = 0; i < 400; ++i) wave.push_back(i % 4 < 2 ? 100.0 : 300.0);
  const Rates rates = rate_per_second(demand(15s, wave), Interpolation::linear);
  ASSERT_EQ(rates.size(), 6000u);
  EXPECT_NEAR(std::accumulate(rates.begin(), rates.end(), 0.0) / 6000.0, 200.0, 0.5);
}

}  // namespace
}  // namespace mpca::sim
