#include "study/ruler.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"

namespace mpca::study {
namespace {

using report::BacktestRow;

// Violations and costs. By hand: from (0, 10) the line to (2, 4) falls by 3 per step and passes (1, 7), so (1, 8) lies
// above it; then (4, 2) falls by 1 per step; (3, 5) and (5, 2) help nobody.
constexpr Point kPoints[] = {{4, 2}, {0, 10}, {3, 5}, {1, 8}, {2, 4}, {5, 2}};

TEST(LowerHull, KeepsWhatNoMixtureOfOthersBeats) {
  EXPECT_EQ(lower_hull(kPoints), (std::vector<std::size_t>{1, 4, 0}));
}

TEST(LowerHull, OfNothingIsNothingAndOfEqualPointsIsOne) {
  EXPECT_TRUE(lower_hull({}).empty());
  constexpr Point kTwice[] = {{1, 1}, {1, 1}};
  EXPECT_EQ(lower_hull(kTwice), (std::vector<std::size_t>{0}));
}

TEST(HullAt, ReadsTheStraightLineBetweenTwoSettings) {
  const auto hull = lower_hull(kPoints);
  EXPECT_DOUBLE_EQ(*hull_at(kPoints, hull, 1.0), 7.0);
  EXPECT_DOUBLE_EQ(*hull_at(kPoints, hull, 3.0), 3.0);
  EXPECT_DOUBLE_EQ(*hull_at(kPoints, hull, 0.0), 10.0);
}

TEST(HullAt, KnowsNothingBelowTheFewestViolationsAndTheCheapestBeyondTheMost) {
  constexpr Point kAboveZero[] = {{1, 3}, {2, 1}};
  const auto hull = lower_hull(kAboveZero);
  EXPECT_FALSE(hull_at(kAboveZero, hull, 0.99).has_value());
  EXPECT_DOUBLE_EQ(*hull_at(kAboveZero, hull, 7.0), 1.0);
  EXPECT_FALSE(hull_at({}, {}, 1.0).has_value());
}

TEST(LowerHull, NeverLiesAboveAPointAndNeverRises) {
  RandomStream random(7, "hull test");
  for (int round = 0; round < 2000; ++round) {
    std::vector<Point> points(1 + random.below(12));
    for (Point& point : points) point = {static_cast<double>(random.below(6)), static_cast<double>(random.below(20))};
    const auto hull = lower_hull(points);
    ASSERT_FALSE(hull.empty());
    for (const Point& point : points) {
      const auto y = hull_at(points, hull, point.x);
      ASSERT_TRUE(y.has_value());
      EXPECT_LE(*y, point.y + 1e-12);
    }
    for (std::size_t i = 1; i < hull.size(); ++i) EXPECT_LT(points[hull[i]].y, points[hull[i - 1]].y);
  }
}

TEST(CheapestWithin, IsASingleSettingAndNoMixture) {
  EXPECT_DOUBLE_EQ(*cheapest_within(kPoints, 1.5), 8.0);
  EXPECT_DOUBLE_EQ(*cheapest_within(kPoints, 9.0), 2.0);
  EXPECT_FALSE(cheapest_within(kPoints, -0.1).has_value());
}

/// 1000 requests that take 100 replica-seconds; equal halves unless told.
BacktestRow row(const std::string& policy, std::uint64_t seed, double cost, double violations) {
  BacktestRow row;
  row.trace = "t";
  row.policy = policy;
  row.seed = seed;
  row.whole = {.seconds = 7200, .replica_seconds = 100 * cost, .requests = 1000, .late = 1000 * violations};
  row.demand_replica_seconds = 100;
  for (int half = 0; half < 2; ++half) {
    row.halves[half] = {.seconds = 3600, .replica_seconds = 50 * cost, .requests = 500, .late = 500 * violations};
    row.half_demand_replica_seconds[half] = 50;
  }
  return row;
}

const std::string kUsual = "hpa:target=60";
const std::vector<Family> kFamilies = {
    {"mine", {"mine:1", "mine:2"}},
    {"hpa:sweep", {"hpa:a", "hpa:b", kUsual}},
    {"clairvoyant", {"clairvoyant:x"}},
};

std::vector<report::PlayedTrace> traces(double seconds) {
  std::vector<report::PlayedTrace> traces(1);
  traces[0].name = "t";
  traces[0].seconds = seconds;
  return traces;
}

const RulerSettings kAtOnePercent{.violation_levels = {0.01}, .prices = {10}};

TEST(CompareAtLevels, SavingAndGapByHand) {
  // Mine at 1 %: half way between 1.6 at 0 % and 1.2 at 2 %, 1.4. The HPA's cheapest within 1 % costs 1.75.
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.6, 0.0),  row("mine:2", 1, 1.2, 0.02),
                                         row("hpa:a", 1, 1.75, 0.01), row("hpa:b", 1, 1.3, 0.0101),
                                         row(kUsual, 1, 2.0, 0.001),  row("clairvoyant:x", 1, 1.05, 0.0)};
  const auto compared = compare_at_levels(rows, traces(7200), kFamilies, kUsual, kAtOnePercent);
  ASSERT_EQ(compared.size(), 1u);
  EXPECT_EQ(compared[0].policy, "mine");
  EXPECT_DOUBLE_EQ(*compared[0].policy_cost, 1.4);
  EXPECT_DOUBLE_EQ(*compared[0].hpa_hindsight_cost, 1.75);
  EXPECT_DOUBLE_EQ(*compared[0].clairvoyant_cost, 1.05);
  EXPECT_DOUBLE_EQ(compared[0].saving_hindsight->value, 0.2);
  EXPECT_DOUBLE_EQ(*compared[0].gap_closed, 0.5);
  EXPECT_FALSE(compared[0].saving_hindsight->low.has_value()) << "one seed says nothing about chance";
}

TEST(CompareAtLevels, TheBillTakesTheBestSettingForItsPrice) {
  // J(10): mine 1.6 and 1.2 + 0.2; HPA 1.85, 1.401 and 2.01.
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.6, 0.0), row("mine:2", 1, 1.2, 0.02),
                                         row("hpa:a", 1, 1.75, 0.01), row("hpa:b", 1, 1.3, 0.0101),
                                         row(kUsual, 1, 2.0, 0.001)};
  const auto compared = compare_at_levels(rows, traces(7200), kFamilies, kUsual, kAtOnePercent);
  const report::Bill& bill = compared.at(0).bills.at(0);
  EXPECT_DOUBLE_EQ(*bill.policy, 1.4);
  EXPECT_DOUBLE_EQ(*bill.hpa_hindsight, 1.401);
  EXPECT_DOUBLE_EQ(*bill.hpa60, 2.01);
  EXPECT_FALSE(bill.clairvoyant.has_value());
}

TEST(CompareAtLevels, TheFirstHalfChoosesAndTheSecondJudges) {
  std::vector<BacktestRow> rows = {row("mine:1", 1, 1.6, 0.0), row("mine:2", 1, 1.2, 0.02), row("hpa:a", 1, 1.75, 0.01),
                                   row("hpa:b", 1, 1.3, 0.005)};
  // hpa:b is the cheapest within 1 % of the first half; in the second it costs 1.8 and violates 1.5 %.
  rows[3].halves[1].replica_seconds = 50 * 1.8;
  rows[3].halves[1].late = 500 * 0.015;
  const auto compared = compare_at_levels(rows, traces(7200), kFamilies, kUsual, kAtOnePercent);
  EXPECT_DOUBLE_EQ(*compared.at(0).hpa_first_half_cost, 1.8);
  // Mine at 1.5 %: three quarters of the way from 1.6 to 1.2.
  EXPECT_DOUBLE_EQ(*compared[0].policy_second_half_cost, 1.3);
  EXPECT_DOUBLE_EQ(compared[0].saving_first_half->value, 1.0 - 1.3 / 1.8);
}

TEST(CompareAtLevels, AShortTraceHasNoHalvesAndAnUnreachedLevelNoCost) {
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.6, 0.05), row("hpa:a", 1, 1.75, 0.01)};
  const auto compared = compare_at_levels(rows, traces(7199), kFamilies, kUsual, kAtOnePercent);
  EXPECT_FALSE(compared.at(0).policy_cost.has_value());
  EXPECT_FALSE(compared[0].saving_hindsight.has_value());
  EXPECT_FALSE(compared[0].hpa_first_half_cost.has_value());
  EXPECT_FALSE(compared[0].gap_closed.has_value());
}

TEST(CompareAtLevels, TheIntervalIsPairedOverSeeds) {
  // Both cost twice as much with the second seed: the saving is 20 % with either, so there is no doubt about it.
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.2, 0.0), row("mine:1", 2, 2.4, 0.0),
                                         row("hpa:a", 1, 1.5, 0.0), row("hpa:a", 2, 3.0, 0.0)};
  const auto compared = compare_at_levels(rows, traces(7200), kFamilies, kUsual, kAtOnePercent);
  EXPECT_NEAR(*compared.at(0).saving_hindsight->low, 0.2, 1e-12);
  EXPECT_NEAR(*compared[0].saving_hindsight->high, 0.2, 1e-12);
}

TEST(CompareAtLevels, TheIntervalCoversWhatSeedsSay) {
  // Savings of 0 % and 40 %: resamples give 0, 0.2 (twice as often) and 0.4.
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.0, 0.0), row("mine:1", 2, 0.6, 0.0),
                                         row("hpa:a", 1, 1.0, 0.0), row("hpa:a", 2, 1.0, 0.0)};
  const auto compared = compare_at_levels(rows, traces(7200), kFamilies, kUsual, kAtOnePercent);
  EXPECT_NEAR(compared.at(0).saving_hindsight->value, 0.2, 1e-12);
  EXPECT_NEAR(*compared[0].saving_hindsight->low, 0.0, 1e-12);
  EXPECT_NEAR(*compared[0].saving_hindsight->high, 0.4, 1e-12);
}

TEST(FrontsOf, AreSortedByViolationsAndMarkTheHull) {
  const std::vector<BacktestRow> rows = {row("mine:1", 1, 1.2, 0.02), row("mine:1", 2, 1.4, 0.04),
                                         row("mine:2", 1, 1.6, 0.0), row("mine:2", 2, 1.6, 0.0)};
  const std::vector<std::string> names = {"t"};
  const auto fronts = fronts_of(rows, names, kFamilies);
  ASSERT_EQ(fronts.at(0).size(), 3u);
  const report::Front& mine = fronts[0][0];
  ASSERT_EQ(mine.points.size(), 2u);
  EXPECT_EQ(mine.points[0].policy, "mine:2");
  EXPECT_DOUBLE_EQ(mine.points[1].relative_cost, 1.3);
  EXPECT_DOUBLE_EQ(mine.points[1].violation_ratio, 0.03);
  EXPECT_TRUE(mine.points[0].is_on_front && mine.points[1].is_on_front);
}

}  // namespace
}  // namespace mpca::study
