// The planner against ways that know nothing of the chain it solves.
#include <gtest/gtest.h>

#include <span>
#include <string>

#include "mpc/integer_plan.h"
#include "support/integer_plan_cases.h"

namespace mpca::mpc {
namespace {

using test::Draw;
using test::IntegerPlanCase;

std::string text_of(const IntegerPlanCase& c, std::span<const int> spec) {
  std::string text = "d " + std::to_string(c.dead_time) + " now " + std::to_string(c.spec_replicas);
  const auto add = [&](const char* name, const auto& values) {
    text += std::string("\n") + name;
    for (const auto value : values) text += " " + std::to_string(value);
  };
  add("ready_if_kept", c.ready_if_kept);
  add("replica_price", c.replica_price);
  add("start_price", c.start_price);
  add("rise_churn_price", c.rise_churn_price);
  add("fall_churn_price", c.fall_churn_price);
  add("max_rise", c.max_rise);
  add("max_fall", c.max_fall);
  add("min_replicas", c.min_replicas);
  add("max_replicas", c.max_replicas);
  for (const auto& stage : c.levels_of_stage) {
    text += "\nlevels";
    for (const auto& level : stage) text += " " + std::to_string(level.replicas) + "*" + std::to_string(level.weight);
  }
  add("plan", spec);
  return text;
}

// The plan's cost is what the pods cost, it keeps the limits, and `optimum(case, cost)` finds no cheaper one.
template <class Optimum>
void expect_optimal(int cases, std::uint64_t seed, const test::IntegerPlanRanges& ranges, Optimum optimum) {
  Draw draw(seed);
  IntegerPlanner planner;
  int failures = 0, widened = 0, moved = 0;
  for (int i = 0; i < cases && failures < 3; ++i) {
    IntegerPlanCase c = test::draw_integer_plan(draw, ranges);
    const auto problem = c.problem();
    const auto plan = planner.solve(problem);
    ASSERT_TRUE(plan.has_value()) << plan.error().message;
    const Cost simulated = test::simulated_cost(c, plan->spec_replicas);
    const Cost best = optimum(c, plan->cost);
    const Cost priced = plan_cost(problem, plan->spec_replicas).value();
    if (simulated != plan->cost || best != plan->cost || priced != plan->cost) {
      ++failures;
      ADD_FAILURE() << "case " << i << ": plan says " << cost_value(plan->cost) << ", pods say "
                    << cost_value(simulated) << ", plan_cost " << cost_value(priced) << ", optimum " << cost_value(best)
                    << "\n"
                    << text_of(c, plan->spec_replicas);
    }
    widened += plan->widened_limits > 0 ? 1 : 0;
    moved += plan->spec_replicas[0] != c.spec_replicas ? 1 : 0;
  }
  EXPECT_GT(widened, cases / 100);
  EXPECT_GT(moved, cases / 10);
}

TEST(IntegerPlanDifferential, NoPlanOfAllIsCheaperWhenEachIsSimulatedPodByPod) {
  expect_optimal(150'000, 1, {.stages = 6, .replicas = 4, .dead_time = 3, .levels_per_stage = 3, .max_step = 3},
                 [](const IntegerPlanCase& c, Cost found) { return test::enumerated_optimum(c, found); });
}

TEST(IntegerPlanDifferential, ADeadTimeLongerThanTheHorizonIsEnumeratedToo) {
  expect_optimal(20'000, 2, {.stages = 5, .replicas = 3, .dead_time = 7, .levels_per_stage = 2, .max_step = 2},
                 [](const IntegerPlanCase& c, Cost found) { return test::enumerated_optimum(c, found); });
}

TEST(IntegerPlanDifferential, LongerPlansAgreeWithDynamicProgrammingOverTheLastSpecs) {
  expect_optimal(1500, 3, {.stages = 24, .replicas = 9, .dead_time = 3, .levels_per_stage = 4, .max_step = 4},
                 [](const IntegerPlanCase& c, Cost) { return test::window_optimum(c); });
}

}  // namespace
}  // namespace mpca::mpc
