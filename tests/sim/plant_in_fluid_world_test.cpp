// The plant is identified from what the fluid world shows, in closed loop: a simple rule scales by the capacity that
// the model believes. The world has its own equations and knows nothing of the model's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "plant/plant_model.h"
#include "sim/faulty_world.h"
#include "sim/fluid_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;

constexpr int kSeconds = 40'000;
constexpr int kJudgedFrom = kSeconds / 30;  // looks: half of them, at 15 s

/// Waves of two hours, 45 to 360 requests/s, and every half an hour or so a spike of up to 120 % that dies away in six
/// minutes.
std::shared_ptr<const Arrivals> waves(std::uint64_t seed) {
  RandomStream draw(seed, "spikes");
  std::vector<double> rates(kSeconds);
  double spike = 0.0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    if (draw.uniform() < 1.0 / 1800.0) spike = 1.2 * draw.uniform();
    spike *= 0.997;
    const double wave = 0.45 + 0.35 * std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / 7200.0);
    rates[i] = 450.0 * wave * (1.0 + spike);
  }
  return make_arrivals(std::move(rates), ArrivalKind::poisson, {}, seed);
}

struct Given {
  Duration service_time = 40ms;
  Duration client_timeout = 10s;  // of a queue of 2 s: what is too much is refused; 2 s: work for nobody
  int initial_replicas = 8;
  bool shows_cpu = true;
  bool shows_pods = true;
  std::string fault = "none";
  std::uint64_t seed = 5;
};

std::optional<plant::Reading> reading(const policy::Signal& signal) {
  if (signal.quality != policy::Quality::fresh) return std::nullopt;
  return plant::Reading{signal.value, signal.age};
}

/// Whether some pods that have been Ready for a while show no metrics.
bool is_in_doubt(const policy::Observation& observation) {
  return std::any_of(observation.pods.begin(), observation.pods.end(), [&](const policy::PodObservation& pod) {
    return pod.is_ready && !pod.is_terminating && observation.now - pod.ready_changed > 60s &&
           pod.cpu_cores.quality == policy::Quality::missing;
  });
}

struct Learned {
  plant::PlantEstimate end;
  double worst = 0.0;    // |ln(capacity believed / true)|, over the second half
  double typical = 0.0;  // its mean
};

/// Goes on from `start` (later worlds begin after it), and leaves the model where the world ends.
Learned learn(plant::PlantModel& model, const Given& given, Duration start = {}) {
  const FluidSettings fluid{.service_time = given.service_time, .client_timeout = given.client_timeout};
  const auto waiting = make_waiting_times(fluid);
  const policy::Workload workload{.min_replicas = 1, .max_replicas = 400};
  const auto world =
      make_faulty_world(make_fluid_world(waves(given.seed), workload, given.initial_replicas, fluid, waiting, {}, {}),
                        {.kind = given.fault}, given.seed);
  const double true_rps = 1.0 / to_seconds(given.service_time);
  Learned learned;
  std::vector<plant::PodSight> pods;
  int looks = 0;
  double demand_rps = 0.0;
  while (const auto shown = world->next()) {
    pods.clear();
    if (given.shows_pods) {
      for (const policy::PodObservation& pod : shown->pods)
        pods.push_back({pod.id, pod.started + start, pod.is_ready, pod.ready_changed + start, pod.is_terminating});
    }
    const bool is_doubted = is_in_doubt(*shown);
    model.observe({.now = shown->now + start,
                   .spec_replicas = shown->spec_replicas,
                   .ready_replicas = shown->ready_replicas,
                   .starting_pod_ages = shown->starting_pod_ages,
                   .pods = pods,
                   .served_rate_rps = is_doubted ? std::nullopt : reading(shown->served_rate_rps),
                   .failed_rate_rps = reading(shown->failed_rate_rps),
                   .in_flight_requests = reading(shown->in_flight_requests),
                   .cpu_cores = given.shows_cpu ? reading(shown->cpu_cores) : std::nullopt});
    learned.end = model.estimate();
    const double capacity_rps = learned.end.capacity_rps.value;
    if (++looks > kJudgedFrom) {
      const double off = std::abs(std::log(capacity_rps / true_rps));
      learned.worst = std::max(learned.worst, off);
      learned.typical += off / kJudgedFrom;
    }
    const double seen = shown->served_rate_rps.value + shown->failed_rate_rps.value;
    if (seen >= 0.0 && seen < 5000.0) demand_rps = seen;
    const int wanted = static_cast<int>(std::ceil(1.1 * demand_rps / (0.75 * capacity_rps)));
    world->apply({.replicas = std::clamp(wanted, std::max(shown->spec_replicas - 1, 1), 400), .explanation = {}});
  }
  return learned;
}

// 60 is believed, 25 is true.
TEST(PlantInFluidWorld, ACapacityBelievedTooHighIsFoundWhateverIsShown) {
  for (const bool shows_cpu : {false, true}) {
    for (const Duration client_timeout : {Duration(10s), Duration(2s)}) {
      plant::PlantModel model({.capacity_rps = 60.0});
      const Learned learned = learn(model, {.client_timeout = client_timeout, .shows_cpu = shows_cpu});
      EXPECT_LT(learned.typical, 0.03) << shows_cpu << client_timeout.count();
      EXPECT_LT(learned.worst, 0.05) << shows_cpu << client_timeout.count();
      EXPECT_LE(learned.end.capacity_rps.low, 25.0 * 1.03);
      EXPECT_GE(learned.end.capacity_rps.high, 25.0 * 0.97);
    }
  }
}

// Enough pods from the start, and never an overload: nothing shows what a pod could do.
TEST(PlantInFluidWorld, ACapacityBelievedTooLowIsKnownToBeAtLeastWhatWasServed) {
  plant::PlantModel model({.capacity_rps = 15.0});
  const plant::Figure capacity = learn(model, {.initial_replicas = 40}).end.capacity_rps;
  EXPECT_GT(capacity.value, 16.0);
  EXPECT_LT(capacity.value, 25.0);
  EXPECT_EQ(capacity.source, "throughput");
  EXPECT_GE(capacity.high, 25.0);
}

TEST(PlantInFluidWorld, ASlowerReleaseIsFound) {
  for (const bool shows_cpu : {false, true}) {
    plant::PlantModel model(plant::PlantSettings{});
    const Learned before = learn(model, {.shows_cpu = shows_cpu});
    EXPECT_LT(before.worst, 0.03);
    const Learned after = learn(model, {.service_time = 52ms, .shows_cpu = shows_cpu}, std::chrono::seconds(kSeconds));
    EXPECT_LT(after.worst, 0.05) << shows_cpu;
  }
}

// lognormal(mean=30s,cv=0.3): half within 28.7 s, 80 % within 36.8 s. 64 pods know it to 5 %, and these are 95 % bands.
TEST(PlantInFluidWorld, LagServiceTimeAndAgesAreFound) {
  for (const bool shows_pods : {false, true}) {
    plant::PlantModel model(plant::PlantSettings{});
    const plant::PlantEstimate end = learn(model, {.shows_pods = shows_pods}).end;
    EXPECT_NEAR(end.readiness_lag_median_s.value, 28.7, 0.12 * 28.7) << shows_pods;
    EXPECT_NEAR(end.readiness_lag_late_s.value, 36.8, 0.14 * 36.8) << shows_pods;
    EXPECT_EQ(end.readiness_lag_s.source, shows_pods ? "single pods" : "starting pods");
    EXPECT_GT(end.readiness_lag_s.confidence, 0.9);
    // In flight has those who wait in it: M/D/4 below 60 % adds up to a fifth.
    EXPECT_GT(end.service_time_s.value, 0.038);
    EXPECT_LT(end.service_time_s.value, 0.050);
    EXPECT_EQ(end.sample_interval_s.value, 15.0);
    EXPECT_GT(end.metric_age_s.value, 1.0);
    EXPECT_LT(end.metric_age_s.value, 20.0);
  }
}

TEST(PlantInFluidWorld, MetricsThatFailATenthOfTheTimeDoNotMoveIt) {
  for (const std::string_view kind : fault_kinds()) {
    plant::PlantModel model({.capacity_rps = 40.0});
    const Learned learned = learn(model, {.fault = std::string(kind)});
    EXPECT_LT(learned.typical, 0.03) << kind;
    EXPECT_LT(learned.worst, 0.06) << kind;
    EXPECT_NEAR(learned.end.sample_interval_s.value, 15.0, 0.5) << kind;
    EXPECT_NEAR(learned.end.service_time_s.value, 0.045, 0.007) << kind;
  }
}

}  // namespace
}  // namespace mpca::sim
