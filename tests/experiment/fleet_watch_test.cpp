#include "experiment/fleet_watch.h"

#include <gtest/gtest.h>

#include "core/os/real_clock.h"
#include "experiment/objects.h"
#include "support/fake_api_server.h"

namespace mpca::experiment {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h);

FleetMoment moment(Duration after, int spec, int ready) {
  return {kStart + after, {.spec_replicas = spec, .ready_replicas = ready, .available_replicas = ready}};
}

TEST(FleetWatch, LooksAtTheDeploymentAndItsHpa) {
  test::FakeApiServer server;
  server.put_object(kDeploymentPath, deployment_object(3));
  server.put_object(kHpaPath, hpa_object("web", 60));
  os::RealClock clock;
  kube::RateLimit limit{1000, 1000};
  kube::Client client(server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "test"));
  const runlog::ReplicaWatchSample both = look_at_fleet(client, kWeb, "web");
  EXPECT_EQ(both.spec_replicas, 3);
  EXPECT_EQ(both.hpa_desired_replicas, 3);
  EXPECT_FALSE(look_at_fleet(client, kWeb, "").hpa_desired_replicas) << "nobody asked";
  server.add_fault({.status = 503, .path = "deployments"});
  const runlog::ReplicaWatchSample half = look_at_fleet(client, kWeb, "web");
  EXPECT_FALSE(half.spec_replicas) << "a gap, not a zero";
  EXPECT_EQ(half.hpa_current_replicas, 2);

  FleetWatch watch(kube::Client(server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(2, "test")), kWeb,
                   "web", clock);
  for (int i = 0; i < 1000 && watch.last().at == TimePoint{}; ++i) clock.sleep_until(clock.now() + 5ms);
  EXPECT_EQ(watch.last().sample.ready_replicas, 3);
  EXPECT_GE(watch.finish().size(), 1U);
}

TEST(FleetWatch, TheCsvBeginsWithTheLoadAndHasGaps) {
  const std::vector<FleetMoment> moments = {moment(-1s, 2, 2), moment(0s, 2, 2), {kStart + 1s, {}}, moment(2s, 4, 2)};
  EXPECT_EQ(replica_watch_of(moments, kStart),
            "ts_utc,elapsed_s,spec_replicas,ready_replicas,available_replicas,hpa_current_replicas,"
            "hpa_desired_replicas\n"
            "2026-11-26T12:00:00Z,0.0,2,2,2,,\n"
            "2026-11-26T12:00:01Z,1.0,,,,,\n"
            "2026-11-26T12:00:02Z,2.0,4,2,2,,\n");
}

// By hand: at 0 s and 1 s the looks of then, at 2 s that of 1.5 s, at 3 s and 4 s still that one: the first of these is
// less than 2.5 s old, the second not; at 5 s a new one.
TEST(FleetWatch, WhatWasKnownLastStandsForGaps) {
  const std::vector<FleetMoment> moments = {moment(-500ms, 2, 1), moment(1s, 2, 2),  moment(1500ms, 4, 2),
                                            {kStart + 3s, {}},    {kStart + 4s, {}}, moment(5s, 4, 4)};
  const auto samples = fleet_samples(moments, kStart, 6);
  ASSERT_TRUE(samples) << samples.error().message;
  std::vector<int> ready;
  for (const lab::FleetSample& sample : samples->fleet) ready.push_back(sample.ready_replicas);
  EXPECT_EQ(ready, (std::vector<int>{1, 2, 2, 2, 2, 4}));
  EXPECT_DOUBLE_EQ(samples->missing_share, 0.0);
  EXPECT_DOUBLE_EQ(fleet_samples({moment(0s, 2, 2)}, kStart, 10)->missing_share, 0.7) << "from 3 s on";
}

TEST(FleetWatch, NothingKnownIsAnErrorAndNotZeroReplicas) {
  const auto none = fleet_samples({{kStart, {}}}, kStart, 3);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(fleet_samples({moment(7s, 3, 3)}, kStart, 2)->fleet[0].ready_replicas, 3) << "the first that is known";
}

}  // namespace
}  // namespace mpca::experiment
