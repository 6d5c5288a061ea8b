#include "control/live_world.h"

#include <gtest/gtest.h>

#include "control/fakes.h"

namespace mpca::control {
namespace {

using namespace std::chrono_literals;

class LiveWorldTest : public testing::Test {
 protected:
  LiveWorld& world(bool apply = true, Duration length = Duration::zero()) {
    world_.emplace(
        LiveWorldSettings{.workload = {.min_replicas = 1, .max_replicas = 50}, .length = length, .apply = apply},
        workload, metrics, clock, stop.get_token(), [this](const std::string& text) { troubles.push_back(text); });
    return *world_;
  }
  static policy::Decision decide(int replicas) { return {.replicas = replicas, .explanation = {}}; }

  VirtualClock clock{TimePoint(1000s)};
  std::stop_source stop;
  FakeWorkload workload;
  FakeMetrics metrics;
  std::vector<std::string> troubles;

 private:
  std::optional<LiveWorld> world_;
};

TEST_F(LiveWorldTest, ShowsWhatTheApiAndTheMetricsSay) {
  const auto seen = world().next();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->now, TimePoint(1000s));
  EXPECT_EQ(seen->spec_replicas, 4);
  EXPECT_EQ(seen->ready_replicas, 4);
  EXPECT_EQ(seen->rate_window, 60s);
  EXPECT_EQ(seen->served_rate_rps, policy::Signal::fresh(80.0, 5s));
  EXPECT_EQ(seen->failed_rate_rps.quality, policy::Quality::missing);
}

TEST_F(LiveWorldTest, DecidesOncePerPeriodAndEndsAfterItsLength) {
  LiveWorld& live = world(true, 45s);
  std::vector<int> seconds;
  while (const auto seen = live.next()) {
    seconds.push_back(static_cast<int>(to_seconds(seen->now.time_since_epoch())));
    live.apply(decide(4));
  }
  EXPECT_EQ(seconds, (std::vector{1000, 1015, 1030}));
}

// Something took 40 s: the instants at 1015 and 1030 are gone, and nothing is made up for.
TEST_F(LiveWorldTest, APeriodThatIsMissedIsSkipped) {
  LiveWorld& live = world();
  live.next();
  clock.sleep_until(TimePoint(1040s));
  EXPECT_EQ(live.next()->now, TimePoint(1040s));
  EXPECT_EQ(live.next()->now, TimePoint(1045s));
  EXPECT_EQ(live.skipped_periods(), 1);
}

TEST_F(LiveWorldTest, ADryRunNeverWrites) {
  LiveWorld& live = world(false);
  live.next();
  EXPECT_EQ(live.apply(decide(9)).spec_replicas, 4);
  EXPECT_EQ(live.applied().replicas, 4);
  EXPECT_EQ(workload.writes, 0);
}

TEST_F(LiveWorldTest, ADecisionIsWrittenOnceAndNotWhenNothingChanges) {
  LiveWorld& live = world();
  live.next();
  live.apply(decide(4));
  EXPECT_EQ(workload.writes, 0);
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.spec, 9);
  EXPECT_EQ(workload.writes, 1);
  EXPECT_EQ(live.applied().replicas, 9);
  EXPECT_FALSE(live.applied().trouble);
}

// A status update moves the version and not the replicas.
TEST_F(LiveWorldTest, AConflictIsReadAgainAndWrittenWhenTheReplicasAreStillThose) {
  workload.before_write = [&] { ++workload.version; };
  LiveWorld& live = world();
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.spec, 9);
  EXPECT_EQ(workload.writes, 2);
  EXPECT_FALSE(live.applied().trouble);
  EXPECT_TRUE(troubles.empty());
}

TEST_F(LiveWorldTest, SomebodyElsesReplicasStay) {
  workload.before_write = [&] {
    ++workload.version;
    workload.spec = 6;
  };
  LiveWorld& live = world();
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.spec, 6);
  EXPECT_EQ(live.applied().replicas, 6);
  EXPECT_EQ(live.applied().trouble, Trouble::conflict);
  EXPECT_EQ(troubles, std::vector<std::string>{
                          "could not set 9 replicas: somebody else has set 6 replicas meanwhile, they stay"});
}

TEST_F(LiveWorldTest, AVersionThatNeverRestsIsLeftToTheNextPeriod) {
  workload.write_troubles.assign(5, {Trouble::conflict, "it has changed"});
  LiveWorld& live = world();
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.writes, 3);
  EXPECT_EQ(live.applied().trouble, Trouble::conflict);
}

TEST_F(LiveWorldTest, AWriteWhoseAnswerWasLostIsSeenToHaveHappened) {
  workload.write_troubles.push_back({Trouble::unreachable, "cut off"});
  workload.loses_answer = true;
  LiveWorld& live = world();
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.writes, 1);
  EXPECT_EQ(live.applied().replicas, 9);
  EXPECT_FALSE(live.applied().trouble);
}

TEST_F(LiveWorldTest, AWriteThatIsForbiddenIsNotRepeated) {
  workload.write_troubles.push_back({Trouble::forbidden, "deployments/scale: patch is not allowed"});
  LiveWorld& live = world();
  live.next();
  live.apply(decide(9));
  EXPECT_EQ(workload.writes, 1);
  EXPECT_EQ(live.applied().replicas, 4);
  EXPECT_EQ(live.applied().trouble, Trouble::forbidden);
  EXPECT_EQ(troubles, std::vector<std::string>{"could not set 9 replicas: deployments/scale: patch is not allowed"});
}

TEST_F(LiveWorldTest, WithoutTheApiThereIsNoDecisionAndItIsSaid) {
  workload.read_troubles = {std::nullopt, Trouble::unreachable, Trouble::unreachable, std::nullopt};
  LiveWorld& live = world();
  EXPECT_EQ(live.next()->now, TimePoint(1000s));
  EXPECT_EQ(live.next()->now, TimePoint(1045s)) << "two periods later";
  EXPECT_EQ(live.periods_without_decision(), 2);
  EXPECT_EQ(troubles, std::vector<std::string>(2, "no decision, replicas stay as they are: no answer"));
}

TEST_F(LiveWorldTest, WhatIsMissingIsShownAsItWasKnownLastAndGrowsOld) {
  LiveWorld& live = world();
  live.next();
  metrics.reading.served_rate_rps = {};
  metrics.reading.trouble = "request rate: no series";
  const auto seen = live.next();
  EXPECT_EQ(seen->served_rate_rps, policy::Signal::stale(80.0, 20s));
  EXPECT_EQ(seen->in_flight_requests, policy::Signal::fresh(3.0, 5s));
  EXPECT_EQ(troubles, std::vector<std::string>{"metrics: request rate: no series"});
}

TEST_F(LiveWorldTest, WhatIsOlderThanTheLimitIsStaleWhateverItsSourceSays) {
  metrics.reading.served_rate_rps = policy::Signal::fresh(80.0, 121s);
  EXPECT_EQ(world().next()->served_rate_rps.quality, policy::Quality::stale);
}

TEST_F(LiveWorldTest, AStopEndsIt) {
  LiveWorld& live = world();
  live.next();
  stop.request_stop();
  EXPECT_FALSE(live.next());
}

}  // namespace
}  // namespace mpca::control
