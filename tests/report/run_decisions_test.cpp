#include "report/run_decisions.h"

#include <gtest/gtest.h>

#include <numeric>

namespace mpca::report {
namespace {

using namespace std::chrono_literals;

policy::Observation seen_at(TimePoint now, int replicas) {
  policy::Observation observation;
  observation.now = now;
  observation.spec_replicas = observation.ready_replicas = replicas;
  return observation;
}

policy::Decision decided(int replicas, double demand_rps) {
  policy::Decision decision{.replicas = replicas, .explanation = {}};
  decision.explanation.demand_rps = demand_rps;
  decision.explanation.demand_source = "served rate";
  return decision;
}

TEST(KeptEvery, APageThatHoldsAllKeepsAll) {
  EXPECT_EQ(kept_every(std::vector<std::int64_t>{80, 80, 1040}), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(kept_every(std::vector<std::int64_t>{}), std::vector<int>{});
}

// 360 / 3 = 120 for each; 80 and 80 need less and leave 200 for the third: every 5th of 1000.
TEST(KeptEvery, WhatShortRunsLeaveIsSharedByTheLongOnes) {
  EXPECT_EQ(kept_every(std::vector<std::int64_t>{1000, 80, 80}, 360), (std::vector<int>{5, 1, 1}));
}

// 100 / 2 = 50 for each: every 2nd of 51 is 26, every 3rd of 150 is 50.
TEST(KeptEvery, EveryIsWholeAndRoundedUp) {
  EXPECT_EQ(kept_every(std::vector<std::int64_t>{51, 150}, 100), (std::vector<int>{2, 3}));
}

TEST(KeptEvery, OfMoreRunsThanAPageHoldsEachKeepsOne) {
  EXPECT_EQ(kept_every(std::vector<std::int64_t>{7, 9, 9}, 2), (std::vector<int>{7, 9, 9}));
}

TEST(KeptEvery, APageNeverHoldsMoreThanItMay) {
  std::vector<std::int64_t> made;
  for (std::int64_t n = 1; n < 60; ++n) {
    made.push_back(n * n * 37 % 1013);
    const std::vector<int> every = kept_every(made, 300);
    std::int64_t kept = 0;
    for (std::size_t i = 0; i < made.size(); ++i) kept += (made[i] + every[i] - 1) / every[i];
    EXPECT_LE(kept, 300) << made.size() << " runs";
    const std::int64_t all = std::accumulate(made.begin(), made.end(), std::int64_t{0});
    if (all <= 300) {
      EXPECT_EQ(kept, all);
    }
  }
}

// Seven decisions, a minute apart, from the time 100 s: numbers 0, 3 and 6 are at 0, 180 and 360 s of the run.
TEST(DecisionKeeper, KeepsEveryThirdFromTheFirstAndCountsAll) {
  DecisionKeeper keeper({}, 3);
  for (int i = 0; i < 7; ++i) keeper.add(seen_at(at_seconds(100.0 + 60.0 * i), 2 + i), decided(3 + i, 10.0 * i));
  const RunDecisions decisions = keeper.finish();
  EXPECT_EQ(decisions.made, 7);
  EXPECT_EQ(decisions.every, 3);
  ASSERT_EQ(decisions.kept.size(), 3u);
  EXPECT_EQ(decisions.kept[1].time_s, 180.0);
  EXPECT_EQ(decisions.kept[2].time_s, 360.0);
  EXPECT_EQ(decisions.kept[1].sentence, "demand 30.0 rps (served rate): raise from 5 to 6 replicas");
  EXPECT_EQ(decisions.kept[1].parts.front().label, "demand");
}

TEST(DecisionKeeper, OfAConstantItKeepsTheSentenceOnly) {
  DecisionKeeper keeper({}, 1);
  policy::Decision decision{.replicas = 6, .explanation = {}};
  decision.explanation.rule = "constant";
  decision.explanation.recommendation = 6.0;
  keeper.add(seen_at(at_seconds(0.0), 6), decision);
  const RunDecisions decisions = keeper.finish();
  EXPECT_EQ(decisions.kept.front().sentence, "the rule constant asks for 6.00: stay at 6 replicas");
  EXPECT_TRUE(decisions.kept.front().parts.empty());
}

}  // namespace
}  // namespace mpca::report
