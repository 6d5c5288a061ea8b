// The chain solver against a dense dual active-set method on drawn instances, and its optimality conditions on wild
// ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "mpc/replica_qp.h"
#include "support/dense_dual_active_set.h"
#include "support/replica_qp_cases.h"

namespace mpca::mpc {
namespace {

using test::DenseDualActiveSet;
using test::DenseForm;
using test::Real;
using test::ReplicaQpCase;
using Plan = std::vector<double>;

Plan plan_of(const ReplicaQpCase& instance) {
  auto qp = ReplicaQp::create(instance.settings);
  const QpSolution solution = qp->solve(instance.forecast_rps, instance.backlog_requests, instance.current_replicas);
  EXPECT_EQ(solution.status, QpStatus::optimal);
  EXPECT_NEAR(solution.objective, test::objective_of(instance, solution.replicas),
              1e-9 * std::abs(solution.objective) + 1e-12);
  return Plan(solution.replicas.begin(), solution.replicas.end());
}

double distance(std::span<const double> plan, std::span<const Real> other) {
  double result = 0;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    const auto d = static_cast<double>(std::abs(plan[i] - other[i]));
    if (!(d <= result)) result = d;  // a NaN stays and fails
  }
  return result;
}

TEST(ReplicaQpDifferential, TenThousandDrawnPlansEqualTheDenseMethods) {
  test::Draw draw(20240601);
  double worst = 0;
  for (int i = 0; i < 10'000; ++i) {
    const ReplicaQpCase instance = test::draw_replica_qp(draw, 1, 12, 200, 1.5);
    const Plan plan = plan_of(instance);
    const DenseForm form = test::dense_form(instance);
    const auto dense = DenseDualActiveSet::solve(form.P, form.q, form.G, form.h, 1e-11);
    ASSERT_TRUE(dense.has_value()) << "instance " << i;
    ASSERT_EQ(plan.size(), instance.forecast_rps.size()) << "instance " << i;
    const double off = distance(plan, dense->z);
    ASSERT_LE(off, 2e-7) << "instance " << i << ", " << plan.size() << " stages";
    worst = std::max(worst, off);
    ASSERT_LE(test::violation_of(instance, plan), 1e-12);
  }
  RecordProperty("largest_difference_replicas", std::to_string(worst));
}

TEST(ReplicaQpDifferential, WithoutAWeightOnChurnNoPlanIsCheaper) {
  // The optimum is not unique; the dense method needs a little churn weight to have one.
  test::Draw draw(7);
  for (int i = 0; i < 2'000; ++i) {
    ReplicaQpCase instance = test::draw_replica_qp(draw, 1, 12, 40, 1);
    instance.settings.beta = 0;
    const Plan plan = plan_of(instance);
    ASSERT_EQ(plan.size(), instance.forecast_rps.size()) << "instance " << i;
    ASSERT_LE(test::violation_of(instance, plan), 1e-12);
    DenseForm form = test::dense_form(instance);
    for (std::size_t k = 0; k < plan.size(); ++k) form.P[k][k] += 1e-8;
    const auto dense = DenseDualActiveSet::solve(form.P, form.q, form.G, form.h, 1e-10);
    ASSERT_TRUE(dense.has_value()) << "instance " << i;
    Plan other(plan.size());
    std::transform(dense->z.begin(), dense->z.begin() + static_cast<std::ptrdiff_t>(plan.size()), other.begin(),
                   [](Real x) { return static_cast<double>(x); });
    const double ours = test::objective_of(instance, plan), theirs = test::objective_of(instance, other);
    ASSERT_LE(ours, theirs + 1e-9 * std::abs(theirs) + 1e-9 * static_cast<double>(form.cost_scale)) << "instance " << i;
  }
}

TEST(ReplicaQpDifferential, WithoutAWeightOnBacklogNoPlanIsCheaper) {
  test::Draw draw(8);
  for (int i = 0; i < 2'000; ++i) {
    ReplicaQpCase instance = test::draw_replica_qp(draw, 1, 12, 40, 1);
    instance.settings.alpha = 0;
    const Plan plan = plan_of(instance);
    ASSERT_EQ(plan.size(), instance.forecast_rps.size()) << "instance " << i;
    DenseForm form = test::dense_form(instance);
    for (std::size_t k = 0; k < plan.size(); ++k) form.P[plan.size() + k][plan.size() + k] = 1e-12;
    for (std::size_t row = 0; row < form.h.size(); row += 6) form.h[row] = -1e6;  // demand that any plan serves
    const auto dense = DenseDualActiveSet::solve(form.P, form.q, form.G, form.h, 1e-11);
    ASSERT_TRUE(dense.has_value()) << "instance " << i;
    ASSERT_LE(distance(plan, dense->z), 1e-7) << "instance " << i;
  }
}

// With the multipliers of the dense method, our plan has to satisfy all four optimality conditions by itself.
TEST(ReplicaQpDifferential, WildPlansUpTo128StagesAnd5000ReplicasSatisfyTheOptimalityConditions) {
  test::Draw draw(31);
  for (int i = 0; i < 60; ++i) {
    const ReplicaQpCase instance = test::draw_replica_qp(draw, 30, 128, 5000, 1.5);
    const Plan plan = plan_of(instance);
    const DenseForm form = test::dense_form(instance);
    const auto dense = DenseDualActiveSet::solve(form.P, form.q, form.G, form.h, 1e-9);
    ASSERT_TRUE(dense.has_value()) << "instance " << i;
    ASSERT_EQ(plan.size(), instance.forecast_rps.size()) << "instance " << i;
    test::Vector z(plan.begin(), plan.end());
    const std::vector<double> backlog = test::backlog_of(instance, plan);
    z.insert(z.end(), backlog.begin(), backlog.end());

    const Real size = *std::max_element(z.begin(), z.end());
    const Real most_multiplier = *std::max_element(dense->multipliers.begin(), dense->multipliers.end());
    Real primal = 0, stationarity = 0, complementarity = 0, smallest_multiplier = 0;
    for (std::size_t row = 0; row < form.h.size(); ++row) {
      const Real slack = test::dot(form.G[row], z) - form.h[row];
      primal = std::max(primal, -slack);
      complementarity = std::max(complementarity, std::abs(slack) * dense->multipliers[row]);
      smallest_multiplier = std::min(smallest_multiplier, dense->multipliers[row]);
    }
    for (std::size_t k = 0; k < z.size(); ++k) {
      Real slope = test::dot(form.P[k], z) + form.q[k];
      for (std::size_t row = 0; row < form.h.size(); ++row) slope -= form.G[row][k] * dense->multipliers[row];
      stationarity = std::max(stationarity, std::abs(slope));
    }
    EXPECT_LE(primal, 1e-9 * size) << "instance " << i;
    EXPECT_LE(stationarity, 1e-7 * (1 + most_multiplier)) << "instance " << i;
    EXPECT_LE(complementarity, 1e-7 * (1 + most_multiplier) * size) << "instance " << i;
    EXPECT_GE(smallest_multiplier, -1e-9 * (1 + most_multiplier)) << "instance " << i;
  }
}

// Too large for the dense method: that each is solved at all, within its limits, and that no single change of one stage
// or of all later stages together is cheaper.
TEST(ReplicaQpDifferential, ThousandsOfWildPlansAreSolvedAndNoSmallChangeIsCheaper) {
  test::Draw draw(32);
  int unsolved = 0;
  for (int i = 0; i < 5'000; ++i) {
    const ReplicaQpCase instance = test::draw_replica_qp(draw, 1, 128, 5000, 3);
    auto qp = ReplicaQp::create(instance.settings);
    const QpSolution solution = qp->solve(instance.forecast_rps, instance.backlog_requests, instance.current_replicas);
    if (solution.status != QpStatus::optimal) {
      ++unsolved;
      continue;
    }
    ASSERT_LE(test::violation_of(instance, solution.replicas), 1e-9) << "instance " << i;
    const Plan plan(solution.replicas.begin(), solution.replicas.end());
    const double best = test::objective_of(instance, plan);
    for (int change = 0; change < 20; ++change) {
      Plan other = plan;
      const double by = draw.uniform(-1, 1) * draw.power_of_ten(-4, 0);
      const auto from = static_cast<std::size_t>(draw.integer(0, static_cast<int>(plan.size()) - 1));
      const std::size_t to = draw.chance(0.5) ? from + 1 : plan.size();
      for (std::size_t k = from; k < to; ++k) other[k] += by;
      double before = instance.current_replicas;
      for (double& x : other) {
        x = std::clamp(x, std::max<double>(instance.settings.min_replicas, before - instance.settings.max_step),
                       std::min<double>(instance.settings.max_replicas, before + instance.settings.max_step));
        before = x;
      }
      ASSERT_GE(test::objective_of(instance, other), best - 1e-9 * std::abs(best)) << "instance " << i;
    }
  }
  EXPECT_EQ(unsolved, 0);
}

}  // namespace
}  // namespace mpca::mpc
