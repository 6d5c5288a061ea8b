#include "mpc/clairvoyant.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "support/integer_plan_cases.h"
#include "support/integer_plan_tables.h"

namespace mpca::mpc {
namespace {

using Replicas = std::vector<int>;

std::vector<double> random_walk_rps(int stages, std::uint64_t seed) {
  test::Draw draw(seed);
  std::vector<double> demand_rps;
  double rps = 500;
  for (int k = 0; k < stages; ++k) {
    rps = std::clamp(rps + draw.uniform(-60, 60) + (draw.chance(0.01) ? 400 : 0), 0.0, 2000.0);
    demand_rps.push_back(rps);
  }
  return demand_rps;
}

TEST(Clairvoyant, ItAsksForPodsADeadTimeBeforeTheyAreNeeded) {
  // 20 requests/s per replica: 1, 1, 1, 3, 3, 1 replicas are needed, and a pod takes two stages to serve.
  const std::vector<double> demand_rps = {20, 20, 20, 60, 60, 20};
  const TrueDemand demand = {
      .demand_rps = demand_rps, .capacity_rps = 25, .target_utilization = 0.8, .shortfall_price = 50};
  const auto plan = clairvoyant_plan(demand, {.dead_time_stages = 2,
                                              .spec_replicas = 1,
                                              .replica_price = 1,
                                              .start_price = 3,
                                              .min_replicas = 1,
                                              .max_replicas = 10});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->spec_replicas, Replicas({1, 3, 3, 3, 3, 1}));
  EXPECT_EQ(plan->ready_replicas, Replicas({1, 1, 1, 3, 3, 1}));
  EXPECT_EQ(cost_value(plan->cost), 14 + 2 * 3);
}

TEST(Clairvoyant, PartOfAReplicaIsMissedWhenItIsCheaperThanAWholeOne) {
  // 2.5 replicas are needed; half of the price is less than a replica.
  const std::vector<double> demand_rps = {50};
  const TrueDemand demand = {.demand_rps = demand_rps, .capacity_rps = 20, .shortfall_price = 1.5};
  const auto plan = clairvoyant_plan(demand, {.replica_price = 1, .max_replicas = 10});
  EXPECT_EQ(plan->spec_replicas, Replicas({2}));
  EXPECT_EQ(cost_value(plan->cost), 2.75);
}

TEST(Clairvoyant, NoCourseWithinItsLimitsIsCheaper) {
  const std::vector<double> demand_rps = random_walk_rps(400, 31);
  const TrueDemand demand = {.demand_rps = demand_rps, .capacity_rps = 25, .shortfall_price = 20};
  const auto levels = shortfall_levels(demand).value();
  const auto offsets = one_level_per_stage(400);
  const IntegerPlanProblem problem = {.stages = 400,
                                      .dead_time_stages = 3,
                                      .spec_replicas = 20,
                                      .replica_price = 1,
                                      .start_price = 4,
                                      .fall_churn_price = 0.5,
                                      .levels = levels,
                                      .level_offsets = offsets,
                                      .max_rise = 6,
                                      .max_fall = 3,
                                      .min_replicas = 1,
                                      .max_replicas = 70};
  const auto best = clairvoyant_plan(demand, problem);
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(best->cost, plan_cost(problem, best->spec_replicas).value());
  test::Draw draw(32);
  for (int i = 0; i < 200; ++i) {
    // A reactive policy with slack drawn at random, and the optimum with a random dent.
    Replicas reactive, dented = best->spec_replicas;
    const double slack = draw.uniform(0.8, 1.6);
    int spec = problem.spec_replicas;
    for (const double rps : demand_rps) {
      const int wanted = std::clamp(static_cast<int>(rps / 25 * slack) + 1, 1, 70);
      reactive.push_back(spec = std::clamp(wanted, spec - 3, spec + 6));
    }
    dented[static_cast<std::size_t>(draw.integer(1, 399))] += draw.chance(0.5) ? 1 : -1;
    EXPECT_LE(best->cost, plan_cost(problem, reactive).value());
    EXPECT_LE(best->cost, plan_cost(problem, dented).value());
  }
}

TEST(Clairvoyant, ALongTraceCostsWhatTablesOverAllReplicasSay) {
  constexpr int kStages = 100'000;
  const std::vector<double> demand_rps = random_walk_rps(kStages, 33);
  const TrueDemand demand = {.demand_rps = demand_rps, .capacity_rps = 25, .shortfall_price = 20};
  const auto levels = shortfall_levels(demand).value();
  const auto offsets = one_level_per_stage(kStages);
  for (const int max_rise : {kNoLimit, 4}) {
    const IntegerPlanProblem problem = {.stages = kStages,
                                        .dead_time_stages = 3,
                                        .spec_replicas = 20,
                                        .replica_price = 1,
                                        .start_price = 4,
                                        .fall_churn_price = 0.5,
                                        .levels = levels,
                                        .level_offsets = offsets,
                                        .max_rise = max_rise,
                                        .max_fall = max_rise,
                                        .min_replicas = 1,
                                        .max_replicas = 90};
    const auto plan = clairvoyant_plan(problem);
    ASSERT_TRUE(plan.has_value());
    test::ChainTables tables;
    EXPECT_EQ(plan->cost, tables.optimum(problem, test::ChainTables::Method::slopes));
    EXPECT_EQ(plan->cost, plan_cost(problem, plan->spec_replicas).value());
  }
}

TEST(Clairvoyant, AMissingDemandIsAnErrorAndNotZero) {
  const std::vector<double> demand_rps = {20, std::numeric_limits<double>::quiet_NaN(), -1};
  const auto plan = clairvoyant_plan({.demand_rps = demand_rps, .capacity_rps = 25, .target_utilization = 1.2}, {});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().message,
            "target_utilization is 1.2; must be > 0 and <= 1\n"
            "demand_rps of stage 1 is nan; must be finite and >= 0\n"
            "demand_rps of stage 2 is -1; must be finite and >= 0");
}

}  // namespace
}  // namespace mpca::mpc
