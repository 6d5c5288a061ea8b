#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <ostream>

#include "sim/fluid_world.h"
#include "sim/idealised_world.h"
#include "sim/realistic_world.h"
#include "sim/request_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::Decision;
using policy::Observation;
using policy::PeriodOutcome;
using policy::Quality;
using policy::Workload;

trace::DemandTrace demand(std::vector<double> rps) {
  return {.name = "test", .start = {}, .step = 15s, .demand_rps = std::move(rps), .phase_idx = {}};
}

Decision replicas(int count) { return {.replicas = count, .explanation = {}}; }

using MakeWorld = std::function<std::unique_ptr<policy::World>(const trace::DemandTrace&, int)>;
struct WorldKind {
  const char* name;
  MakeWorld make;
};

void PrintTo(const WorldKind& kind, std::ostream* out) { *out << kind.name; }

class EveryWorld : public testing::TestWithParam<WorldKind> {};

TEST_P(EveryWorld, LastsAsLongAsItsTraceAndThenIsOver) {
  const trace::DemandTrace trace = demand({10, 20, 30});
  const auto world = GetParam().make(trace, 2);
  for (int step = 0; step < 3; ++step) {
    const auto observation = world->next();
    ASSERT_TRUE(observation);
    EXPECT_EQ(observation->now, TimePoint(step * 15s));
    const PeriodOutcome outcome = world->apply(replicas(2));
    EXPECT_EQ(outcome.start, observation->now);
    EXPECT_EQ(outcome.length, Duration(15s));
    EXPECT_EQ(outcome.demand_rps, trace.demand_rps[static_cast<std::size_t>(step)]);
  }
  EXPECT_FALSE(world->next());
}

TEST_P(EveryWorld, UtilizationIsDemandOverReadyCapacityAndOverloadOwesABacklog) {
  const trace::DemandTrace trace = demand({100, 100, 0});
  const auto world = GetParam().make(trace, 2);
  world->next();
  const PeriodOutcome first = world->apply(replicas(2));
  EXPECT_DOUBLE_EQ(first.utilization, 2.0);
  EXPECT_DOUBLE_EQ(first.backlog_requests, 15 * 50.0);
  world->next();
  EXPECT_DOUBLE_EQ(world->apply(replicas(2)).backlog_requests, 2 * 15 * 50.0);
  world->next();
  EXPECT_DOUBLE_EQ(world->apply(replicas(2)).backlog_requests, 2 * 15 * 50.0 - 15 * 50.0);
}

TEST_P(EveryWorld, TheSameDecisionsGiveTheSameWorld) {
  const trace::DemandTrace trace = demand({10, 200, 30, 90, 5, 60});
  const auto first = GetParam().make(trace, 2);
  const auto second = GetParam().make(trace, 2);
  for (int step = 0; step < 6; ++step) {
    EXPECT_EQ(first->next(), second->next());
    EXPECT_EQ(first->apply(replicas(2 + step)), second->apply(replicas(2 + step)));
  }
}

TEST_P(EveryWorld, NoReplicasServeNothing) {
  const trace::DemandTrace trace = demand({10, 10, 10, 10});
  const auto world = GetParam().make(trace, 0);
  world->next();
  const PeriodOutcome outcome = world->apply(replicas(0));
  EXPECT_DOUBLE_EQ(outcome.backlog_requests, 150.0);
  EXPECT_TRUE(std::isfinite(outcome.utilization));
}

INSTANTIATE_TEST_SUITE_P(Sim, EveryWorld,
                         testing::Values(WorldKind{"idealised",
                                                   [](const trace::DemandTrace& trace, int initial) {
                                                     return std::make_unique<IdealisedWorld>(trace, Workload{},
                                                                                             initial);
                                                   }},
                                         WorldKind{"realistic",
                                                   [](const trace::DemandTrace& trace, int initial) {
                                                     return std::make_unique<RealisticWorld>(trace, Workload{}, initial,
                                                                                             RealisticSettings{});
                                                   }}),
                         [](const auto& test) { return std::string(test.param.name); });

/// A world that knows the truth: what it shows comes out of scrapes, and its accounts add up.
struct SimulatedKind {
  const char* name;
  std::unique_ptr<SimulatedWorld> (*make)(std::shared_ptr<const Arrivals>, const Workload&, int initial_replicas,
                                          const PodSettings&, const MetricsSettings&);
};

void PrintTo(const SimulatedKind& kind, std::ostream* out) { *out << kind.name; }

class EverySimulatedWorld : public testing::TestWithParam<SimulatedKind> {
 protected:
  static constexpr int kSeconds = 900;

  static std::vector<double> demand_that_turns_at(int second, double rate_rps) {
    std::vector<double> rates(kSeconds, 100.0);
    std::fill(rates.begin() + second, rates.end(), rate_rps);
    return rates;
  }
  static std::shared_ptr<const Arrivals> poisson(std::uint64_t seed) {
    return make_arrivals(demand_that_turns_at(300, 200.0), ArrivalKind::poisson, {}, seed);
  }

  struct Played {
    std::vector<Observation> observations;
    std::vector<PeriodOutcome> outcomes;
    Truth truth;
  };
  /// Plays `decisions`, again and again, with pods that are stuck, crash and drain, and scrapes that are lost.
  Played play(const std::shared_ptr<const Arrivals>& arrivals, const std::vector<int>& decisions) const {
    const PodSettings pods = {.stuck_share = 0.1, .crashes_per_hour = 5.0, .drain = 20s};
    const auto world = GetParam().make(arrivals, Workload{}, 5, pods, {.loss = 0.05});
    Played played;
    while (const auto observation = world->next()) {
      played.observations.push_back(*observation);
      played.outcomes.push_back(world->apply(replicas(decisions[played.outcomes.size() % decisions.size()])));
    }
    played.truth = world->truth();
    return played;
  }
};

TEST_P(EverySimulatedWorld, LastsAsLongAsItsArrivals) {
  const Played played = play(poisson(1), {6});
  ASSERT_EQ(played.observations.size(), 60u);
  for (std::size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(played.observations[i].now, TimePoint(15s * i));
    EXPECT_EQ(played.outcomes[i].start, TimePoint(15s * i));
    EXPECT_EQ(played.outcomes[i].length, Duration(15s));
  }
  EXPECT_EQ(played.truth.seconds, kSeconds);
}

TEST_P(EverySimulatedWorld, EveryPolicyMeetsTheSameRequests) {
  const auto arrivals = poisson(1);
  const Played calm = play(arrivals, {10}), wild = play(arrivals, {2, 30, 7, 0});
  for (std::size_t i = 0; i < 60; ++i) {
    double counted = 0.0;
    for (std::size_t second = 15 * i; second < 15 * (i + 1); ++second) counted += arrivals->count[second];
    EXPECT_EQ(calm.outcomes[i].requests->arrived, counted);
    EXPECT_EQ(wild.outcomes[i].requests->arrived, counted);
    EXPECT_DOUBLE_EQ(calm.outcomes[i].demand_rps, counted / 15.0);
  }
}

TEST_P(EverySimulatedWorld, TheSameRunTwiceIsTheSameRun) {
  const Played first = play(poisson(3), {5, 9, 12, 4}), second = play(poisson(3), {5, 9, 12, 4});
  EXPECT_EQ(first.observations, second.observations);
  EXPECT_EQ(first.outcomes, second.outcomes);
  EXPECT_EQ(first.truth.latency, second.truth.latency);
  EXPECT_EQ(first.truth.replica_seconds, second.truth.replica_seconds);
  EXPECT_EQ(first.truth.late, second.truth.late);
}

TEST_P(EverySimulatedWorld, TheAccountsAddUp) {
  for (const std::vector<int>& decisions :
       {std::vector{10}, std::vector{3}, std::vector{0, 40}, std::vector{5, 9, 12, 4}}) {
    const Played played = play(poisson(2), decisions);
    const Truth& truth = played.truth;
    double arrived = 0.0, late = 0.0, failed = 0.0;
    for (const PeriodOutcome& outcome : played.outcomes) {
      arrived += outcome.requests->arrived;
      late += outcome.requests->late;
      failed += outcome.requests->failed;
    }
    EXPECT_EQ(truth.requests, arrived);
    EXPECT_NEAR(truth.late, late, 1e-6 * arrived);
    EXPECT_NEAR(truth.failed(), failed, 1e-6 * arrived);
    EXPECT_LE(truth.late + truth.failed(), truth.requests * (1.0 + 1e-9));
    EXPECT_NEAR(truth.served + truth.failed(), truth.requests, played.outcomes.back().backlog_requests + 1e-6 * arrived)
        << "every request has one end, or still waits at the end of the run";
    EXPECT_LE(truth.late, truth.served * (1.0 + 1e-9));
    // Shares of requests are rounded, each kind of latency on its own.
    EXPECT_NEAR(static_cast<double>(truth.latency.count()), truth.requests, 0.001 * truth.requests + 20.0);
    EXPECT_LE(truth.ready_replica_seconds, truth.replica_seconds);
    EXPECT_GE(truth.unserved_work_s, -1e-6);
    EXPECT_LE(truth.unserved_work_s, truth.ready_replica_seconds + 1e-6);
    std::int64_t churn = 0;
    int spec = 5;
    for (const PeriodOutcome& outcome : played.outcomes) {
      churn += std::abs(outcome.spec_replicas - spec);
      spec = outcome.spec_replicas;
    }
    EXPECT_EQ(truth.replica_churn, churn);
  }
}

TEST_P(EverySimulatedWorld, WhatIsShownHoldsTogether) {
  const Played played = play(poisson(4), {5, 9, 0, 12, 4, 30});
  for (const Observation& observation : played.observations) {
    int ready = 0, spec = 0;
    for (std::size_t i = 0; i < observation.pods.size(); ++i) {
      const policy::PodObservation& pod = observation.pods[i];
      if (i > 0) {
        EXPECT_LT(observation.pods[i - 1].id, pod.id);
      }
      ready += pod.is_ready ? 1 : 0;
      spec += pod.is_terminating ? 0 : 1;
      EXPECT_FALSE(pod.is_ready && pod.is_terminating);
      EXPECT_LE(pod.started, observation.now);
      EXPECT_LE(pod.ready_changed, observation.now);
      if (pod.cpu_cores.quality != Quality::missing) {
        EXPECT_GE(pod.cpu_cores.age, Duration(1s));
        EXPECT_GE(pod.cpu_cores.value, 0.0);
        EXPECT_LE(pod.cpu_cores.value, 1.0 + 1e-6);
        EXPECT_GT(pod.cpu_window, Duration::zero());
      }
    }
    EXPECT_EQ(observation.ready_replicas, ready);
    EXPECT_EQ(observation.spec_replicas, spec);
    EXPECT_EQ(static_cast<int>(observation.starting_pod_ages.size()), spec - ready);
    EXPECT_TRUE(std::is_sorted(observation.starting_pod_ages.rbegin(), observation.starting_pod_ages.rend()));
    for (const policy::Signal& signal : {observation.served_rate_rps, observation.failed_rate_rps,
                                         observation.in_flight_requests, observation.cpu_cores}) {
      if (signal.quality == Quality::missing) continue;
      EXPECT_GE(signal.age, Duration(1s)) << "no scrape is visible sooner";
      EXPECT_GE(signal.value, 0.0);
    }
  }
}

// Demand turns at 303 s, in the middle of a period, and a scrape is visible 1 s after it at the earliest.
TEST_P(EverySimulatedWorld, NoPolicySeesADemandBeforeItWasScraped) {
  const auto as_it_was = make_arrivals(demand_that_turns_at(303, 100.0), ArrivalKind::constant, {}, 1);
  const auto turned = make_arrivals(demand_that_turns_at(303, 400.0), ArrivalKind::constant, {}, 1);
  const Played expected = play(as_it_was, {8}), got = play(turned, {8});
  for (std::size_t i = 0; 15 * i <= 303; ++i) EXPECT_EQ(got.observations[i], expected.observations[i]) << i;
  EXPECT_NE(got.observations.back(), expected.observations.back()) << "and it is seen some time";
}

TEST_P(EverySimulatedWorld, NothingReadyServesNothing) {
  const Played played = play(poisson(5), {0});
  const PeriodOutcome& last = played.outcomes.back();
  EXPECT_EQ(last.ready_replicas, 0);
  EXPECT_DOUBLE_EQ(last.requests->failed, last.requests->arrived);
  EXPECT_TRUE(std::isfinite(last.utilization));
  EXPECT_EQ(played.observations.back().ready_replicas, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Sim, EverySimulatedWorld,
    testing::Values(
        SimulatedKind{"fluid",
                      [](auto arrivals, const auto& workload, int initial, const auto& pods, const auto& metrics) {
                        static const auto waiting = make_waiting_times(FluidSettings{});
                        return make_fluid_world(std::move(arrivals), workload, initial, {}, waiting, pods, metrics);
                      }},
        SimulatedKind{"requests_of_one_queue",
                      [](auto arrivals, const auto& workload, int initial, const auto& pods, const auto& metrics) {
                        return make_request_world(std::move(arrivals), workload, initial, {}, pods, metrics);
                      }},
        SimulatedKind{"requests_of_queues_at_pods",
                      [](auto arrivals, const auto& workload, int initial, const auto& pods, const auto& metrics) {
                        return make_request_world(
                            std::move(arrivals), workload, initial,
                            {.service = "exponential", .queue = "pod", .balancer = "two-choices", .retries = 1}, pods,
                            metrics);
                      }}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(IdealisedWorld, ADecisionServesInTheNextPeriod) {
  const trace::DemandTrace trace = demand({10, 10, 10});
  IdealisedWorld world(trace, Workload{}, 2);
  world.next();
  EXPECT_EQ(world.apply(replicas(7)).ready_replicas, 2);
  EXPECT_EQ(world.next()->ready_replicas, 7);
  EXPECT_EQ(world.apply(replicas(7)).ready_replicas, 7);
}

TEST(RealisticWorld, ReplicasServeTwoPeriodsAfterTheyWereAskedFor) {
  const trace::DemandTrace trace = demand({10, 10, 10, 10});
  RealisticWorld world(trace, Workload{}, 2, {});
  world.next();
  world.apply(replicas(5));
  const Observation second = *world.next();
  EXPECT_EQ(second.spec_replicas, 5);
  EXPECT_EQ(second.ready_replicas, 2);
  EXPECT_EQ(second.starting_pod_ages, (std::vector<Duration>{15s, 15s, 15s}));
  world.apply(replicas(6));
  const Observation third = *world.next();
  EXPECT_EQ(third.ready_replicas, 5);
  EXPECT_EQ(third.starting_pod_ages, std::vector<Duration>{15s});
}

TEST(RealisticWorld, MetricsHoldBetweenScrapesAndSayHowOldTheyAre) {
  const trace::DemandTrace trace = demand({10, 50, 90});
  RealisticWorld world(trace, Workload{}, 2, {});
  EXPECT_EQ(world.next()->served_rate_rps, policy::Signal::fresh(10));
  world.apply(replicas(2));
  EXPECT_EQ(world.next()->served_rate_rps, policy::Signal::fresh(10, 15s));
  world.apply(replicas(2));
  EXPECT_EQ(world.next()->served_rate_rps, policy::Signal::fresh(90));
}

// rho = 0.5: 0.5 + 0.25 / (2 x 0.5) = 0.75 in the system; S (2 - rho) / (2 (1 - rho)) = 34.5 ms; x (1.1 + 0.475).
TEST(RealisticWorld, InFlightAndLatencyAreThoseOfMD1) {
  EXPECT_DOUBLE_EQ(md1_in_flight(25, 25, 2), 0.75);
  EXPECT_NEAR(md1_latency_p95_s(25, 25, 2, 0.023), 0.0345 * 1.575, 1e-12);
  EXPECT_LT(md1_in_flight(1000, 25, 2), 500.0) << "overload is cut at 0.999";
}

TEST(RealisticWorld, TheScrapeShowsInFlightUpToItsCap) {
  const trace::DemandTrace trace = demand({1000});
  RealisticWorld world(trace, Workload{}, 3, {});
  EXPECT_EQ(world.next()->in_flight_requests.value, 6.0);
}

TEST(RealisticWorld, WithoutADelayADecisionServesItsOwnPeriod) {
  const trace::DemandTrace trace = demand({10, 10});
  RealisticSettings settings;
  settings.ready_delay_periods = 0;
  RealisticWorld world(trace, Workload{}, 2, settings);
  world.next();
  EXPECT_EQ(world.apply(replicas(7)).ready_replicas, 7);
}

}  // namespace
}  // namespace mpca::sim
