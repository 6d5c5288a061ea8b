#include <gtest/gtest.h>

#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;
using test::observed;

// Capacity 25 rps, target 0.7: one replica carries 17.5 rps.
std::unique_ptr<Policy> reactive(std::string_view settings = "target=0.7,hold=120s") {
  return create_policy("reactive:" + std::string(settings), Workload{}, "test").value();
}

TEST(Reactive, ReplicasCoverTheDemandAtTheTarget) {
  EXPECT_EQ(reactive()->decide(observed(0, 2, 80)).replicas, 5);    // 80 / 17.5 = 4.57
  EXPECT_EQ(reactive()->decide(observed(0, 2, 87.5)).replicas, 5);  // exactly 5
  EXPECT_EQ(reactive()->decide(observed(0, 2, 500)).replicas, 12) << "the maximum";
  EXPECT_EQ(reactive()->decide(observed(0, 2, 0)).replicas, 2) << "the minimum";
}

TEST(Reactive, DownGoesOnlyToTheGreatestNeedOfTheHold) {
  const auto policy = reactive();
  EXPECT_EQ(policy->decide(observed(0, 2, 160)).replicas, 10);
  EXPECT_EQ(policy->decide(observed(15, 10, 80)).replicas, 10);
  EXPECT_EQ(policy->decide(observed(105, 10, 20)).replicas, 10) << "the need of 10 is 105 s old";
  EXPECT_EQ(policy->decide(observed(120, 10, 20)).replicas, 5) << "it has left the window of 120 s, that of 5 has not";
  EXPECT_EQ(policy->decide(observed(240, 5, 20)).replicas, 2);
}

TEST(Reactive, WithoutAHoldItFollowsAtOnce) {
  const auto policy = reactive("hold=0s");
  EXPECT_EQ(policy->decide(observed(0, 2, 160)).replicas, 10);
  EXPECT_EQ(policy->decide(observed(15, 10, 20)).replicas, 2);
}

// In flight grows by 300 within 15 s: 20 rps more than is served and failed.
TEST(Reactive, FailuresAndTheGrowthOfInFlightAreDemand) {
  const auto policy = reactive();
  Observation first = observed(0, 4, 70);
  first.failed_rate_rps = Signal::fresh(10);
  first.in_flight_requests = Signal::fresh(100);
  const Decision one = policy->decide(first);
  EXPECT_EQ(one.explanation.demand_rps, 80.0) << "one sample of in-flight has no change yet";
  Observation second = observed(15, 5, 70);
  second.failed_rate_rps = Signal::fresh(10);
  second.in_flight_requests = Signal::fresh(400);
  const Decision two = policy->decide(second);
  EXPECT_EQ(two.explanation.demand_rps, 100.0);
  EXPECT_EQ(two.replicas, 6);
  EXPECT_EQ(two.explanation.demand_source, "served rate + failed rate + change of in flight");
}

TEST(Reactive, ASampleSeenAgainIsNoNewChange) {
  const auto policy = reactive();
  Observation first = observed(0, 4, 70);
  first.in_flight_requests = Signal::fresh(0);
  policy->decide(first);
  Observation second = observed(30, 4, 70);
  second.in_flight_requests = Signal::fresh(300, 15s);  // sampled at 15 s: +20 rps
  EXPECT_EQ(policy->decide(second).explanation.demand_rps, 90.0);
  Observation third = observed(45, 4, 70);
  third.in_flight_requests = Signal::fresh(300, 30s);  // the same sample
  EXPECT_EQ(policy->decide(third).explanation.demand_rps, 90.0);
}

TEST(Reactive, StaleMetricsMayRaiseButNotLower) {
  const auto policy = reactive("hold=0s");
  Observation low = observed(0, 8, 20);
  low.served_rate_rps = Signal::stale(20, 90s);
  const Decision held = policy->decide(low);
  EXPECT_EQ(held.replicas, 8);
  EXPECT_EQ(held.explanation.status, "hold: the served rate is stale");
  Observation high = observed(15, 8, 160);
  high.served_rate_rps = Signal::stale(160, 90s);
  EXPECT_EQ(policy->decide(high).replicas, 10);
}

}  // namespace
}  // namespace mpca::policy
