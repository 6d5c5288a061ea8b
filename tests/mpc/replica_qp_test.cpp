#include "mpc/replica_qp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/replica_qp_cases.h"

namespace mpca::mpc {
namespace {

using test::ReplicaQpCase;
using Vector = std::vector<double>;

struct Answer {
  QpStatus status;
  Vector replicas;
  double objective;
};

Answer solve(const ReplicaQpCase& instance) {
  auto qp = ReplicaQp::create(instance.settings);
  EXPECT_TRUE(qp.has_value());
  const QpSolution solution = qp->solve(instance.forecast_rps, instance.backlog_requests, instance.current_replicas);
  return {solution.status, Vector(solution.replicas.begin(), solution.replicas.end()), solution.objective};
}

// Weights of one and units of one: A = B = 1, replicas = requests/s = requests.
ReplicaQpSettings plain_settings(int stages) {
  return {.horizon_stages = stages,
          .alpha = 1,
          .beta = 1,
          .gamma = 0,
          .capacity_rps = 1,
          .target_utilization = 1,
          .min_replicas = 0,
          .max_replicas = 10,
          .max_step = 10,
          .period_s = 1,
          .normalized_objective = false};
}

TEST(ReplicaQp, OneStageBalancesBacklogAgainstChurn) {
  // (6 - x)² + (x - 2)² is least half way, at 4 + 4 = 8.
  const Answer answer = solve({plain_settings(1), {6}, 0, 2});
  ASSERT_EQ(answer.status, QpStatus::optimal);
  EXPECT_NEAR(answer.replicas[0], 4, 1e-12);
  EXPECT_NEAR(answer.objective, 8, 1e-12);
}

TEST(ReplicaQp, ThePriceOfReplicasPullsDownByHalfOfIt) {
  // (6 - x)² + (x - 2)² + 2x: the slope 4x - 16 + 2 is zero at 3.5.
  ReplicaQpSettings settings = plain_settings(1);
  settings.gamma = 2;
  EXPECT_NEAR(solve({settings, {6}, 0, 2}).replicas[0], 3.5, 1e-12);
}

TEST(ReplicaQp, BacklogCountsInEveryStageThatItStaysFor) {
  // x_1 = x_0 + (6 - x_0 + 6 - x_1)/1 and 2(x_0 - 2) + 2(x_0 - x_1) = 2 v_0 + 2 v_1 with v_0 = 6 - x_0, v_1 = 12 - x_0
  // - x_1: 2 x_1 = 12 and 4 x_0 = 20, so both plans are inside the limits.
  const Answer answer = solve({plain_settings(2), {6, 6}, 0, 2});
  EXPECT_NEAR(answer.replicas[0], 5, 1e-12);
  EXPECT_NEAR(answer.replicas[1], 6, 1e-12);
}

TEST(ReplicaQp, WithoutAWeightOnBacklogThePlanFallsInShrinkingSteps) {
  // 2B d_k = C (H - k) for the k-th fall d_k while no limit is met; B = 4/2², C = 0.08/12: falls of 8/300, 7/300, …
  // from 9.
  ReplicaQpSettings settings;
  settings.alpha = 0;
  const Answer answer = solve({settings, Vector(8, 1000.0), 1e6, 9});
  double expected = 9;
  for (int k = 0; k < 8; ++k) {
    expected -= (8 - k) / 300.0;
    EXPECT_NEAR(answer.replicas[static_cast<std::size_t>(k)], expected, 1e-12);
  }
}

TEST(ReplicaQp, ABalancedFlatForecastIsHeldExactly) {
  // Demand is what the replicas serve, to the last bit, over many stages: x = 4, no backlog, nothing but the price of
  // replicas, which is too low to pay for backlog.
  ReplicaQpSettings settings = plain_settings(64);
  const Answer answer = solve({settings, Vector(64, 4.0), 0, 4});
  for (const double x : answer.replicas) EXPECT_NEAR(x, 4, 1e-12);
  EXPECT_NEAR(answer.objective, 0, 1e-12);
}

TEST(ReplicaQp, AHugeBacklogRisesAsFastAsTheStepAllowsAndStaysAtTheMaximum) {
  ReplicaQpSettings settings;
  const Answer answer = solve({settings, Vector(8, 100.0), 1e9, 5});
  const Vector expected = {7, 9, 11, 12, 12, 12, 12, 12};
  EXPECT_EQ(answer.replicas, expected);
}

TEST(ReplicaQp, OutsideTheBoundsByMoreThanAStepIsInfeasible) {
  ReplicaQpSettings settings;  // 2 … 12, step 2
  const Answer above = solve({settings, Vector(8, 100.0), 0, 15});
  EXPECT_EQ(above.status, QpStatus::infeasible);
  EXPECT_TRUE(above.replicas.empty());
  settings.min_replicas = 6;
  EXPECT_EQ(solve({settings, Vector(8, 100.0), 0, 3}).status, QpStatus::infeasible);
  EXPECT_EQ(solve({settings, Vector(8, 100.0), 0, 4}).status, QpStatus::optimal);
}

TEST(ReplicaQp, OneStepOutsideTheBoundsLeavesTheFirstStageNoChoice) {
  const Answer answer = solve({ReplicaQpSettings{}, Vector(8, 0.0), 0, 14});
  ASSERT_EQ(answer.status, QpStatus::optimal);
  EXPECT_EQ(answer.replicas[0], 12);
}

TEST(ReplicaQp, AForecastOrBacklogThatIsNoNumberIsSaidAndNotSolved) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  Vector forecast(8, 100.0);
  EXPECT_EQ(solve({ReplicaQpSettings{}, forecast, nan, 4}).status, QpStatus::invalid_input);
  forecast[7] = infinity;
  EXPECT_EQ(solve({ReplicaQpSettings{}, forecast, 0, 4}).status, QpStatus::invalid_input);
  forecast[3] = -infinity;
  EXPECT_EQ(solve({ReplicaQpSettings{}, forecast, 0, 4}).status, QpStatus::invalid_input);
}

TEST(ReplicaQp, AnEarlierSolveLeavesNoTrace) {
  test::Draw draw(11);
  for (int i = 0; i < 200; ++i) {
    const ReplicaQpCase first = test::draw_replica_qp(draw, 1, 40, 200, 1);
    ReplicaQpCase second = test::draw_replica_qp(draw, 1, 40, 200, 1);
    second.settings = first.settings;
    second.forecast_rps.resize(first.forecast_rps.size(), 100.0);
    auto qp = ReplicaQp::create(first.settings);
    const QpSolution fresh = qp->solve(first.forecast_rps, first.backlog_requests, first.current_replicas);
    const Vector plan(fresh.replicas.begin(), fresh.replicas.end());
    qp->solve(second.forecast_rps, second.backlog_requests, second.current_replicas);
    const QpSolution again = qp->solve(first.forecast_rps, first.backlog_requests, first.current_replicas);
    EXPECT_EQ(Vector(again.replicas.begin(), again.replicas.end()), plan);
    EXPECT_EQ(again.objective, fresh.objective);
  }
}

TEST(ReplicaQp, AllBadSettingsAreNamedAtOnce) {
  ReplicaQpSettings settings;
  settings.horizon_stages = 0;
  settings.beta = -1;
  settings.gamma = std::numeric_limits<double>::quiet_NaN();
  settings.target_utilization = 1.5;
  settings.min_replicas = 13;
  settings.max_step = 0;
  const auto qp = ReplicaQp::create(settings);
  ASSERT_FALSE(qp.has_value());
  EXPECT_EQ(qp.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(qp.error().message,
            "horizon_stages is 0; must be >= 1\n"
            "beta is -1; must be >= 0\n"
            "gamma is nan; must be >= 0\n"
            "target_utilization is 1.5; must be > 0 and <= 1\n"
            "max_replicas is 12; must be >= min_replicas\n"
            "max_step is 0; must be >= 1");
}

TEST(RoundedAction, HalvesGoUpAndLimitsHold) {
  const ReplicaQpSettings settings;  // 2 … 12, step 2
  EXPECT_EQ(rounded_action(settings, 5.4999, 5), 5);
  EXPECT_EQ(rounded_action(settings, 5.5, 5), 6);
  EXPECT_EQ(rounded_action(settings, 9.0, 5), 7);
  EXPECT_EQ(rounded_action(settings, 1.0, 5), 3);
  EXPECT_EQ(rounded_action(settings, 1.0, 3), 2);
  EXPECT_EQ(rounded_action(settings, 12.6, 12), 12);
}

TEST(RoundedAction, ReplicaNumbersNearTheLargestIntegerDoNotOverflow) {
  const int most = std::numeric_limits<int>::max();
  const ReplicaQpSettings settings{.min_replicas = 2, .max_replicas = most, .max_step = most};
  EXPECT_EQ(rounded_action(settings, 1e12, most), most);
  EXPECT_EQ(greedy_action(settings, 1e12, most), most);
  EXPECT_EQ(solve({settings, Vector(8, 1e12), 0, most}).status, QpStatus::optimal);
}

TEST(GreedyAction, CoversTheFirstForecastWithinAStepAndTheBoundsWin) {
  ReplicaQpSettings settings;  // 17.5 requests/s per replica
  EXPECT_EQ(greedy_action(settings, 87.5, 5), 5);
  EXPECT_EQ(greedy_action(settings, 87.6, 5), 6);
  EXPECT_EQ(greedy_action(settings, 1e18, 5), 7);
  EXPECT_EQ(greedy_action(settings, -3, 5), 3);
  settings.min_replicas = 6;
  EXPECT_EQ(greedy_action(settings, 60, 2), 6);
}

}  // namespace
}  // namespace mpca::mpc
