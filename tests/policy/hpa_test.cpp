// The policy around the HPA's twin: its settings, what it makes of an observation, what it says.
#include <gtest/gtest.h>

#include "core/text.h"
#include "policy/hpa/hpa_settings.h"
#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using std::chrono::seconds;

std::unique_ptr<Policy> make(const std::string& settings = "", const Workload& workload = {}) {
  auto made = create_policy("hpa:" + settings, workload, "test");
  EXPECT_TRUE(made) << made.error().message;
  return std::move(made).value();
}

Observation busy(int second, int replicas, double cores) {
  Observation observation = test::observed(second, replicas, cores * 25.0);
  observation.cpu_cores = Signal::fresh(cores);
  return observation;
}

TEST(Hpa, RunsAt60PercentOfTheRequest) {
  const auto policy = make();
  // 3.2 of 4 cores is 80 %: ceil(4 x 80 / 60) = ceil(5.33)
  const Decision decision = policy->decide(busy(15, 4, 3.2));
  EXPECT_EQ(decision.replicas, 6);
  EXPECT_NEAR(*decision.explanation.recommendation, 5.333, 1e-3);
  EXPECT_EQ(*decision.explanation.demand_rps, 80.0);  // 3.2 cores x 25
  EXPECT_EQ(named_value(decision.explanation, "utilization"), 0.8);
  EXPECT_EQ(decision.explanation.status, "SucceededRescale, ValidMetricFound, DesiredWithinRange");
}

TEST(Hpa, InsideTheToleranceItHoldsAndSaysSo) {
  const Decision decision = make()->decide(busy(15, 4, 2.6));  // 65 / 60 = 1.083
  EXPECT_EQ(decision.replicas, 4);
  ASSERT_EQ(decision.explanation.guards.size(), 1U);
  EXPECT_EQ(decision.explanation.guards[0], (GuardStep{"tolerance", 5, 4}));
}

TEST(Hpa, GoesDownOnlyAfterItsStabilizationAndWithoutOneAtOnce) {
  const auto held = make();
  EXPECT_EQ(held->decide(busy(0, 8, 1.0)).replicas, 8);
  const Decision decision = held->decide(busy(300, 8, 1.0));
  EXPECT_EQ(decision.replicas, 8);
  EXPECT_EQ(decision.explanation.guards.back(), (GuardStep{"stabilization", 2, 8}));
  EXPECT_EQ(held->decide(busy(315, 8, 1.0)).replicas, 2);  // 12 % / 60 % x 8 = 1.6
  EXPECT_EQ(make("stabilization=0s")->decide(busy(0, 8, 1.0)).replicas, 2);
}

TEST(Hpa, DoublesAtMostAndKeepsTheWorkloadsBounds) {
  const Decision doubled = make("", {.max_replicas = 100})->decide(busy(15, 5, 50.0));
  EXPECT_EQ(doubled.replicas, 10);
  EXPECT_EQ(doubled.explanation.guards.back(), (GuardStep{"scale_up_limit", 84, 10}));  // 1000 / 60 x 5 = 83.3
  EXPECT_EQ(make()->decide(busy(15, 12, 50.0)).replicas, 12);
  EXPECT_EQ(make("max=9")->decide(busy(15, 12, 12.0)).replicas, 9);
}

TEST(Hpa, BehaviorReplacesTheLegacyRules) {
  const auto policy = make("up-policies=pods:1/60s,down-window=0s");
  EXPECT_EQ(policy->decide(busy(15, 4, 4.0)).replicas, 5);
  EXPECT_EQ(policy->decide(busy(30, 5, 5.0)).replicas, 5);
  EXPECT_EQ(policy->decide(busy(45, 5, 0.3)).replicas, 2);  // no window: 6 % / 60 % x 5 = 0.5, the workload's minimum
}

TEST(Hpa, StartingPodsOfACountCountAsIdle) {
  Observation observation = busy(1000, 4, 3.0);
  observation.ready_replicas = 3;
  observation.starting_pod_ages = {seconds(20)};
  // 100 % / 60 % = 1.67; with an idle fourth 75 % / 60 % = 1.25, x 4 = 5
  EXPECT_EQ(make()->decide(observation).replicas, 5);
}

TEST(Hpa, SinglePodsAreLookedAtOneByOne) {
  Observation observation = busy(1000, 4, 99.0);
  for (int i = 0; i < 4; ++i) {
    PodObservation pod;
    pod.id = i + 7;
    pod.started = pod.ready_changed = TimePoint(seconds(100));
    pod.is_ready = true;
    pod.cpu_cores = Signal::fresh(0.9, seconds(10));
    pod.cpu_window = seconds(30);
    observation.pods.push_back(pod);
  }
  observation.pods[3].cpu_cores = Signal{};  // missing: idle on the way up. 270 / 400 is 67 %: 1.12 x 4 = 4.47
  const Decision decision = make()->decide(observation);
  EXPECT_EQ(decision.replicas, 5);
  EXPECT_NEAR(*decision.explanation.demand_rps, 67.5, 1e-9);
  observation.now += seconds(15);
  observation.pods[3].is_terminating = true;  // ignored: 90 / 60 x 3 = 4.5
  EXPECT_EQ(make()->decide(observation).replicas, 5);
}

TEST(Hpa, AMissingMetricHoldsAsUpstreamDoes) {
  const Decision decision = make()->decide(test::observed(15, 7, 0.0));
  EXPECT_EQ(decision.replicas, 7);
  EXPECT_EQ(decision.explanation.status, "SucceededGetScale, FailedGetResourceMetric: hold, the metric is missing");
}

TEST(Hpa, TakesOtherMetricsAndTheLargestOfSeveral) {
  Observation observation = busy(15, 4, 2.4);  // at target
  observation.served_rate_rps = Signal::fresh(100.0);
  observation.in_flight_requests = Signal::fresh(30.0);
  EXPECT_EQ(make("metrics=pods/served-rate:20")->decide(observation).replicas, 5);          // 25 / 20 x 4
  EXPECT_EQ(make("metrics=external/in-flight:5")->decide(observation).replicas, 6);         // 30 / 5
  EXPECT_EQ(make("metrics=external-value/in-flight:15")->decide(observation).replicas, 8);  // 30 / 15 x 4
  EXPECT_EQ(make("metrics=cpu;external/in-flight:5")->decide(observation).replicas, 6);
  EXPECT_EQ(make("metrics=cpu:500m")->decide(observation).replicas, 5);  // 0.6 / 0.5 x 4 = 4.8
  EXPECT_EQ(make("cpu-request=0.5")->decide(observation).replicas, 8);   // 120 % / 60 % x 4
}

TEST(Hpa, EveryTextThatIsNotOfTheGrammarIsNamed) {
  const auto refused = create_policy(
      "hpa:metrics=cpu;queue:5,up-policies=pods:4,up-window=2h,down-select=most,down-tolerance=-1,min=5,max=3", {},
      "--policy");
  ASSERT_FALSE(refused);
  for (const std::string_view words :
       {"--policy hpa: metrics has \"queue:5\"; must be", "up-policies is \"pods:4\"; must be default or a list",
        "up-window is \"2h\"; must be default or whole seconds", "down-select is \"most\"; must be one of",
        "down-tolerance is \"-1\"; must be", "max is 3; must be >= min, which is 5"}) {
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << words << "\nin\n" << refused.error().message;
  }
}

TEST(HpaSettings, AnObjectAsTextIsReadBackAsTheSameObject) {
  const Workload workload{.max_replicas = 50};
  HpaSettings settings;
  ASSERT_TRUE(set_from_text(settings_of(settings),
                            "metrics=cpu:60%;container-cpu:250m;pods/served-rate:12500m;external/in-flight:5;"
                            "external-value/offered-rate:500;object-value/in-flight:9;object/cpu:2,min=3,max=40,"
                            "up-window=30s,up-select=min,up-policies=pods:4/15s;percent:100/60s,"
                            "up-tolerance=0.5750000000000001,down-select=disabled",
                            "test"));
  const auto plan = plan_hpa(settings, workload, "test");
  ASSERT_TRUE(plan) << plan.error().message;
  const auto text = hpa_settings_text(plan->spec, "test");
  ASSERT_TRUE(text) << text.error().message;
  HpaSettings again;
  ASSERT_TRUE(set_from_text(settings_of(again), *text, "test")) << *text;
  const auto plan_again = plan_hpa(again, workload, "test");
  ASSERT_TRUE(plan_again);
  EXPECT_EQ(plan_again->spec, plan->spec) << *text;
  EXPECT_EQ(plan_again->signals, plan->signals);
}

}  // namespace
}  // namespace mpca::policy
