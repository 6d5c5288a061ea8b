// By hand from the words of Prometheus' documentation and source; real_prometheus_test.cpp asks the real one.
#include "prom/rate.h"

#include <gtest/gtest.h>

#include <vector>

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;

std::vector<CounterSample> samples(std::initializer_list<std::pair<double, double>> list) {
  std::vector<CounterSample> all;
  for (const auto& [second, value] : list) all.push_back({at_seconds(second), value});
  return all;
}

// 40 more in 45 s; both borders (10 s and 5 s away) are within 1.1 x 15 s, so 60 s are covered: 40 x 60/45 / 60.
TEST(Rate, ReachesBordersWithinAboutOneSamplingInterval) {
  const auto counter = samples({{10, 100}, {25, 110}, {40, 130}, {55, 140}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(60), 60s).value(), 40.0 / 45.0);
}

// The series begins 40 s into the window: 7.5 s are added in front instead, 5 s behind. 20 x (15 + 7.5 + 5)/15 / 60.
TEST(Rate, ASeriesThatBeginsLaterIsTakenToBeginHalfAnIntervalBefore) {
  const auto counter = samples({{40, 100}, {55, 120}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(60), 60s).value(), 20.0 * 27.5 / 15.0 / 60.0);
}

TEST(Rate, ASeriesThatEndedIsTakenToEndHalfAnIntervalAfter) {
  const auto counter = samples({{5, 100}, {20, 120}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(60), 60s).value(), 20.0 * 27.5 / 15.0 / 60.0);
}

// It grew 10 in 15 s from 2, so it was at 0 only 3 s before, although the border is 10 s away.
TEST(Rate, ACounterIsNotExtrapolatedBelowZero) {
  const auto counter = samples({{10, 2}, {25, 12}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(25), 25s).value(), 10.0 * 18.0 / 15.0 / 25.0);
}

// 100 to 130, then a restart and 20 more: 50 in 45 s.
TEST(Rate, AResetCountsFromZero) {
  const auto counter = samples({{0, 100}, {15, 130}, {30, 10}, {45, 20}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(45), 45s).value(), 50.0 / 45.0);
}

TEST(Rate, BothEndsBelongToTheWindow) {
  const auto counter = samples({{0, 0}, {15, 30}, {30, 60}});
  EXPECT_DOUBLE_EQ(rate(counter, at_seconds(30), 15s).value(), 2.0);
  EXPECT_FALSE(rate(counter, at_seconds(30), 15s - 1ns).has_value());
  EXPECT_FALSE(rate(counter, at_seconds(30) - 1ns, 15s).has_value());
}

TEST(Rate, OneSampleSaysNothing) {
  EXPECT_FALSE(rate({}, at_seconds(60), 60s).has_value());
  EXPECT_FALSE(rate(samples({{30, 5}}), at_seconds(60), 60s).has_value());
  EXPECT_FALSE(rate(samples({{30, 5}, {45, 9}}), at_seconds(600), 60s).has_value()) << "both are too old";
  EXPECT_FALSE(rate(samples({{30, 5}, {45, 9}}), at_seconds(10), 60s).has_value()) << "both are yet to come";
}

TEST(Rate, ACounterThatStandsStillIsZero) {
  EXPECT_EQ(rate(samples({{0, 0}, {15, 0}}), at_seconds(15), 30s).value(), 0.0);
}

}  // namespace
}  // namespace mpca::prom
