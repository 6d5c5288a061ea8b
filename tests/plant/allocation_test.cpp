// Counts every allocation of this test binary.
#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"
#include "plant/plant_model.h"
#include "support/allocation_counter.h"

namespace mpca::plant {
namespace {

using namespace std::chrono_literals;

TEST(PlantModelMemory, ObservingAndEstimatingAllocateNothing) {
  RandomStream draw(1, "looks");
  PlantModel model({});
  std::vector<Duration> ages;
  std::vector<PodSight> pods;
  ages.reserve(100);
  pods.reserve(100);
  TimePoint now(1000h);
  for (int look = 0; look < 2000; ++look) {
    now += 15s;
    ages.assign(draw.below(60), 40s);
    pods.clear();
    for (std::int64_t id = look % 500; id < look % 500 + 50; ++id)
      pods.push_back({id, now - 40s, draw.uniform() < 0.5, now - 10s, false});
    const double served_rps = 1000.0 * draw.uniform();
    const PlantObservation observation{
        .now = now,
        .spec_replicas = 40,
        .ready_replicas = 30 + static_cast<int>(draw.below(4)),
        .starting_pod_ages = ages,
        .pods = look % 100 < 50 ? std::span<const PodSight>() : std::span<const PodSight>(pods),
        .served_rate_rps = Reading{served_rps, 5s},
        .failed_rate_rps = Reading{10.0 * draw.uniform(), 5s},
        .in_flight_requests = Reading{200.0 * draw.uniform(), 5s},
        .cpu_cores = Reading{served_rps * 0.04, 5s}};
    const long before = test::allocations;
    model.observe(observation);
    const PlantEstimate estimate = model.estimate();
    EXPECT_EQ(test::allocations - before, 0);
    EXPECT_GT(estimate.capacity_rps.value, 0.0);
  }
}

TEST(PlantModelMemory, TheCounterCounts) {
  const long before = test::allocations;
  std::vector<int> vector(10);
  EXPECT_GT(test::allocations - before, 0);
}

}  // namespace
}  // namespace mpca::plant
