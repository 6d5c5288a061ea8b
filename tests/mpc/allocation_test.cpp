// Counts every allocation of this test binary.
#include <gtest/gtest.h>

#include "mpc/integer_plan.h"
#include "mpc/replica_qp.h"
#include "support/allocation_counter.h"
#include "support/integer_plan_cases.h"
#include "support/replica_qp_cases.h"

namespace mpca::mpc {
namespace {

TEST(ReplicaQpMemory, ASolveAllocatesNothingWhicheverWayItTakes) {
  test::Draw draw(5);
  int many_passes = 0;
  for (int i = 0; i < 2'000; ++i) {
    const test::ReplicaQpCase instance = test::draw_replica_qp(draw, 1, 64, 5000, 2);
    auto qp = ReplicaQp::create(instance.settings);
    const long before = test::allocations;
    const QpSolution solution = qp->solve(instance.forecast_rps, instance.backlog_requests, instance.current_replicas);
    EXPECT_EQ(test::allocations - before, 0);
    many_passes += solution.iterations > 10 ? 1 : 0;
  }
  EXPECT_GT(many_passes, 20);  // the fall-back was among them
}

TEST(IntegerPlanMemory, ASolveWithinWhatWasReservedAllocatesNothing) {
  test::Draw draw(6);
  IntegerPlanner planner;
  planner.reserve(128, 128 * 12);
  for (int i = 0; i < 2'000; ++i) {
    test::IntegerPlanCase instance = test::draw_integer_plan(
        draw, {.stages = 128, .replicas = 2000, .dead_time = 12, .levels_per_stage = 12, .max_step = 50});
    const IntegerPlanProblem problem = instance.problem();
    const long before = test::allocations;
    const auto plan = planner.solve(problem);
    EXPECT_EQ(test::allocations - before, 0);
    EXPECT_TRUE(plan.has_value());
  }
}

TEST(IntegerPlanMemory, ALargerProblemThanReservedIsSolvedAndReservedFor) {
  test::Draw draw(7);
  IntegerPlanner planner;
  test::IntegerPlanCase instance = test::draw_integer_plan(
      draw, {.stages = 500, .replicas = 50, .dead_time = 3, .levels_per_stage = 3, .max_step = 5});
  const IntegerPlanProblem problem = instance.problem();
  EXPECT_TRUE(planner.solve(problem).has_value());
  const long before = test::allocations;
  EXPECT_TRUE(planner.solve(problem).has_value());
  EXPECT_EQ(test::allocations - before, 0);
}

TEST(ReplicaQpMemory, TheCounterCounts) {
  const long before = test::allocations;
  std::vector<int> vector(10);
  EXPECT_GT(test::allocations - before, 0);
}

}  // namespace
}  // namespace mpca::mpc
