#include "hpa/replica_calculator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "support/hpa_cases.h"

namespace mpca::hpa {
namespace {

using test::at;
using test::cpu_percent;
using test::Group;

TEST(ReplicaCalculator, UtilizationIsCutToWholePercent) {
  Group group;
  group.add(699);  // 2 x 699 of 2 x 1000 is 69.9 %, cut to 69: ratio 69 / 60 = 1.15
  group.add(699);
  const Proposal proposal = group.propose(cpu_percent(60));
  EXPECT_EQ(proposal.utilization, 69);
  EXPECT_EQ(proposal.average_value_milli, 699);
  EXPECT_EQ(proposal.ratio, 69.0 / 60.0);
  EXPECT_EQ(proposal.replicas, 3);  // ceil(2.3)
}

TEST(ReplicaCalculator, ExactlyAtTheUpperEdgeOfTheToleranceNothingChanges) {
  Group group;
  for (int i = 0; i < 10; ++i) group.add(660);  // 66 / 60 = 1.1
  EXPECT_EQ(group.propose(cpu_percent(60)).replicas, 10);
  EXPECT_EQ(group.propose(cpu_percent(60)).hold, Hold::tolerance);
  group.samples[0].value_milli += 100;                     // 67 %
  EXPECT_EQ(group.propose(cpu_percent(60)).replicas, 12);  // ceil(10 x 67 / 60) = ceil(11.17)
}

TEST(ReplicaCalculator, AnUnreadyPodCountsAsIdleOnTheWayUp) {
  Group group;
  for (int i = 0; i < 3; ++i) group.add(1200);  // 120 % / 60 % = 2
  group.add(900).phase = PodPhase::pending;     // 3600 / 4000 is 90 %: 1.5 x 4 = 6
  const Proposal proposal = group.propose(cpu_percent(60));
  EXPECT_EQ(proposal.ratio, 2.0);
  EXPECT_EQ(proposal.full_ratio, 1.5);
  EXPECT_EQ(proposal.replicas, 6);
  EXPECT_EQ(proposal.classes.back(), PodClass::unready);
}

TEST(ReplicaCalculator, AMissingPodUsesAllItsRequestOnTheWayDownAndTurnsTheDirectionAround) {
  Group group;
  group.add(500);
  group.add_silent();  // 500 / 1000 is 50 %: 0.83. With 1000 assumed, 1500 / 2000 is 75 %: 1.25, the other direction
  const Proposal proposal = group.propose(cpu_percent(60));
  EXPECT_EQ(proposal.hold, Hold::direction_of_ratio);
  EXPECT_EQ(proposal.replicas, 2);
}

TEST(ReplicaCalculator, ATargetAbove100PercentIsAssumedOfMissingPods) {
  Group group;
  group.add(300);
  group.add(300);
  group.add_silent();  // 30 / 150 = 0.2; with 1500 assumed, 2100 / 3000 is 70 %: 0.4667 x 3 = 1.4
  EXPECT_EQ(group.propose(cpu_percent(150)).replicas, 2);
}

TEST(ReplicaCalculator, SoFewPodsThatTheResultWouldGoTheOtherWayChangeNothing) {
  Group group;
  group.add(1000);
  group.add(1000);
  group.add_silent();                   // 100 / 60; with idle 2000 / 3000 is 66 %: 1.1 is within; make it 75 %
  group.samples[0].value_milli = 1250;  // 2250 / 3000 = 75 %: 1.25 x 3 pods = 4 of 10 replicas: down on a rising metric
  const Proposal proposal = group.propose(cpu_percent(60), 10);
  EXPECT_EQ(proposal.hold, Hold::direction_of_result);
  EXPECT_EQ(proposal.replicas, 10);
}

TEST(ReplicaCalculator, SamplesOfPodsThatAreNotListedCountInNumberOnly) {
  Group group;
  group.add(900);
  group.add_silent();
  group.samples.push_back({kUnlistedPod, 5000, at(10'000), {}});
  // 90 / 60 = 1.5; the silent pod idle: 900 / 2000 is 45 %: 0.75, the direction turns.
  EXPECT_EQ(group.propose(cpu_percent(60)).hold, Hold::direction_of_ratio);
  // At 30 %: 3; idle: 45 / 30 = 1.5 x 3 samples, the unlisted one is among them, = 4.5.
  EXPECT_EQ(group.propose(cpu_percent(30)).replicas, 5);
}

TEST(ReplicaCalculator, AYoungPodNeedsAWholeWindowSinceItsLastTransition) {
  Group group;
  Pod& pod = group.add(900);
  pod.started = at(9900);
  pod.ready_changed = at(9940);  // + 60 s window = 10000 = time of the sample: not before it
  EXPECT_EQ(group.propose(cpu_percent(60)).classes[0], PodClass::ready);
  pod.ready_changed = at(9941);
  EXPECT_EQ(group.propose(cpu_percent(60)).error, MetricError::no_samples);
}

TEST(ReplicaCalculator, AnOldPodIsUnreadyOnlyIfItWasNeverReady) {
  Group group;
  Pod& pod = group.add(900);
  pod.started = at(1000);
  pod.readiness = Readiness::not_ready;
  pod.ready_changed = at(1029);  // within 30 s of its start
  EXPECT_EQ(group.propose(cpu_percent(60)).classes[0], PodClass::unready);
  pod.ready_changed = at(1030);
  EXPECT_EQ(group.propose(cpu_percent(60)).classes[0], PodClass::ready);
}

TEST(ReplicaCalculator, APodWithoutARequestFailsEvenWhenItIsIgnored) {
  Group group;
  group.add(900);
  group.add(900, kNoRequest).is_terminating = true;
  const Proposal proposal = group.propose(cpu_percent(60));
  EXPECT_EQ(proposal.error, MetricError::missing_request);
  EXPECT_EQ(proposal.error_pod, 1);
}

TEST(ReplicaCalculator, PercentOfAnEnormousUsageIsCutTo32BitsAsInGo) {
  Group group;
  group.add(43'000'000'000);  // x 100 / 1000 = 4300000000 %, less 2^32 = 5032704
  EXPECT_EQ(group.propose(cpu_percent(60)).utilization, 5'032'704);
}

// The same by maps of names, as upstream writes it: slow, obvious, on random small cases.
std::int32_t obvious(const Group& group, int target, int spec_replicas) {
  std::vector<std::pair<std::int64_t, std::int64_t>> counted;  // value, request
  int unready = 0;
  int missing = 0;
  for (std::size_t i = 0; i < group.pods.size(); ++i) {
    const Pod& pod = group.pods[i];
    if (pod.is_terminating) continue;
    const auto sample = std::ranges::find(group.samples, static_cast<int>(i), &PodSample::pod);
    if (pod.phase == PodPhase::pending) {
      ++unready;
    } else if (sample == group.samples.end()) {
      ++missing;
    } else {
      counted.emplace_back(sample->value_milli, group.requests[i]);
    }
  }
  if (counted.empty()) return -1;
  const auto ratio_of = [&] {
    std::int64_t values = 0;
    std::int64_t requests = 0;
    for (const auto& [value, request] : counted) values += value, requests += request;
    return static_cast<double>(values * 100 / requests) / target;
  };
  const auto within = [](double ratio) { return 0.9 <= ratio && ratio <= 1.1; };
  const double ratio = ratio_of();
  const double ready = static_cast<double>(counted.size());
  if (!(unready > 0 && ratio > 1.0) && missing == 0)
    return within(ratio) ? spec_replicas : static_cast<std::int32_t>(std::ceil(ratio * ready));
  for (int i = 0; i < missing && ratio != 1.0; ++i)
    counted.emplace_back(ratio < 1.0 ? 10 * std::max(100, target) : 0, 1000);
  for (int i = 0; i < unready && ratio > 1.0; ++i) counted.emplace_back(0, 1000);
  const double full = ratio_of();
  if (within(full) || (ratio < 1.0 && full > 1.0) || (ratio > 1.0 && full < 1.0)) return spec_replicas;
  const auto replicas = static_cast<std::int32_t>(std::ceil(full * static_cast<double>(counted.size())));
  if ((full < 1.0 && replicas > spec_replicas) || (full > 1.0 && replicas < spec_replicas)) return spec_replicas;
  return replicas;
}

TEST(ReplicaCalculator, AgreesWithTheObviousWayOnRandomGroups) {
  RandomStream random(3, "replica_calculator", 0);
  for (int round = 0; round < 5000; ++round) {
    Group group;
    const int pods = 1 + static_cast<int>(random.below(8));
    for (int i = 0; i < pods; ++i) {
      Pod& pod = random.uniform() < 0.8 ? group.add(static_cast<std::int64_t>(random.below(1500))) : group.add_silent();
      if (random.uniform() < 0.15) pod.phase = PodPhase::pending;
      if (random.uniform() < 0.1) pod.is_terminating = true;
    }
    const int target = 20 + static_cast<int>(random.below(130));
    const int size = 1 + static_cast<int>(random.below(12));
    const Proposal proposal = group.propose(cpu_percent(target), size);
    EXPECT_EQ(proposal.is_valid() ? proposal.replicas : -1, obvious(group, target, size)) << "round " << round;
  }
}

}  // namespace
}  // namespace mpca::hpa
