// The reference lab's instances; tolerances as its README states them (docs of tests/data/reference/vectors).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mpc/replica_qp.h"
#include "support/replica_qp_json.h"

namespace mpca::mpc {
namespace {

TEST(ReplicaQpVectors, EveryInstanceOfTheReferenceLabAgrees) {
  std::ifstream file(std::string(MPCA_TEST_DATA) + "/reference/vectors/qp.json");
  ASSERT_TRUE(file.is_open());
  const nlohmann::json vectors = nlohmann::json::parse(file);
  ASSERT_EQ(vectors.size(), 162);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.at("id").dump() + " " + vector.at("tag").dump());
    const auto& in = vector.at("in");
    const auto forecast = in.at("forecast").get<std::vector<double>>();
    const int current = in.at("r_current").get<int>();
    const ReplicaQpSettings settings = test::replica_qp_settings(in);
    auto qp = ReplicaQp::create(settings);
    ASSERT_TRUE(qp.has_value());
    const QpSolution solution = qp->solve(forecast, in.at("b0"), current);
    EXPECT_EQ(greedy_action(settings, forecast[0], current), vector.at("greedy_action").get<int>());
    if (vector.at("status") == "no_solution") {
      EXPECT_EQ(solution.status, QpStatus::infeasible);
      continue;
    }
    ASSERT_EQ(solution.status, QpStatus::optimal);
    const double objective = vector.at("objective");
    EXPECT_NEAR(solution.objective, objective, 1e-9 * std::abs(objective));
    double before = current;
    for (const double x : solution.replicas) {
      EXPECT_GE(x, settings.min_replicas - 1e-9);
      EXPECT_LE(x, settings.max_replicas + 1e-9);
      EXPECT_LE(std::abs(x - before), settings.max_step + 1e-9);
      before = x;
    }
    if (!vector.at("x_unique")) continue;
    const auto expected = vector.at("x").get<std::vector<double>>();
    for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(solution.replicas[k], expected[k], 1e-7) << k;
    // Near a rounding boundary either neighbour is right; elsewhere the integer has to be the same.
    const int action = rounded_action(settings, solution.replicas[0], current);
    if (vector.at("x0_near_boundary"))
      EXPECT_LE(std::abs(action - vector.at("action").get<int>()), 1);
    else
      EXPECT_EQ(action, vector.at("action").get<int>());
  }
}

}  // namespace
}  // namespace mpca::mpc
