#include "sim/fluid_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"

// Pods of 25 requests/s (40 ms, one slot) wherever nothing else is said.
namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::Observation;
using policy::PeriodOutcome;
using policy::Quality;

using Counts = std::vector<std::uint32_t>;

std::shared_ptr<const Arrivals> arrivals_of(Counts counts, ArrivalKind kind = ArrivalKind::constant) {
  auto arrivals = std::make_shared<Arrivals>();
  arrivals->rate_rps.assign(counts.begin(), counts.end());
  arrivals->count = std::move(counts);
  arrivals->kind = kind;
  arrivals->seed = 1;
  return arrivals;
}

Counts constant(std::uint32_t per_second, std::size_t seconds) { return Counts(seconds, per_second); }

struct Given {
  policy::Workload workload{.capacity_rps = 25, .min_replicas = 0, .max_replicas = 400, .period = 15s};
  int initial_replicas = 2;
  FluidSettings fluid{};
  PodSettings pods{.readiness_lag = "45s"};
  MetricsSettings metrics{.scrape_phase = "0s"};

  std::unique_ptr<SimulatedWorld> world(std::shared_ptr<const Arrivals> arrivals) const {
    static const std::shared_ptr<const WaitingTimes> standard = make_waiting_times(FluidSettings{});
    const bool is_standard = fluid.service_time == FluidSettings{}.service_time &&
                             fluid.queue_limit == FluidSettings{}.queue_limit &&
                             fluid.client_timeout == FluidSettings{}.client_timeout && fluid.pooled_slots == 4;
    return make_fluid_world(std::move(arrivals), workload, initial_replicas, fluid,
                            is_standard ? standard : make_waiting_times(fluid), pods, metrics);
  }
};

PeriodOutcome period(SimulatedWorld& world, int replicas) {
  EXPECT_TRUE(world.next());
  return world.apply({.replicas = replicas, .explanation = {}});
}

/// Requests that were answered within `latency`.
double within(const Truth& truth, Duration latency) {
  double count = 0.0;
  for (const LatencyHistogram::Bucket& bucket : truth.latency.buckets())
    if (bucket.high <= latency) count += static_cast<double>(bucket.count);
  return count;
}

// 60 rps at 50 rps for 15 s: the queue of 100 (2 s) is full after 10 s, then 10 of 60 are refused each second. Who
// comes at t waits 0.2 t: late from 1.05 s on, 63 are on time; answered are 750, and the 100 that
// wait at the end.
TEST(FluidWorld, CapacityIsHardAndTheQueueRefusesFromItsLimitOn) {
  Given setup;
  setup.fluid.client_timeout = 10s;
  setup.fluid.pooled_slots = 1;
  const auto world = setup.world(arrivals_of(constant(60, 15)));
  const PeriodOutcome outcome = period(*world, 2);
  EXPECT_DOUBLE_EQ(outcome.demand_rps, 60.0);
  EXPECT_DOUBLE_EQ(outcome.utilization, 1.2);
  EXPECT_NEAR(outcome.backlog_requests, 100.0, 1e-6);
  EXPECT_NEAR(world->truth().refused, 50.0, 1e-6);
  EXPECT_NEAR(world->truth().timed_out, 0.0, 1e-9);
  EXPECT_NEAR(world->truth().late, 850.0 - 63.0, 8.0) << "an eighth of a second's requests is all alike";
  EXPECT_NEAR(world->truth().unserved_work_s, 0.0, 1e-6);
  EXPECT_EQ(world->truth().latency.count(), 900u);
}

// The queue's end waits 2 s and its client is gone after 2 s: served, but for nobody. 98 of 100 places are of use.
TEST(FluidWorld, AQueueAsLongAsTheClientsPatienceServesNobodyOnceItIsFull) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(60, 60)));
  period(*world, 2);
  period(*world, 2);
  const PeriodOutcome second = period(*world, 2);
  EXPECT_NEAR(second.requests->failed, second.requests->arrived, 1e-6);
  EXPECT_NEAR(second.requests->late, 0.0, 1e-6);
  const Observation observation = *world->next();
  EXPECT_NEAR(observation.served_rate_rps.value, 0.0, 1e-9);
  EXPECT_NEAR(observation.cpu_cores.value, 2.0, 1e-9);
  EXPECT_NEAR(world->truth().unserved_work_s, 0.0, 1e-6);
}

// 100 wait at 50 rps: gone in 2 s, the last of 50 rps that come meanwhile 2 s later …: 100 / (50 - 25) = 4 s.
TEST(FluidWorld, ABacklogIsWorkedOffAndMakesThoseBehindItLate) {
  Given setup;
  setup.workload.period = 1s;
  setup.fluid.client_timeout = 10s;
  setup.fluid.pooled_slots = 1;
  Counts counts = constant(25, 12);
  counts[0] = 150;  // 50 served, 100 wait
  const auto world = setup.world(arrivals_of(counts));
  for (const double backlog : {100.0, 75.0, 50.0, 25.0, 0.0, 0.0}) {
    const PeriodOutcome outcome = period(*world, 2);
    EXPECT_NEAR(outcome.backlog_requests, backlog, 1e-6);
    EXPECT_NEAR(outcome.requests->failed, 0.0, 1e-9);
  }
  const double late = world->truth().late;
  EXPECT_GT(late, 150.0);
  EXPECT_LT(late, 250.0 - 10.0);
  period(*world, 2);
  EXPECT_EQ(world->truth().late, late) << "without a backlog nobody is late";
}

TEST(FluidWorld, WithNothingReadyEveryRequestIsRefusedAtOnce) {
  Given setup;
  setup.initial_replicas = 0;
  const auto world = setup.world(arrivals_of(constant(10, 30)));
  const PeriodOutcome outcome = period(*world, 0);
  EXPECT_EQ(outcome.requests->failed, 150.0);
  EXPECT_EQ(world->truth().refused, 150.0);
  EXPECT_EQ(outcome.backlog_requests, 0.0);
  EXPECT_TRUE(std::isfinite(outcome.utilization));
  EXPECT_EQ(outcome.ready_replicas, 0);
}

// 50 + 50 wait when the pods go; those of the first second have waited 1 … 2 s by then, all leave by the age of 2 s.
TEST(FluidWorld, WhoWaitsWhenThePodsVanishTimesOut) {
  Given setup;
  setup.workload.period = 1s;
  Counts counts = {100, 100, 0, 0, 0, 0};
  const auto world = setup.world(arrivals_of(counts));
  period(*world, 2);
  EXPECT_NEAR(period(*world, 2).backlog_requests, 100.0, 1e-6);
  const double failed_before = world->truth().failed();
  EXPECT_NEAR(period(*world, 0).backlog_requests, 50.0, 50.0);
  period(*world, 0);
  EXPECT_NEAR(period(*world, 0).backlog_requests, 0.0, 1e-6);
  EXPECT_NEAR(world->truth().failed() - failed_before, 100.0, 1e-6);
  EXPECT_NEAR(world->truth().refused, 0.0, 1e-9);
  EXPECT_EQ(world->truth().latency.quantile(0.99), Duration(2s)) << "a failure counts as the client's patience";
}

// Asked for at 15 s, Ready at 60 s: the period from 60 s on has it, and the observation at 60 s shows it.
TEST(FluidWorld, APodServesExactlyItsLagAfterItWasAskedFor) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(10, 120)));
  period(*world, 2);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(period(*world, 3).ready_replicas, 2) << i;
  const Observation at_60 = *world->next();
  EXPECT_EQ(at_60.now, TimePoint(60s));
  EXPECT_EQ(at_60.spec_replicas, 3);
  EXPECT_EQ(at_60.ready_replicas, 3);
  EXPECT_TRUE(at_60.starting_pod_ages.empty());
  EXPECT_EQ(at_60.pods[2].ready_changed, TimePoint(60s));
  EXPECT_EQ(world->apply({.replicas = 3, .explanation = {}}).ready_replicas, 3);
  EXPECT_DOUBLE_EQ(world->truth().ready_replica_seconds, 60 * 2 + 15 * 3);
  EXPECT_DOUBLE_EQ(world->truth().replica_seconds, 15 * 2 + 60 * 3);
}

TEST(FluidWorld, StartingPodsAreShownWithTheirAgesTheOldestFirst) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(10, 120)));
  period(*world, 3);
  period(*world, 5);
  const Observation observation = *world->next();
  EXPECT_EQ(observation.starting_pod_ages, (std::vector<Duration>{30s, 15s, 15s}));
  ASSERT_EQ(observation.pods.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(observation.pods[i].id, static_cast<std::int64_t>(i) + 1);
  EXPECT_TRUE(observation.pods[1].is_ready);
  EXPECT_FALSE(observation.pods[2].is_ready);
  EXPECT_EQ(observation.pods[2].started, TimePoint(0s));
}

TEST(FluidWorld, ADrainingPodIsPaidAndShownAndDoesNotServe) {
  Given setup;
  setup.pods.drain = 20s;
  const auto world = setup.world(arrivals_of(constant(60, 45)));
  EXPECT_EQ(period(*world, 1).ready_replicas, 1);
  const Observation observation = *world->next();
  EXPECT_EQ(observation.spec_replicas, 1);
  ASSERT_EQ(observation.pods.size(), 2u);
  EXPECT_TRUE(observation.pods[1].is_terminating);
  world->apply({.replicas = 1, .explanation = {}});
  EXPECT_DOUBLE_EQ(world->truth().replica_seconds, 20 * 2 + 10 * 1);
  EXPECT_DOUBLE_EQ(world->truth().ready_replica_seconds, 30.0);
  EXPECT_EQ(world->next()->pods.size(), 1u);
}

TEST(FluidWorld, ChurnAndStartsAreCounted) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(10, 60)));
  period(*world, 5);
  period(*world, 5);
  period(*world, 1);
  EXPECT_EQ(world->truth().pods_started, 3);
  EXPECT_EQ(world->truth().replica_churn, 3 + 4);
}

// 40 of 50 rps: 1.6 cores; 40 x 40 ms = 1.6, so 2 in flight; idle are 0.4 of 2 slots.
TEST(FluidWorld, InASteadyStateTheMetricsAreTheTruth) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(40, 120)));
  for (int i = 0; i < 4; ++i) period(*world, 2);
  const Observation observation = *world->next();
  EXPECT_NEAR(observation.served_rate_rps.value, 40.0, 1e-9);
  EXPECT_NEAR(observation.cpu_cores.value, 1.6, 1e-9);
  EXPECT_NEAR(observation.failed_rate_rps.value, 0.0, 1e-12);
  EXPECT_EQ(observation.in_flight_requests.value, 2.0);
  for (const auto& pod : observation.pods) EXPECT_NEAR(pod.cpu_cores.value, 0.8, 1e-9);
  EXPECT_EQ(observation.served_rate_rps.age, Duration(15s)) << "the scrape at 60 s is visible a second later at least";
  EXPECT_EQ(world->truth().late, 0.0) << "what comes evenly spaced does not wait";
  EXPECT_NEAR(world->truth().unserved_work_s, 60 * 0.4, 1e-6);
}

TEST(FluidWorld, AScrapeWithoutDelayIsSeenAtOnce) {
  Given setup;
  setup.metrics.least_delay = setup.metrics.greatest_delay = 0s;
  const auto world = setup.world(arrivals_of(constant(40, 120)));
  for (int i = 0; i < 4; ++i) period(*world, 2);
  const Observation observation = *world->next();
  EXPECT_EQ(observation.served_rate_rps.age, Duration(0s));
  EXPECT_NEAR(observation.served_rate_rps.value, 40.0, 1e-9);
}

// 75 rps at 50: 25 are refused each second once the queue is full.
TEST(FluidWorld, FailuresAreVisibleOnlyIfTheyAreCounted) {
  Given setup;
  setup.fluid.client_timeout = 10s;
  setup.fluid.pooled_slots = 1;
  for (const bool shows : {true, false}) {
    setup.metrics.shows_failures = shows;
    const auto world = setup.world(arrivals_of(constant(75, 120)));
    for (int i = 0; i < 5; ++i) period(*world, 2);
    const Observation observation = *world->next();
    EXPECT_EQ(observation.failed_rate_rps.quality, shows ? Quality::fresh : Quality::missing);
    EXPECT_NEAR(observation.failed_rate_rps.value, shows ? 25.0 : 0.0, 1e-6);
    EXPECT_NEAR(observation.served_rate_rps.value, 50.0, 1e-6);
    EXPECT_NEAR(observation.in_flight_requests.value, 102.0, 1.0) << "100 wait, 2 are served";
  }
}

TEST(FluidWorld, BelowSaturationTheLateOnesAreTheTailOfMDc) {
  for (const int replicas : {1, 2, 4, 20}) {
    Given setup;
    setup.initial_replicas = replicas;
    const auto per_second = static_cast<std::uint32_t>(22 * replicas);
    const auto world = setup.world(arrivals_of(constant(per_second, 150), ArrivalKind::poisson));
    for (int i = 0; i < 10; ++i) period(*world, replicas);
    // 250 ms - 40 ms = 5.25 services.
    const int servers = std::min(replicas, 4);
    const double tail = 1.0 - mdc_waiting_cdf(servers, 0.88, 50 * servers, std::vector<double>{5.25})[0];
    EXPECT_NEAR(world->truth().late / world->truth().requests, tail, 0.01 * tail + 1e-4) << replicas;
    EXPECT_EQ(world->truth().latency.count(), 150u * per_second);
    // The strata see a tail as finely as a 2048th, the late ones among them roughly.
    EXPECT_NEAR(1.0 - within(world->truth(), 252ms) / world->truth().requests, tail, 0.3 * tail + 0.001) << replicas;
  }
}

/// A hard life: bursts, overload, pods that crash, are stuck, drain, come and go.
struct HardLife {
  Given setup;
  std::shared_ptr<const Arrivals> arrivals;

  HardLife() {
    setup.initial_replicas = 8;
    setup.pods = {
        .readiness_lag = "lognormal(mean=30s,cv=0.5)", .stuck_share = 0.1, .crashes_per_hour = 20.0, .drain = 7s};
    setup.metrics = {.loss = 0.1};
    RandomStream stream(3, "hard life");
    Counts counts;
    double level = 150.0;
    for (int i = 0; i < 6000; ++i) {
      if (i % 100 == 0) level = 400.0 * stream.uniform();
      counts.push_back(static_cast<std::uint32_t>(level + 3 * std::sqrt(level) * (stream.uniform() - 0.5)));
    }
    arrivals = arrivals_of(counts, ArrivalKind::poisson);
  }
};

TEST(FluidWorld, EveryRequestHasOneFateInEveryPeriod) {
  const HardLife life;
  const auto world = life.setup.world(life.arrivals);
  RandomStream stream(5, "decisions");
  double backlog = 0.0, replica_seconds = 0.0, finished = 0.0;
  Truth before;
  std::size_t second = 0;
  while (const auto observation = world->next()) {
    ASSERT_EQ(observation->ready_replicas, std::count_if(observation->pods.begin(), observation->pods.end(),
                                                         [](const auto& pod) { return pod.is_ready; }));
    ASSERT_EQ(observation->spec_replicas, std::count_if(observation->pods.begin(), observation->pods.end(),
                                                        [](const auto& pod) { return !pod.is_terminating; }));
    ASSERT_EQ(static_cast<int>(observation->starting_pod_ages.size()),
              observation->spec_replicas - observation->ready_replicas);
    ASSERT_TRUE(std::is_sorted(observation->pods.begin(), observation->pods.end(),
                               [](const auto& a, const auto& b) { return a.id < b.id; }));
    ASSERT_GE(observation->served_rate_rps.value, 0.0);
    const PeriodOutcome outcome = world->apply({.replicas = static_cast<int>(stream.below(17)), .explanation = {}});
    const Truth truth = world->truth();
    double arrived = 0.0;
    for (int i = 0; i < 15; ++i) arrived += life.arrivals->count[second++];
    ASSERT_EQ(outcome.requests->arrived, arrived);
    finished += arrived - (outcome.backlog_requests - backlog);
    if (second == life.arrivals->count.size()) finished += outcome.backlog_requests;
    ASSERT_NEAR(static_cast<double>(truth.latency.count()), finished, 0.51);
    ASSERT_GE(outcome.requests->late, -1e-9);
    ASSERT_GE(outcome.requests->failed, -1e-9);
    ASSERT_NEAR(truth.served + truth.failed(), finished, 1e-3);
    ASSERT_LE(outcome.requests->late, truth.served - before.served + 1e-6);
    // Whatever is answered fits into the capacity.
    if (second < life.arrivals->count.size()) {
      ASSERT_LE(truth.served - before.served,
                25.0 * (truth.ready_replica_seconds - before.ready_replica_seconds) + 1e-6);
    }
    ASSERT_GE(truth.replica_seconds - replica_seconds, truth.ready_replica_seconds - before.ready_replica_seconds);
    ASSERT_GE(truth.unserved_work_s, before.unserved_work_s);
    backlog = outcome.backlog_requests;
    replica_seconds = truth.replica_seconds;
    before = truth;
  }
  EXPECT_GT(before.late, 1000.0);
  EXPECT_GT(before.refused, 1000.0);
  EXPECT_GT(before.timed_out, 1000.0);
  EXPECT_EQ(before.seconds, 6000.0);
  EXPECT_NEAR(before.served + before.failed(), before.requests, 1e-3) << "who waits at the end is followed to his own";
  EXPECT_EQ(before.latency.count(), static_cast<std::uint64_t>(before.requests));
}

TEST(FluidWorld, TheSameDecisionsGiveTheSameRun) {
  const HardLife life;
  const auto first = life.setup.world(life.arrivals), second = life.setup.world(life.arrivals);
  for (int i = 0; i < 400; ++i) {
    ASSERT_EQ(first->next(), second->next());
    const int replicas = 5 + i % 7;
    ASSERT_EQ(first->apply({.replicas = replicas, .explanation = {}}),
              second->apply({.replicas = replicas, .explanation = {}}));
    // Looking at the truth in between changes nothing.
    if (i % 3 == 0) static_cast<void>(first->truth());
  }
  EXPECT_EQ(first->truth().late, second->truth().late);
  EXPECT_EQ(first->truth().latency.count(), second->truth().latency.count());
}

TEST(FluidWorld, NoObservationKnowsWhatComesLater) {
  const HardLife life;
  for (const std::size_t change : {20u * 15u, 21u * 15u + 7u}) {
    auto other = std::make_shared<Arrivals>(*life.arrivals);
    for (std::size_t i = change; i < other->count.size(); ++i) {
      other->count[i] = 1000 - other->count[i];
      other->rate_rps[i] = 1000.0 - other->rate_rps[i];
    }
    for (const Duration delay : {0s, 3s}) {
      Given setup = life.setup;
      setup.metrics.least_delay = setup.metrics.greatest_delay = delay;
      const auto first = setup.world(life.arrivals), second = setup.world(other);
      for (std::size_t now = 0; now < 60 * 15; now += 15) {
        const auto one = first->next(), two = second->next();
        if (now <= change) {
          ASSERT_EQ(one, two) << now;
        }
        if (now > change + 60) {
          ASSERT_NE(one, two);
        }
        first->apply({.replicas = 8, .explanation = {}});
        second->apply({.replicas = 8, .explanation = {}});
      }
    }
  }
}

TEST(FluidWorld, TheKthPodHasTheSameLagUnderEveryPolicy) {
  const HardLife life;
  const auto lag_of = [&](int more_at_a_time) {
    const auto world = life.setup.world(life.arrivals);
    std::vector<std::optional<Duration>> lags(21);
    int replicas = 8;
    while (const auto observation = world->next()) {
      for (const auto& pod : observation->pods) {
        if (pod.id > 8 && pod.id <= 28 && pod.is_ready && !lags[static_cast<std::size_t>(pod.id - 8)])
          lags[static_cast<std::size_t>(pod.id - 8)] = pod.ready_changed - pod.started;
      }
      replicas = std::min(replicas + more_at_a_time, 28);
      world->apply({.replicas = replicas, .explanation = {}});
    }
    return lags;
  };
  EXPECT_EQ(lag_of(1), lag_of(20));
}

// What a crashed pod had counted is gone; the rates of the others go on.
TEST(FluidWorld, ACrashResetsThePodsCountersAndTheRatesGoOn) {
  Given setup;
  setup.initial_replicas = 10;
  setup.pods = {.readiness_lag = "5s", .crashes_per_hour = 6.0};
  const auto world = setup.world(arrivals_of(constant(100, 1500)));
  int below = 0, observations = 0;
  while (const auto observation = world->next()) {
    if (const auto rate = observation->served_rate_rps.value_if_known()) {
      ASSERT_LE(*rate, 100.0 + 1e-6);
      ASSERT_GE(*rate, 60.0);
      below += *rate < 100.0 - 1e-6 ? 1 : 0;
      ++observations;
    }
    world->apply({.replicas = 10, .explanation = {}});
  }
  EXPECT_GT(below, 5);
  EXPECT_LT(below, observations);
  EXPECT_LT(world->truth().ready_replica_seconds, 15'000.0);
  EXPECT_EQ(world->truth().replica_seconds, 15'000.0);
  EXPECT_EQ(world->truth().failed(), 0.0);
}

TEST(FluidWorld, SlotsMultiplyAPodsCapacity) {
  Given setup;
  setup.initial_replicas = 1;
  setup.fluid.slots = 3;
  const auto world = setup.world(arrivals_of(constant(75, 15)));
  const PeriodOutcome outcome = period(*world, 1);
  EXPECT_DOUBLE_EQ(outcome.utilization, 1.0);
  EXPECT_EQ(outcome.requests->failed, 0.0);
  EXPECT_EQ(outcome.backlog_requests, 0.0);
}

TEST(FluidWorld, ALastPeriodMayBeShorter) {
  Given setup;
  const auto world = setup.world(arrivals_of(constant(10, 20)));
  EXPECT_EQ(period(*world, 2).length, Duration(15s));
  const PeriodOutcome last = period(*world, 2);
  EXPECT_EQ(last.length, Duration(5s));
  EXPECT_DOUBLE_EQ(last.demand_rps, 10.0);
  EXPECT_FALSE(world->next());
}

}  // namespace
}  // namespace mpca::sim
