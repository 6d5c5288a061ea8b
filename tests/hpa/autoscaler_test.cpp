#include "hpa/autoscaler.h"

#include <gtest/gtest.h>

#include "core/random.h"
#include "support/hpa_cases.h"

namespace mpca::hpa {
namespace {

using test::at;
using test::Followed;
using test::wanted_spec;

Spec with_behavior(ScalingRules up, ScalingRules down) {
  Spec spec = wanted_spec(0, 1000);
  spec.behavior = Behavior{std::move(up), std::move(down)};
  return spec;
}

ScalingRules rules(std::vector<ScalingPolicy> policies, int window = 0) {
  ScalingRules rules;
  rules.stabilization_window_seconds = window;
  rules.policies = std::move(policies);
  return rules;
}

std::vector<std::pair<int, int>> recommendations(const HorizontalPodAutoscaler& twin) {
  std::vector<std::pair<int, int>> all;
  for (const Recommendation& past : *twin.memory().recommendations)
    all.emplace_back(past.replicas, static_cast<int>(seconds_since_epoch(past.time)));
  return all;
}

using Slots = std::vector<std::pair<int, int>>;

TEST(RateLimit, FiftyAndTenPercentIs56BecauseOfTheOrderOfOperations) {
  Followed hpa(with_behavior(rules({{PolicyType::percent, 10, 60}}), rules({{PolicyType::percent, 100, 60}})), {}, 50);
  EXPECT_EQ(hpa.sync(100, 500), 56);  // ceil(50 x (1 + 10 / 100)) = ceil(55.00000000000001)
}

TEST(RateLimit, TenLessNinetyPercentIsNoneAndLessEightyIsOne) {
  Followed to_none(with_behavior(rules({{PolicyType::percent, 10, 60}}), rules({{PolicyType::percent, 90, 60}})), {},
                   10);
  EXPECT_EQ(to_none.sync(100, 0), 0);  // int(10 x 0.09999999999999998)
  Followed to_one(with_behavior(rules({{PolicyType::percent, 10, 60}}), rules({{PolicyType::percent, 80, 60}})), {},
                  10);
  EXPECT_EQ(to_one.sync(100, 0), 1);  // int(10 x 0.19999999999999996)
}

TEST(RateLimit, CountsFromTheSizeAtThePeriodsStartInBothDirections) {
  Followed hpa(with_behavior(rules({{PolicyType::pods, 4, 60}}), rules({{PolicyType::pods, 2, 60}})), {}, 10);
  EXPECT_EQ(hpa.sync(100, 100), 14);
  EXPECT_EQ(hpa.sync(115, 100), 14);  // 10 at the start, + 4
  EXPECT_EQ(hpa.sync(130, 0), 8);     // 10 at the start, - 2
  EXPECT_EQ(hpa.sync(159, 100), 14);  // 8 - 4 + 6 = 10 again
  EXPECT_EQ(hpa.sync(160, 100), 18);  // the first + 4 is 60 s old and out: 14 - 6 + 6 at the start, + 4
}

TEST(RateLimit, DisabledMeansTheDirectionIsClosed) {
  ScalingRules closed = rules({{PolicyType::pods, 4, 60}});
  closed.select_policy = SelectPolicy::disabled;
  Followed hpa(with_behavior(closed, rules({{PolicyType::percent, 100, 15}})), {}, 10);
  EXPECT_EQ(hpa.sync(100, 100), 10);
  EXPECT_EQ(hpa.twin.status().find(ConditionType::scaling_limited)->reason, Reason::scale_up_limit);
  EXPECT_EQ(hpa.sync(115, 3), 3);
}

TEST(Legacy, DoublesButAtLeastToFourAndNamesTheLimit) {
  Followed hpa(wanted_spec(1, 100));
  EXPECT_EQ(hpa.sync(15, 50), 4);
  EXPECT_EQ(hpa.sync(30, 50), 8);
  EXPECT_EQ(hpa.sync(45, 50), 16);
  EXPECT_EQ(hpa.sync(60, 50), 32);
  EXPECT_EQ(hpa.sync(75, 50), 50);
  EXPECT_EQ(hpa.twin.status().find(ConditionType::scaling_limited)->reason, Reason::desired_within_range);
}

TEST(Legacy, TheWindowHoldsTheGreatestAndItsEdgeIsInside) {
  Followed hpa(wanted_spec(1, 100), {}, 4, Memory{std::vector<Recommendation>{}, {}, {}});
  EXPECT_EQ(hpa.sync(0, 8), 8);
  for (int second = 15; second <= 300; second += 15) EXPECT_EQ(hpa.sync(second, 2), 8) << second;
  EXPECT_EQ(hpa.sync(315, 2), 2);
}

// Slots, by hand: 300 s window. The first two are too old at 1000, the last of them is overwritten.
TEST(Legacy, TheLastSlotThatIsTooOldIsOverwritten) {
  Memory memory;
  memory.recommendations = {{9, at(500)}, {7, at(990)}, {8, at(699)}, {6, at(700)}};
  Followed hpa(wanted_spec(1, 100), {}, 5, memory);
  hpa.sync(1000, 3);
  EXPECT_EQ(recommendations(hpa.twin), (Slots{{9, 500}, {7, 990}, {3, 1000}, {6, 700}}));
  EXPECT_EQ(hpa.result.stabilized_replicas, 7);
}

TEST(Legacy, WithoutAWindowTheFirstRecommendationIsOverwrittenAtOnce) {
  ControllerSettings settings;
  settings.downscale_stabilization = Duration::zero();
  Followed hpa(wanted_spec(1, 100), settings, 8);
  EXPECT_EQ(hpa.sync(100, 2), 2);
  EXPECT_EQ(recommendations(hpa.twin), (Slots{{2, 100}}));
}

TEST(Legacy, AnOldHigherRecommendationScalesUpAgainAfterSomebodyScaledDown) {
  Followed hpa(wanted_spec(1, 100), {}, 4);
  hpa.sync(15, 6);
  hpa.replicas = 2;
  EXPECT_EQ(hpa.sync(30, 2), 4);  // 6 is remembered; at most 4
  EXPECT_EQ(rescale_reason_text(hpa.twin, hpa.result), "");
}

TEST(Windows, AreOpenAtTheirEdgeWithBehavior) {
  Memory memory;
  memory.recommendations = {{9, at(940)}};
  Followed hpa(with_behavior(rules({{PolicyType::pods, 100, 60}}), rules({{PolicyType::percent, 100, 60}}, 60)), {}, 5,
               memory);
  EXPECT_EQ(hpa.sync(1000, 3), 3);  // exactly 60 s old: not in the window; legacy would hold
}

TEST(Restart, ForgetsRecommendationsAndStartsFromThePresentSize) {
  Followed hpa(wanted_spec(1, 100), {}, 4);
  hpa.sync(15, 8);
  hpa.twin.forget();
  EXPECT_EQ(hpa.sync(30, 2), 8);
  EXPECT_EQ(recommendations(hpa.twin), (Slots{{8, 30}, {2, 30}}));
}

TEST(Metrics, OneThatFailsStopsScalingDownButNotUp) {
  Spec spec = wanted_spec(1, 100);
  spec.metrics.push_back(spec.metrics[0]);
  for (const auto& [wanted, expected] : {std::pair{2, 5}, std::pair{8, 8}}) {
    HorizontalPodAutoscaler twin(spec, {});
    const std::int64_t value = wanted * 1000;
    MetricAnswer answers[2];
    answers[0].failed = true;
    answers[1].values = std::span(&value, 1);
    SyncInput input;
    input.now = at(100);
    input.spec_replicas = input.status_replicas = 5;
    input.answers = answers;
    EXPECT_EQ(twin.sync(input).desired_replicas, expected);
    EXPECT_EQ(twin.status().find(ConditionType::scaling_active)->reason,
              expected == 8 ? Reason::valid_metric_found : Reason::failed_get_external_metric);
  }
}

TEST(Status, IsWrittenOnlyWhenSomethingDiffers) {
  Followed hpa(wanted_spec(1, 100), {}, 4);
  hpa.sync(15, 4);
  EXPECT_TRUE(hpa.result.status_written);
  hpa.sync(30, 4);
  EXPECT_FALSE(hpa.result.status_written);
  const TimePoint since = hpa.twin.status().find(ConditionType::scaling_active)->last_transition;
  hpa.sync(45, 5);
  EXPECT_TRUE(hpa.result.status_written);
  EXPECT_EQ(hpa.twin.status().find(ConditionType::scaling_active)->last_transition, since);
  EXPECT_EQ(hpa.twin.status().last_scale_time, at(45));
}

TEST(Zero, SwitchesScalingOffUnlessTheMinimumIsZero) {
  Followed off(wanted_spec(1, 10), {}, 0);
  EXPECT_EQ(off.sync(15, 5), 0);
  EXPECT_EQ(off.twin.status().find(ConditionType::scaling_active)->reason, Reason::scaling_disabled);
  Followed on(wanted_spec(0, 10), {}, 0);
  EXPECT_EQ(on.sync(15, 3), 3);
}

ScalingRules random_rules(RandomStream& random) {
  ScalingRules made;
  if (random.uniform() < 0.7) made.stabilization_window_seconds = static_cast<int>(random.below(5)) * 60;
  if (random.uniform() < 0.5) made.select_policy = random.uniform() < 0.5 ? SelectPolicy::min : SelectPolicy::max;
  if (random.uniform() < 0.7) {
    made.policies.emplace();
    for (std::uint64_t i = 0; i <= random.below(3); ++i) {
      made.policies->push_back({random.uniform() < 0.5 ? PolicyType::pods : PolicyType::percent,
                                1 + static_cast<int>(random.below(120)), 15 * (1 + static_cast<int>(random.below(8)))});
    }
  }
  return made;
}

TEST(EveryObject, StaysWithinItsBoundsAndEndsAtASteadyNeed) {
  for (std::uint32_t round = 0; round < 300; ++round) {
    RandomStream random(5, "hpa objects", round);
    const int min = 1 + static_cast<int>(random.below(4));
    const int max = min + static_cast<int>(random.below(30));
    Spec spec = wanted_spec(min, max);
    if (random.uniform() < 0.7) spec.behavior = Behavior{random_rules(random), random_rules(random)};
    ControllerSettings exact;
    exact.tolerance = 0.0;
    Followed hpa(spec, exact, min);
    for (int step = 1; step <= 100; ++step) {
      const int before = hpa.replicas;
      const auto wanted = static_cast<std::int64_t>(random.below(50));
      hpa.sync(step * 15, wanted);
      ASSERT_GE(hpa.replicas, min);
      ASSERT_LE(hpa.replicas, max);
      ASSERT_EQ(hpa.result.rescaled, hpa.replicas != before);
      // Without an upward window a need is met at once as far as limits let it.
      if (spec.behavior || wanted <= before) continue;
      ASSERT_GE(hpa.replicas, std::min<std::int64_t>({wanted, max, std::max(2 * before, 4)}));
    }
    // Hours of the same need end there: nothing is remembered longer than a window or a period.
    for (int step = 101; step <= 1000; ++step) hpa.sync(step * 15, 12);
    EXPECT_EQ(hpa.replicas, std::clamp(12, min, max)) << "round " << round;
  }
}

}  // namespace
}  // namespace mpca::hpa
