#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <ostream>

#include "sim/idealised_world.h"
#include "sim/realistic_world.h"

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
