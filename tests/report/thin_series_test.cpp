#include "report/thin_series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mpca::report {
namespace {

policy::PeriodOutcome outcome_at(int step, double demand_rps, int ready = 2, double utilization = 0.5) {
  policy::PeriodOutcome outcome;
  outcome.start = at_seconds(1000.0 + 15.0 * step);
  outcome.length = std::chrono::seconds(15);
  outcome.demand_rps = demand_rps;
  outcome.spec_replicas = ready;
  outcome.ready_replicas = ready;
  outcome.utilization = utilization;
  return outcome;
}

TEST(SeriesThinner, AShortRunKeepsEveryPeriod) {
  SeriesThinner thinner(4, 4);
  for (int step = 0; step < 4; ++step) thinner.add(outcome_at(step, 10.0 * step, step));
  const ThinSeries points = thinner.finish();
  EXPECT_EQ(points.time_s, (std::vector<double>{0, 15, 30, 45}));
  EXPECT_EQ(points.demand_rps, (std::vector<double>{0, 10, 20, 30}));
  EXPECT_EQ(points.ready_replicas, (std::vector<double>{0, 1, 2, 3}));
}

// 9 periods into at most 4 points: 2 buckets of 5 periods, the last with 4. By hand:
//   demand  7 1 4 9 5 | 3 3 8 2     the first bucket meets 1 before 9, the second 8 before 2
TEST(SeriesThinner, ABucketKeepsItsExtremesInTheOrderTheyOccurred) {
  SeriesThinner thinner(9, 4);
  const double demand[] = {7, 1, 4, 9, 5, 3, 3, 8, 2};
  for (int step = 0; step < 9; ++step) thinner.add(outcome_at(step, demand[step]));
  const ThinSeries points = thinner.finish();
  EXPECT_EQ(points.time_s, (std::vector<double>{0, 30, 75, 105}));
  EXPECT_EQ(points.demand_rps, (std::vector<double>{1, 9, 8, 2}));
}

TEST(SeriesThinner, SeriesOfOneRunShareTheTimesWhateverTheirValues) {
  SeriesThinner rising(1000, 100);
  SeriesThinner falling(1000, 100);
  for (int step = 0; step < 1000; ++step) {
    rising.add(outcome_at(step, 50.0, 2 + step / 100, 0.1 + step * 0.001));
    falling.add(outcome_at(step, 50.0, 12 - step / 100, 1.0 - step * 0.0005));
  }
  const ThinSeries a = rising.finish();
  const ThinSeries b = falling.finish();
  EXPECT_EQ(a.time_s, b.time_s);
  EXPECT_EQ(a.utilization.size(), a.time_s.size());
  EXPECT_TRUE(std::is_sorted(a.time_s.begin(), a.time_s.end()));
  EXPECT_GT(b.utilization.front(), b.utilization.back());
}

TEST(SeriesThinner, AMillionPeriodsWithOneSpikeKeepTheSpike) {
  SeriesThinner thinner(1'000'000, 4000);
  for (int step = 0; step < 1'000'000; ++step) thinner.add(outcome_at(step, step == 654'321 ? 900.0 : 50.0));
  const ThinSeries points = thinner.finish();
  EXPECT_LE(points.time_s.size(), 4000u);
  EXPECT_GE(points.time_s.size(), 2000u);
  const auto peak = std::max_element(points.demand_rps.begin(), points.demand_rps.end());
  EXPECT_EQ(*peak, 900.0);
  const double time_s = points.time_s[static_cast<std::size_t>(peak - points.demand_rps.begin())];
  EXPECT_LE(std::abs(time_s - 654'321 * 15.0), 500 * 15.0);
}

TEST(SeriesThinner, ARunThatEndsEarlyGivesWhatItHad) {
  SeriesThinner thinner(100, 10);
  thinner.add(outcome_at(0, 5.0));
  EXPECT_EQ(thinner.finish().demand_rps, (std::vector<double>{5.0}));
  EXPECT_TRUE(SeriesThinner(100, 10).finish().time_s.empty());
}

}  // namespace
}  // namespace mpca::report
