#include "mpc/integer_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "support/integer_plan_cases.h"
#include "support/integer_plan_tables.h"

namespace mpca::mpc {
namespace {

using Replicas = std::vector<int>;
using test::IntegerPlanCase;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A running replica costs 1 per stage; nothing else costs anything, nothing is limited, 10 replicas at most.
IntegerPlanCase plain(int stages, int dead_time, int spec_replicas) {
  const auto count = static_cast<std::size_t>(stages);
  IntegerPlanCase c;
  c.dead_time = dead_time;
  c.spec_replicas = spec_replicas;
  c.replica_price.assign(count, 1);
  c.start_price = c.rise_churn_price = c.fall_churn_price = std::vector<double>(count);
  c.max_rise = c.max_fall = Replicas(count, kNoLimit);
  c.min_replicas.assign(count, 0);
  c.max_replicas.assign(count, 10);
  c.levels_of_stage.resize(count);
  return c;
}

// The same level and weight in the stages from … to - 1.
void need(IntegerPlanCase& c, std::size_t from, std::size_t to, double replicas, double weight) {
  for (std::size_t k = from; k < to; ++k) c.levels_of_stage[k].push_back({replicas, weight});
}

struct Answer {
  Replicas spec, ready;
  int hold_low, hold_high;
  double cost;
  int widened_limits;
};

Answer solve(IntegerPlanCase c) {
  IntegerPlanner planner;
  const auto plan = planner.solve(c.problem());
  EXPECT_TRUE(plan.has_value()) << plan.error().message;
  if (!plan) return {};
  return {Replicas(plan->spec_replicas.begin(), plan->spec_replicas.end()),
          Replicas(plan->ready_replicas.begin(), plan->ready_replicas.end()),
          plan->hold_low,
          plan->hold_high,
          cost_value(plan->cost),
          plan->widened_limits};
}

std::string error_of(const IntegerPlanProblem& problem) {
  IntegerPlanner planner;
  const auto plan = planner.solve(problem);
  EXPECT_FALSE(plan.has_value());
  return plan ? "" : plan.error().message;
}

TEST(IntegerPlan, AStartIsWorthItWhenTheShortfallCostsMoreThanStartWarmUpAndRunning) {
  // Needed at stage 2 only, two stages after it is asked for: a start for 2 and three stages of 1.
  IntegerPlanCase c = plain(3, 2, 0);
  c.start_price.assign(3, 2);
  need(c, 2, 3, 1, 5.5);
  const Answer answer = solve(c);
  EXPECT_EQ(answer.spec, Replicas({1, 1, 1}));
  EXPECT_EQ(answer.ready, Replicas({0, 0, 1}));
  EXPECT_EQ(answer.cost, 5);
}

TEST(IntegerPlan, AtEqualCostItHolds) {
  IntegerPlanCase c = plain(3, 2, 0);
  c.start_price.assign(3, 2);
  need(c, 2, 3, 1, 5);
  EXPECT_EQ(solve(c).spec, Replicas({0, 0, 0}));
  EXPECT_EQ(solve(c).cost, 5);
}

TEST(IntegerPlan, WhenNothingCostsAnythingItHolds) {
  IntegerPlanCase c = plain(5, 2, 4);
  c.replica_price.assign(5, 0);
  EXPECT_EQ(solve(c).spec, Replicas({4, 4, 4, 4, 4}));
  EXPECT_EQ(solve(c).cost, 0);
}

TEST(IntegerPlan, AGapAsLongAsTheDeadTimeIsNotMade) {
  // Not needed at stages 2 and 3; what is removed then is ready again at stage 4 only if it is never removed.
  IntegerPlanCase c = plain(6, 2, 1);
  need(c, 0, 2, 1, 100);
  need(c, 4, 6, 1, 100);
  EXPECT_EQ(solve(c).spec, Replicas({1, 1, 1, 1, 1, 1}));
}

TEST(IntegerPlan, ALongerGapIsMadeWhenItSavesMoreThanTheRestart) {
  // Needed at stages 0, 4 and 5: removed at 1 and asked for again at 3, which saves two stages of 1.
  IntegerPlanCase c = plain(6, 1, 1);
  need(c, 0, 1, 1, 100);
  need(c, 4, 6, 1, 100);
  c.start_price.assign(6, 1.5);
  EXPECT_EQ(solve(c).spec, Replicas({1, 0, 0, 1, 1, 1}));
  EXPECT_EQ(solve(c).ready, Replicas({1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(solve(c).cost, 4 + 1.5);
  c.start_price.assign(6, 2);
  EXPECT_EQ(solve(c).spec, Replicas({1, 1, 1, 1, 1, 1}));
}

TEST(IntegerPlan, PodsThatAreStillStartingServeWhenTheyAreReady) {
  // One of three is ready, the others will be one stage later; two are missed at stage 0 in any case.
  IntegerPlanCase c = plain(3, 2, 3);
  c.ready_if_kept = {1, 3};
  need(c, 0, 3, 3, 10);
  EXPECT_EQ(solve(c).spec, Replicas({3, 3, 3}));
  EXPECT_EQ(solve(c).ready, Replicas({1, 3, 3}));
  EXPECT_EQ(solve(c).cost, 9 + 20);
}

TEST(IntegerPlan, PodsThatAreStillStartingAreRemovedFirst) {
  IntegerPlanCase c = plain(3, 2, 3);
  c.ready_if_kept = {1, 3};
  need(c, 0, 3, 1, 10);
  EXPECT_EQ(solve(c).spec, Replicas({1, 1, 1}));
  EXPECT_EQ(solve(c).ready, Replicas({1, 1, 1}));
  EXPECT_EQ(solve(c).cost, 3);
}

TEST(IntegerPlan, ALimitedRiseBeginsEarly) {
  // Three are needed at stage 3, each is asked for a stage before it serves, one per stage: 1 + 2 + 3 + 3.
  IntegerPlanCase c = plain(4, 1, 0);
  c.max_rise.assign(4, 1);
  need(c, 3, 4, 3, 100);
  EXPECT_EQ(solve(c).spec, Replicas({1, 2, 3, 3}));
  EXPECT_EQ(solve(c).cost, 9);
}

TEST(IntegerPlan, ALimitedFallBeginsAtOnce) {
  IntegerPlanCase c = plain(4, 1, 7);
  c.max_fall = {3, 1, 0, 2};
  EXPECT_EQ(solve(c).spec, Replicas({4, 3, 3, 1}));
}

TEST(IntegerPlan, WithoutDeadTimeAStartServesAtOnce) {
  IntegerPlanCase c = plain(4, 0, 1);
  for (std::size_t k = 0; k < 4; ++k) need(c, k, k + 1, std::vector<double>{3, 1, 0, 2}[k], 10);
  EXPECT_EQ(solve(c).spec, Replicas({3, 1, 0, 2}));
  EXPECT_EQ(solve(c).ready, Replicas({3, 1, 0, 2}));
}

TEST(IntegerPlan, AFractionalLevelCostsItsFractionAtTheNumberBelow) {
  // 2.25 replicas are needed: with two ones ¼ of the weight is missed.
  IntegerPlanCase c = plain(1, 0, 0);
  need(c, 0, 1, 2.25, 3.5);
  EXPECT_EQ(solve(c).spec, Replicas({2}));
  EXPECT_EQ(solve(c).cost, 2 + 0.875);
  c.levels_of_stage[0][0].weight = 4.5;
  EXPECT_EQ(solve(c).spec, Replicas({3}));
  EXPECT_EQ(solve(c).cost, 3);
}

TEST(IntegerPlan, BelowTheBandItRisesToItAboveItFallsToItWithinItHolds) {
  // The slopes of the stage's cost: -11.5 below 2, -1.5 below 5, then 1. A start is worth 2, a removal ½.
  for (const auto& [now, then] : {std::pair(0, 2), {2, 2}, {4, 4}, {5, 5}, {9, 5}}) {
    IntegerPlanCase c = plain(1, 0, now);
    c.start_price = {2};
    c.fall_churn_price = {0.5};
    need(c, 0, 1, 5, 2.5);  // in no order
    need(c, 0, 1, 2, 10);
    const Answer answer = solve(c);
    EXPECT_EQ(answer.spec, Replicas({then}));
    EXPECT_EQ(answer.hold_low, 2);
    EXPECT_EQ(answer.hold_high, 5);
  }
}

TEST(IntegerPlan, TheBandIsTheDecisionWhereNoLimitBinds) {
  test::Draw draw(21);
  for (int i = 0; i < 5'000; ++i) {
    IntegerPlanCase c = test::draw_integer_plan(
        draw,
        {.stages = 12, .replicas = 20, .dead_time = 4, .levels_per_stage = 4, .max_step = 1, .bounds_may_vary = false});
    std::fill(c.max_rise.begin(), c.max_rise.end(), kNoLimit);
    std::fill(c.max_fall.begin(), c.max_fall.end(), kNoLimit);
    const Answer answer = solve(c);
    ASSERT_LE(answer.hold_low, answer.hold_high);
    ASSERT_EQ(answer.spec[0], std::clamp(c.spec_replicas, answer.hold_low, answer.hold_high)) << "case " << i;
  }
}

TEST(IntegerPlan, FromBelowTheMinimumItGoesToTheMinimumAtOnceWhateverTheLimit) {
  IntegerPlanCase c = plain(4, 1, 1);
  c.min_replicas.assign(4, 4);
  c.max_rise.assign(4, 1);
  EXPECT_EQ(solve(c).spec, Replicas({4, 4, 4, 4}));
  EXPECT_EQ(solve(c).ready, Replicas({1, 4, 4, 4}));
  EXPECT_EQ(solve(c).widened_limits, 1);
}

TEST(IntegerPlan, FromAboveTheMaximumItGoesToTheMaximumAtOnceWhateverTheLimit) {
  IntegerPlanCase c = plain(3, 1, 14);
  c.max_fall.assign(3, 2);
  need(c, 0, 3, 20, 5);
  EXPECT_EQ(solve(c).spec, Replicas({10, 10, 10}));
  EXPECT_EQ(solve(c).widened_limits, 1);
}

TEST(IntegerPlan, AHorizonNoLongerThanTheDeadTimeNeverRisesButForTheMinimum) {
  IntegerPlanCase c = plain(3, 3, 1);
  need(c, 0, 3, 9, 100);
  EXPECT_EQ(solve(c).spec, Replicas({1, 1, 1}));
  c.min_replicas.assign(3, 2);
  EXPECT_EQ(solve(c).spec, Replicas({2, 2, 2}));
  EXPECT_EQ(solve(c).ready, Replicas({1, 1, 1}));
  EXPECT_EQ(solve(c).cost, 6 + 3 * 800);
}

TEST(IntegerPlan, AScheduledMinimumIsReadyByThenAndNotEarlier) {
  IntegerPlanCase c = plain(6, 2, 0);
  c.min_replicas = {0, 0, 0, 0, 3, 3};
  EXPECT_EQ(solve(c).spec, Replicas({0, 0, 3, 3, 3, 3}));
  EXPECT_EQ(solve(c).ready, Replicas({0, 0, 0, 0, 3, 3}));
}

TEST(IntegerPlan, AFloorThatSinksHoldsPresentPodsAsLongAsItLasts) {
  IntegerPlanCase c = plain(5, 2, 6);
  c.min_replicas = {6, 6, 4, 4, 1};
  EXPECT_EQ(solve(c).spec, Replicas({6, 6, 4, 4, 1}));
}

TEST(IntegerPlan, ALowerMaximumForAStageTakesItsPodsAndTheyStartAnew) {
  IntegerPlanCase c = plain(6, 1, 5);
  c.max_replicas = {5, 5, 2, 5, 5, 5};
  need(c, 0, 6, 5, 100);
  EXPECT_EQ(solve(c).spec, Replicas({5, 5, 2, 5, 5, 5}));
  EXPECT_EQ(solve(c).ready, Replicas({5, 5, 2, 2, 5, 5}));
}

TEST(IntegerPlan, TheAnswerDoesNotDependOnWhatWasSolvedBefore) {
  test::Draw draw(22);
  IntegerPlanner used;
  for (int i = 0; i < 300; ++i) {
    IntegerPlanCase c = test::draw_integer_plan(
        draw, {.stages = 60, .replicas = 100, .dead_time = 5, .levels_per_stage = 9, .max_step = 9});
    const auto problem = c.problem();
    IntegerPlanner fresh;
    const auto first = used.solve(problem), second = fresh.solve(problem);
    ASSERT_TRUE(std::ranges::equal(first->spec_replicas, second->spec_replicas));
  }
}

TEST(IntegerPlan, LargePlansCostWhatTablesOverAllReplicasSay) {
  test::Draw draw(23);
  IntegerPlanner planner;
  test::ChainTables tables;
  for (int i = 0; i < 2'000; ++i) {
    IntegerPlanCase c = test::draw_integer_plan(draw, {.stages = 80,
                                                       .replicas = i % 20 == 0 ? 5000 : 150,
                                                       .dead_time = 6,
                                                       .levels_per_stage = 10,
                                                       .max_step = i % 3 == 0 ? 40 : 5,
                                                       .bounds_may_vary = false});
    c.spec_replicas = std::clamp(c.spec_replicas, c.min_replicas[0], c.max_replicas[0]);
    for (int& ready : c.ready_if_kept) ready = std::min(ready, c.spec_replicas);
    const auto problem = c.problem();
    const auto plan = planner.solve(problem);
    const auto method = c.max_replicas[0] < 100 ? test::ChainTables::Method::plain : test::ChainTables::Method::slopes;
    ASSERT_EQ(plan->cost, tables.optimum(problem, method)) << "case " << i;
    ASSERT_EQ(plan->cost, test::simulated_cost(c, plan->spec_replicas)) << "case " << i;
  }
}

TEST(IntegerPlan, NumbersOutOfRangeAreNamedAllAtOnceWithTheirStage) {
  IntegerPlanCase c = plain(3, 1, 2);
  c.replica_price[1] = -1;
  c.start_price[2] = kNaN;
  c.max_rise[0] = -2;
  c.min_replicas[2] = 11;
  c.levels_of_stage[1] = {{kNaN, 1}, {2, -3}};
  EXPECT_EQ(error_of(c.problem()),
            "replica_price of stage 1 is -1; must be finite and >= 0\n"
            "start_price of stage 2 is nan; must be finite and >= 0\n"
            "max_rise of stage 0 is -2; must be >= 0\n"
            "max_replicas of stage 2 is 10; must be >= min_replicas, which is 11\n"
            "a level of stage 1 is nan; must be at most 2^24 replicas\n"
            "the weight of a level of stage 1 is -3; must be finite and >= 0");
}

TEST(IntegerPlan, SizesThatDoNotFitAreRefused) {
  IntegerPlanCase c = plain(3, 2, 2);
  auto problem = c.problem();
  problem.stages = 4;
  EXPECT_NE(error_of(problem).find("replica_price has 3 values; must have 4"), std::string::npos);
  EXPECT_NE(error_of(problem).find("level_offsets has 4 values; must have 5"), std::string::npos);
  problem = c.problem();
  problem.stages = 0;
  EXPECT_EQ(error_of(problem), "stages is 0; must be >= 1");
  c.ready_if_kept = {1};
  EXPECT_EQ(error_of(c.problem()), "ready_if_kept has 1 values; must have 2");
}

TEST(IntegerPlan, AProblemWhoseCostsCouldOverflowIsRefused) {
  IntegerPlanCase c = plain(3, 1, 2);
  need(c, 0, 3, 5, 1e12);
  EXPECT_NE(error_of(c.problem()).find("take a larger unit of money"), std::string::npos);
}

TEST(IntegerPlan, LevelsFarOutOfReachOnlyAddToTheCost) {
  IntegerPlanCase c = plain(2, 1, 3);
  need(c, 0, 2, 1000, 100);
  EXPECT_EQ(solve(c).spec, Replicas({10, 10}));
  EXPECT_EQ(solve(c).cost, 20 + 997 * 100 + 990 * 100);
}

TEST(PlanCost, APodThatIsRemovedBeforeItIsReadyNeverServes) {
  // Started for 2, two stages of 1, removed for ½, and one replica of 3 per stage missed all the time.
  IntegerPlanCase c = plain(3, 2, 0);
  c.start_price.assign(3, 2);
  c.fall_churn_price.assign(3, 0.5);
  need(c, 0, 3, 1, 3);
  EXPECT_EQ(cost_value(plan_cost(c.problem(), Replicas({1, 1, 0})).value()), 2 + 2 + 0.5 + 9);
}

TEST(PlanCost, AnyCourseCostsWhatItsPodsCost) {
  test::Draw draw(24);
  for (int i = 0; i < 3'000; ++i) {
    IntegerPlanCase c = test::draw_integer_plan(
        draw, {.stages = 20, .replicas = 12, .dead_time = 5, .levels_per_stage = 3, .max_step = 3});
    Replicas spec;
    test::PodStack pods(c);
    Cost cost = 0;
    for (int k = 0; k < c.stages(); ++k) {
      spec.push_back(draw.integer(0, 12));
      cost += pods.step(k, spec.back());
    }
    ASSERT_EQ(plan_cost(c.problem(), spec).value(), cost) << "case " << i;
  }
}

TEST(PlanCost, APlanOfAnotherLengthIsRefused) {
  IntegerPlanCase c = plain(3, 2, 0);
  EXPECT_EQ(plan_cost(c.problem(), Replicas({1, 1})).error().message, "the plan has 2 specs; must have 3");
}

}  // namespace
}  // namespace mpca::mpc
