// What every policy of the registry promises, whatever its rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <string>

#include "core/random.h"
#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {

void PrintTo(const PolicyKind& kind, std::ostream* out) { *out << kind.name; }

namespace {

using test::observed;

std::string text_of(const PolicyKind& kind) { return kind.name == "static" ? "static:5" : std::string(kind.name); }

class EveryPolicy : public testing::TestWithParam<PolicyKind> {
 protected:
  std::unique_ptr<Policy> make() const { return create_policy(text_of(GetParam()), Workload{}, "test").value(); }

  /// 200 periods of wild demand, some late, some without metrics; spec follows the decision.
  template <class Visit>
  static void run(Policy& policy, int from, int to, int& replicas, Visit visit) {
    for (int step = from; step < to; ++step) {
      RandomStream random(11, "contract", static_cast<std::uint32_t>(step));
      Observation observation =
          observed(step * 15 + static_cast<int>(random.below(5)), replicas, random.uniform() * 300.0);
      observation.ready_replicas = std::max(0, replicas - static_cast<int>(random.below(3)));
      if (random.uniform() < 0.3)
        observation.in_flight_requests = Signal::fresh(random.uniform() * 60.0, std::chrono::seconds(1));
      if (random.uniform() < 0.2) observation.failed_rate_rps = Signal::fresh(random.uniform() * 50.0);
      if (random.uniform() < 0.2)
        observation.served_rate_rps = Signal::stale(random.uniform() * 300.0, std::chrono::minutes(1));
      if (random.uniform() < 0.1) observation.served_rate_rps = Signal{};
      // In use: what was served. A pod of 25 requests/s is busy at one core.
      if (random.uniform() > 0.1) observation.cpu_cores = Signal::fresh(observation.served_rate_rps.value / 25.0);
      const Decision decision = policy.decide(observation);
      visit(observation, decision);
      replicas = decision.replicas;
    }
  }
};

TEST_P(EveryPolicy, FromWithinTheBoundsItStaysWithinThem) {
  const auto policy = make();
  int replicas = 2;
  run(*policy, 0, 200, replicas, [](const Observation&, const Decision& decision) {
    EXPECT_GE(decision.replicas, Workload{}.min_replicas);
    EXPECT_LE(decision.replicas, Workload{}.max_replicas);
  });
}

TEST_P(EveryPolicy, TheSameObservationsGiveTheSameDecisions) {
  const auto first = make();
  const auto second = make();
  std::vector<Decision> decisions;
  int replicas = 2;
  run(*first, 0, 100, replicas, [&](const Observation&, const Decision& decision) { decisions.push_back(decision); });
  std::size_t next = 0;
  replicas = 2;
  run(*second, 0, 100, replicas,
      [&](const Observation&, const Decision& decision) { EXPECT_EQ(decision, decisions[next++]); });
}

TEST_P(EveryPolicy, ALoadedStateGoesOnBitForBit) {
  const auto original = make();
  int replicas = 2;
  run(*original, 0, 77, replicas, [](const Observation&, const Decision&) {});
  const auto restarted = make();
  ASSERT_TRUE(restarted->load_state(original->save_state()));
  EXPECT_EQ(restarted->save_state(), original->save_state());
  std::vector<Decision> decisions;
  int replicas_of_restarted = replicas;
  run(*original, 77, 160, replicas,
      [&](const Observation&, const Decision& decision) { decisions.push_back(decision); });
  std::size_t next = 0;
  run(*restarted, 77, 160, replicas_of_restarted,
      [&](const Observation&, const Decision& decision) { EXPECT_EQ(decision, decisions[next++]); });
}

TEST_P(EveryPolicy, AStateOfSomethingElseIsRefusedAndChangesNothing) {
  const auto policy = make();
  int replicas = 2;
  run(*policy, 0, 20, replicas, [](const Observation&, const Decision&) {});
  const std::string before = policy->save_state();
  EXPECT_FALSE(policy->load_state("mpca-state something-else 1\n"));
  EXPECT_FALSE(policy->load_state(""));
  EXPECT_EQ(policy->save_state(), before);
}

TEST_P(EveryPolicy, MissingMetricsNeverScaleDown) {
  const auto policy = make();
  const bool looks_at_nothing = GetParam().name == "static";  // it goes to its number, metrics or not
  for (int step = 0; step < 60; ++step) {
    Observation observation = observed(step * 15, 9, 0.0);
    observation.served_rate_rps = Signal{};
    const Decision decision = policy->decide(observation);
    EXPECT_EQ(decision.replicas, looks_at_nothing ? 5 : 9) << "step " << step;
    if (looks_at_nothing) continue;
    EXPECT_NE(decision.explanation.status.find("missing"), std::string::npos) << decision.explanation.status;
  }
}

TEST_P(EveryPolicy, EachDecisionHasASentence) {
  const auto policy = make();
  const Observation observation = observed(0, 2, 90.0);
  const Decision decision = policy->decide(observation);
  const std::string sentence = explanation_sentence(observation, decision);
  EXPECT_NE(sentence.find(std::to_string(decision.replicas)), std::string::npos) << sentence;
  EXPECT_FALSE(decision.explanation.rule.empty());
}

TEST_P(EveryPolicy, ItsSettingsAreDescribedAndUnknownKeysAreNamed) {
  for (const SettingInfo& info : GetParam().settings()) {
    EXPECT_FALSE(info.sentence.empty()) << info.name;
    EXPECT_FALSE(info.accepts.empty()) << info.name;
  }
  const auto refused = create_policy(std::string(GetParam().name) + ":no-such-key=1", Workload{}, "--policy");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no-such-key"), std::string::npos) << refused.error().message;
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryPolicy, testing::ValuesIn(policy_kinds().begin(), policy_kinds().end()),
                         [](const auto& test) {
                           std::string name(test.param.name);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryPolicy, ItsSweepIsMadeOfPoliciesThatCanBeCreatedAndAreDifferent) {
  const std::string text = std::string(GetParam().name) + ":sweep";
  const auto refused = create_policy(text, Workload{}, "--policy");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("sweep"), std::string::npos) << refused.error().message;
  const std::vector<std::string> family = expand_sweep(text);
  if (GetParam().sweep == nullptr) {
    EXPECT_EQ(family, std::vector{text});
    return;
  }
  EXPECT_GE(family.size(), 12U);
  EXPECT_EQ(std::set<std::string>(family.begin(), family.end()).size(), family.size());
  for (const std::string& each : family) {
    const auto made = create_policy(each, Workload{}, "test");
    EXPECT_TRUE(made) << each << ": " << made.error().message;
  }
}

TEST(Sweep, OfTheHpaIs30To90PercentInSixStabilizations) {
  const std::vector<std::string> family = expand_sweep("hpa:sweep");
  ASSERT_EQ(family.size(), 78U);  // 13 targets x 6
  EXPECT_EQ(family.front(), "hpa:target=30,stabilization=0s");
  EXPECT_EQ(family.back(), "hpa:target=90,stabilization=1200s");
  EXPECT_EQ(expand_sweep("reactive:sweep").size(), 50U);  // 10 targets x 5
}

TEST(Sweep, WhatFollowsIsAddedToEachAndOtherTextsStayAsTheyAre) {
  EXPECT_EQ(expand_sweep("hpa:sweep,cpu-request=0.5")[1], "hpa:target=30,stabilization=60s,cpu-request=0.5");
  EXPECT_EQ(expand_sweep("hpa:target=60"), std::vector<std::string>{"hpa:target=60"});
  EXPECT_EQ(expand_sweep("nonsense"), std::vector<std::string>{"nonsense"});
}

TEST(Registry, AnUnknownPolicyIsRefusedWithTheNearestName) {
  const auto refused = create_policy("reactiv:target=0.7", Workload{}, "--policy");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "--policy: unknown policy \"reactiv\" (did you mean \"reactive\"?); known: predictive, reactive, hpa, "
            "static, lab-mpc, lab-mpc-realistic, lab-online, lab-hpa, lab-hpa-realistic");
}

}  // namespace
}  // namespace mpca::policy
