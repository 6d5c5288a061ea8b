#include "sim/request_world.h"

#include <gtest/gtest.h>

#include <vector>

#include "sim/internal/request_engine.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::PeriodOutcome;

/// Requests at given times, a decision per period of a second, pods that are Ready half a second after they were asked
/// for.
struct Plan {
  std::vector<Duration> arrivals;
  std::size_t seconds = 10;
  int initial_replicas = 1;
  std::vector<int> decisions{};  // the last one stays
  RequestSettings requests{};
  PodSettings pods{.readiness_lag = "500ms"};
  MetricsSettings metrics{};
};

struct Ended {
  Truth truth;
  std::vector<PeriodOutcome> outcomes;
  std::vector<policy::Observation> observations;
};

Ended run(const Plan& plan) {
  const auto arrivals = arrivals_from_times(plan.arrivals, plan.seconds, 1).value();
  const auto world =
      make_request_world(arrivals, {.period = 1s}, plan.initial_replicas, plan.requests, plan.pods, plan.metrics);
  Ended ended;
  while (const auto observation = world->next()) {
    policy::Decision decision;
    decision.replicas = plan.decisions.empty()
                            ? plan.initial_replicas
                            : plan.decisions[std::min(ended.outcomes.size(), plan.decisions.size() - 1)];
    ended.observations.push_back(*observation);
    ended.outcomes.push_back(world->apply(decision));
  }
  ended.truth = world->truth();
  EXPECT_EQ(ended.truth.requests, static_cast<double>(plan.arrivals.size()));
  EXPECT_EQ(ended.truth.requests, ended.truth.served + ended.truth.failed()) << "every request has one end";
  EXPECT_EQ(ended.truth.latency.count(), plan.arrivals.size());
  return ended;
}

/// Every latency, to the histogram's precision of 1 in 128, in ms.
std::vector<int> latencies_ms(const Truth& truth) {
  std::vector<int> all;
  for (const LatencyHistogram::Bucket& bucket : truth.latency.buckets()) {
    const int middle = static_cast<int>((to_seconds(bucket.low) + to_seconds(bucket.high)) * 500.0 + 0.5);
    all.insert(all.end(), bucket.count, middle);
  }
  return all;
}

testing::AssertionResult are_near(const std::vector<int>& got, const std::vector<int>& expected) {
  if (got.size() != expected.size()) return testing::AssertionFailure() << testing::PrintToString(got);
  for (std::size_t i = 0; i < got.size(); ++i)
    if (std::abs(got[i] - expected[i]) > expected[i] / 100 + 1)
      return testing::AssertionFailure() << testing::PrintToString(got);
  return testing::AssertionSuccess();
}

// Two start at once and take 100 ms; the third waits 100 ms, the fourth, who came at 50 ms, 50 ms.
TEST(RequestWorld, WhoFindsNoFreePodWaitsItsTurn) {
  const Ended ended = run({.arrivals = {0ms, 0ms, 0ms, 50ms},
                           .initial_replicas = 2,
                           .requests = {.service_time = 100ms, .latency_target = 150ms}});
  EXPECT_EQ(ended.truth.served, 4);
  EXPECT_EQ(ended.truth.late, 1) << "200 ms is late, 150 ms is not";
  EXPECT_EQ(ended.truth.latency.min(), 100ms);
  EXPECT_EQ(ended.truth.latency.max(), 200ms);
  EXPECT_EQ(ended.truth.latency.mean(), 137500us);
  EXPECT_EQ(ended.truth.unserved_work_s, 2 * 10 - 4 * 0.1);
  EXPECT_EQ(ended.truth.violation_ratio(), 0.25);
}

// The second request starts at 1 s; its client leaves at 1.5 s and the pod works on until 2 s, for nobody. The third
// leaves the queue at 1.5 s.
TEST(RequestWorld, AClientThatLeavesTheQueueIsNotServedAndOneThatIsServedCostsThePodAllTheSame) {
  const Ended ended = run(
      {.arrivals = {0ms, 0ms, 0ms}, .requests = {.service_time = 1s, .queue_limit = 10s, .client_timeout = 1500ms}});
  EXPECT_EQ(ended.truth.served, 1);
  EXPECT_EQ(ended.truth.timed_out, 2);
  EXPECT_TRUE(are_near(latencies_ms(ended.truth), {1000, 1500, 1500})) << "failed ones count as the time-out";
  EXPECT_DOUBLE_EQ(ended.truth.unserved_work_s, 10 - 2);
  EXPECT_EQ(ended.outcomes[0].backlog_requests, 1) << "at 1 s the second has just started";
  EXPECT_EQ(ended.outcomes[1].requests->failed, 2);
}

// As above, but the second comes again at 1.5 s, starts at 2 s when the pod has ended what nobody waits for, and has
// its answer at 3 s: exactly its second time-out.
TEST(RequestWorld, ARetryIsTheSameRequestAndItsLatencyIsFromTheFirstTry) {
  const Ended ended =
      run({.arrivals = {0ms, 0ms},
           .requests = {.service_time = 1s, .queue_limit = 10s, .client_timeout = 1500ms, .retries = 1},
           .metrics = {.scrape_interval = 1s, .scrape_phase = "0s", .least_delay = 0s, .greatest_delay = 0s}});
  EXPECT_EQ(ended.truth.requests, 2);
  EXPECT_EQ(ended.truth.served, 2);
  EXPECT_EQ(ended.truth.late, 2);
  EXPECT_EQ(ended.truth.latency.max(), 3s);
  EXPECT_DOUBLE_EQ(ended.truth.unserved_work_s, 10 - 3);
  EXPECT_EQ(ended.observations[2].failed_rate_rps.value, 0.5) << "the balancer counts the try that failed: 1 in 2 s";
}

// A queue for 200 ms of work holds two; of four the last is refused.
TEST(RequestWorld, AFullQueueRefuses) {
  const Ended ended =
      run({.arrivals = {0ms, 0ms, 0ms, 0ms}, .requests = {.service_time = 100ms, .queue_limit = 200ms}});
  EXPECT_EQ(ended.truth.served, 3);
  EXPECT_EQ(ended.truth.refused, 1);
  EXPECT_TRUE(are_near(latencies_ms(ended.truth), {100, 200, 300, 2000}));
}

TEST(RequestWorld, WithoutAPodEveryRequestIsRefused) {
  const Ended ended = run({.arrivals = {0ms, 5s}, .initial_replicas = 0});
  EXPECT_EQ(ended.truth.refused, 2);
  EXPECT_EQ(ended.truth.replica_seconds, 0);
  EXPECT_EQ(ended.outcomes[0].utilization, 1.0 / 25.0) << "of one replica, where there is none";
}

// Asked for at 1 s, Ready at 1.5 s: it takes the second request then; the third starts when the first ends, at 2 s.
TEST(RequestWorld, APodThatBecomesReadyTakesWhatWaits) {
  const Ended ended = run({.arrivals = {1s, 1s, 1s},
                           .decisions = {1, 2},
                           .requests = {.service_time = 1s, .queue_limit = 10s, .client_timeout = 10s}});
  EXPECT_TRUE(are_near(latencies_ms(ended.truth), {1000, 1500, 2000}));
  EXPECT_EQ(ended.truth.replica_seconds, 1 + 2 * 9);
  EXPECT_EQ(ended.truth.ready_replica_seconds, 1.5 + 2 * 8.5);
  EXPECT_EQ(ended.truth.pods_started, 1);
  EXPECT_EQ(ended.truth.replica_churn, 1);
  EXPECT_EQ(ended.observations[2].ready_replicas, 2);
  EXPECT_EQ(ended.observations[1].starting_pod_ages.size(), 0u) << "asked for in answer to this observation";
  EXPECT_EQ(ended.outcomes[1].ready_replicas, 2) << "1.5 in the mean, rounded";
}

// Both pods work from 0.9 s to 1.3 s. At 1 s one is removed: it ends what it has and takes nothing new, so the request
// of 1.05 s waits for the other until 1.3 s. The removed pod is paid until 1.3 s.
TEST(RequestWorld, ARemovedPodEndsWhatItHasAndTakesNothingNew) {
  const Plan two_busy = {.arrivals = {900ms, 900ms, 1050ms},
                         .initial_replicas = 2,
                         .decisions = {2, 1},
                         .requests = {.service_time = 400ms}};
  const Ended ended = run(two_busy);
  EXPECT_TRUE(are_near(latencies_ms(ended.truth), {400, 400, 650}));
  EXPECT_DOUBLE_EQ(ended.truth.replica_seconds, 2 + 9 + 0.3);
  EXPECT_EQ(ended.truth.ready_replica_seconds, 2 + 9);
  // Ready slots were busy 0.1 s twice, then 0.3 s and 0.4 s in the pod that stayed.
  EXPECT_DOUBLE_EQ(ended.truth.unserved_work_s, 11 - 0.9);

  Plan drained = two_busy;
  drained.pods.drain = 5s;
  EXPECT_DOUBLE_EQ(run(drained).truth.replica_seconds, 2 + 9 + 5) << "it exists for its drain time if that is longer";
}

// The same with 200 ms of grace: the removed pod is killed at 1.2 s and its request with it.
TEST(RequestWorld, WhenTheGracePeriodIsOverAPodIsKilledWithWhatItHas) {
  const Ended ended = run({.arrivals = {900ms, 900ms, 1050ms},
                           .initial_replicas = 2,
                           .decisions = {2, 1},
                           .requests = {.service_time = 400ms, .grace_period = 200ms}});
  EXPECT_EQ(ended.truth.served, 2);
  EXPECT_EQ(ended.truth.timed_out, 1);
  EXPECT_DOUBLE_EQ(ended.truth.replica_seconds, 2 + 9 + 0.2);
}

// Round robin: the third queues at the first pod and the fourth at the second, whatever is free.
TEST(RequestWorld, QueuesAtThePodsAreServedByTheirOwnPod) {
  const Ended ended = run({.arrivals = {0ms, 0ms, 0ms, 10ms},
                           .initial_replicas = 2,
                           .requests = {.service_time = 100ms, .queue = "pod", .balancer = "round-robin"}});
  EXPECT_TRUE(are_near(latencies_ms(ended.truth), {100, 100, 190, 200}));
}

// Five requests of 500 ms in 5 s: one per second, half a core. The scrape of 10 s is visible 1 s later.
TEST(RequestWorld, APolicySeesWhatAScrapeCountedAndWhen) {
  std::vector<Duration> arrivals;
  for (int i = 0; i < 20; ++i) arrivals.push_back(1s * i);
  const Ended ended = run(
      {.arrivals = arrivals,
       .seconds = 20,
       .requests = {.service_time = 500ms},
       .metrics = {
           .scrape_interval = 5s, .scrape_phase = "0s", .rate_window = 5s, .least_delay = 1s, .greatest_delay = 1s}});
  EXPECT_EQ(ended.observations[5].served_rate_rps.quality, policy::Quality::missing) << "one scrape is no rate";
  EXPECT_EQ(ended.observations[6].served_rate_rps, policy::Signal::fresh(1.0, 1s));
  EXPECT_EQ(ended.observations[10].served_rate_rps, policy::Signal::fresh(1.0, 5s));
  EXPECT_EQ(ended.observations[11].served_rate_rps, policy::Signal::fresh(1.0, 1s));
  EXPECT_EQ(ended.observations[11].cpu_cores, policy::Signal::fresh(0.5, 1s));
  EXPECT_EQ(ended.observations[11].in_flight_requests, policy::Signal::fresh(0.0, 1s));
  EXPECT_EQ(ended.observations[11].failed_rate_rps, policy::Signal::fresh(0.0, 1s));
  ASSERT_EQ(ended.observations[11].pods.size(), 1u);
  EXPECT_EQ(ended.observations[11].pods[0].cpu_cores, policy::Signal::fresh(0.5, 1s));
  EXPECT_EQ(ended.observations[11].pods[0].cpu_window, Duration(5s));
}

// Four slots that work all the time are one core.
TEST(RequestWorld, AFullPodUsesOneCoreHoweverManySlotsItHas) {
  const Ended ended = run(
      {.arrivals = std::vector<Duration>(8, 0ms),
       .requests = {.service_time = 5s, .slots = 4, .queue_limit = 10s, .client_timeout = 20s},
       .metrics = {
           .scrape_interval = 2s, .scrape_phase = "0s", .rate_window = 2s, .least_delay = 0s, .greatest_delay = 0s}});
  EXPECT_EQ(ended.observations[4].cpu_cores.value, 1.0);
  EXPECT_EQ(ended.observations[4].in_flight_requests.value, 8);
  EXPECT_EQ(ended.observations[6].in_flight_requests.value, 4);
}

TEST(RequestWorld, TheLastPeriodMayBeShorterAndRequestsInsideAreFollowedToTheirEnd) {
  const auto arrivals = arrivals_from_times({2900ms}, 3, 1).value();
  const auto world = make_request_world(arrivals, {.period = 2s}, 1, {.service_time = 400ms}, {}, {});
  policy::Decision decision;
  decision.replicas = 1;
  world->next();
  EXPECT_EQ(world->apply(decision).length, Duration(2s));
  world->next();
  EXPECT_EQ(world->apply(decision).length, Duration(1s));
  EXPECT_FALSE(world->next());
  EXPECT_EQ(world->truth().served, 1);
  EXPECT_EQ(world->truth().seconds, 3);
  EXPECT_DOUBLE_EQ(world->truth().unserved_work_s, 3 - 0.1) << "the run's own seconds only";
}

internal::EngineSettings engine_settings() {
  return {.service_time = 100ms, .equal_services = true, .queue_limit = 1s, .client_timeout = 1s, .latency_target = 1s};
}

// The pod crashes at 50 ms: what it ran and, where pods have queues, what waited in it, fails.
TEST(RequestEngineByHand, ACrashFailsWhatRunsAndWhatWaitsInside) {
  using internal::RequestEnd;
  using internal::RequestFate;
  const std::vector<internal::RequestArrival> three = {{0ms, 100ms}, {10ms, 100ms}, {60ms, 100ms}};
  for (const bool waits_at_pod : {false, true}) {
    internal::EngineSettings settings = engine_settings();
    settings.waits_at_pod = waits_at_pod;
    internal::RequestEngine engine(settings, 1);
    std::vector<RequestEnd> log;
    engine.set_log(&log);
    engine.add_pod(1, {});
    engine.offer(three);
    engine.run_until(50ms);
    engine.kill_pod(1, 50ms);
    engine.run_until(55ms);
    engine.add_pod(1, 55ms);
    engine.run_until(1s);
    const std::vector<RequestEnd> at_balancer = {
        {0, 50ms, RequestFate::died, 0}, {1, 155ms, RequestFate::served, 1}, {2, 255ms, RequestFate::served, 1}};
    const std::vector<RequestEnd> at_pod = {
        {0, 50ms, RequestFate::died, 0}, {1, 50ms, RequestFate::died, 0}, {2, 160ms, RequestFate::served, 1}};
    EXPECT_EQ(log, waits_at_pod ? at_pod : at_balancer);
  }
}

TEST(RequestEngineByHand, ARetryAfterACrashGoesToAnotherPodAtOnce) {
  internal::EngineSettings settings = engine_settings();
  settings.retries = 1;
  internal::RequestEngine engine(settings, 1);
  std::vector<internal::RequestEnd> log;
  engine.set_log(&log);
  engine.add_pod(1, {});
  engine.add_pod(2, {});
  const std::vector<internal::RequestArrival> one = {{0ms, 100ms}};
  engine.offer(one);
  engine.run_until(50ms);
  engine.kill_pod(1, 50ms);
  engine.run_until(1s);
  EXPECT_EQ(log, (std::vector<internal::RequestEnd>{{0, 150ms, internal::RequestFate::served, 2}}));
  EXPECT_EQ(engine.counts().failed_tries, 1u);
}

}  // namespace
}  // namespace mpca::sim
