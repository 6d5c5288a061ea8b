// The lab's rules at their corners, by hand; the recorded runs are checked by reference_parity.
#include <gtest/gtest.h>

#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using test::observed;

std::unique_ptr<Policy> make(const std::string& text, const Workload& workload = {}) {
  return create_policy(text, workload, "test").value();
}

// Capacity 25 rps, target 0.6: one replica carries 15 rps.
TEST(LabHpa, UpAtMostMaxStepAndDownAfterFiveLowerPeriods) {
  const auto policy = make("lab-hpa");
  EXPECT_EQ(policy->decide(observed(0, 2, 150)).replicas, 4);
  EXPECT_EQ(policy->decide(observed(15, 4, 150)).replicas, 6);
  for (int period = 0; period < 5; ++period) {
    EXPECT_EQ(policy->decide(observed(30 + 15 * period, 6, 20)).replicas, 6) << period;
  }
  EXPECT_EQ(policy->decide(observed(105, 6, 20)).replicas, 4);
}

TEST(LabHpa, FromBelowTheMinimumItWalksInByMaxStep) {
  Workload workload;
  workload.min_replicas = 6;
  EXPECT_EQ(make("lab-hpa", workload)->decide(observed(0, 2, 20)).replicas, 4);
}

TEST(LabHpaRealistic, AtMostDoublesAndWaitsTwentyPeriodsToLower) {
  const auto policy = make("lab-hpa-realistic");
  EXPECT_EQ(policy->decide(observed(0, 2, 150)).replicas, 4);
  for (int period = 1; period < 20; ++period)
    EXPECT_EQ(policy->decide(observed(15 * period, 4, 20)).replicas, 4) << period;
  EXPECT_EQ(policy->decide(observed(300, 4, 20)).replicas, 2);
}

TEST(LabHpaRealistic, NeverLowersWhilePodsAreStarting) {
  const auto policy = make("lab-hpa-realistic:down-steps=0");
  Observation starting = observed(0, 6, 20);
  starting.ready_replicas = 4;
  EXPECT_EQ(policy->decide(starting).replicas, 6);
}

// mu rho* = 17.5 rps per replica; after one period of 80 rps on 2 ready replicas the backlog is 15 (80 - 35) = 675.
TEST(LabMpc, BacklogGrowsByWhatTheReadyReplicasDoNotServe) {
  const auto policy = make("lab-mpc");
  const Decision decision = policy->decide(observed(0, 2, 80));
  EXPECT_EQ(decision.explanation.values[0], (NamedValue{"backlog_requests", 675.0}));
  EXPECT_EQ(decision.replicas, 4) << "max_step";
  EXPECT_EQ(decision.explanation.status, "optimal");
}

TEST(LabMpc, ALatePeriodAddsItsRealLength) {
  const auto policy = make("lab-mpc");
  policy->decide(observed(0, 2, 80));
  const Decision late = policy->decide(observed(45, 4, 80));  // 45 s at 80 - 70 rps
  EXPECT_EQ(late.explanation.values[0], (NamedValue{"backlog_requests", 675.0 + 450.0}));
}

TEST(LabMpc, WithoutASolutionTheGreedyRuleDecidesAndSaysSo) {
  Workload workload;
  workload.min_replicas = 6;  // from 2 with max_step 2 no plan gets there
  const Decision decision = make("lab-mpc", workload)->decide(observed(0, 2, 20));
  EXPECT_EQ(decision.replicas, 6);
  EXPECT_EQ(decision.explanation.status, "greedy");
}

TEST(LabMpcRealistic, AnEmergencyAddsFourWithinTheMaximum) {
  const auto policy = make("lab-mpc-realistic");
  Observation queued = observed(0, 4, 60);
  queued.in_flight_requests = Signal::fresh(40);
  EXPECT_EQ(policy->decide(queued).replicas, 8);
  Observation near_max = observed(15, 10, 60);
  near_max.in_flight_requests = Signal::fresh(40);
  EXPECT_EQ(policy->decide(near_max).replicas, 12);
}

TEST(LabMpcRealistic, InFlightCountsFourfoldUpToTheCap) {
  const auto policy = make("lab-mpc-realistic");
  Observation one = observed(0, 4, 60);
  one.in_flight_requests = Signal::fresh(10);
  EXPECT_EQ(policy->decide(one).explanation.demand_rps, 100.0);
  Observation two = observed(15, 4, 390);
  two.in_flight_requests = Signal::fresh(10);
  EXPECT_EQ(policy->decide(two).explanation.demand_rps, 400.0);
}

TEST(LabMpc, ASurgeOfTheServedRateAddsAtOnce) {
  const auto policy = make("lab-mpc:surge-delta=50,surge-step=6");
  policy->decide(observed(0, 2, 20));
  EXPECT_EQ(policy->decide(observed(15, 2, 75)).replicas, 8);
}

TEST(Explanation, SaysDemandRuleGuardsAndOutcome) {
  const Observation observation = observed(0, 2, 150);
  const Decision decision = make("lab-hpa")->decide(observation);
  EXPECT_EQ(explanation_sentence(observation, decision),
            "demand 150.0 rps (served rate), the rule ceil(demand / (capacity x target)) asks for 10.00, max_step 10 "
            "-> 4: raise from 2 "
            "to 4 replicas");
}

}  // namespace
}  // namespace mpca::policy
