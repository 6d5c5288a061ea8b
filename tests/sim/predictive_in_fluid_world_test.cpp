// The predictive policy in a world that it does not know, within limits that any sane controller keeps. How good it is
// is the studies' business.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include "policy/run_policy.h"
#include "sim/fluid_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;

constexpr policy::Workload kWorkload{.min_replicas = 1, .max_replicas = 100};

/// Eight hours, four waves of 100 to 500 requests/s: a load of 4 to 20, 12 on average.
std::shared_ptr<const Arrivals> slow_sine() {
  std::vector<double> rates(8 * 3600);
  for (std::size_t i = 0; i < rates.size(); ++i)
    rates[i] = 300.0 - 200.0 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / 7200.0);
  return make_arrivals(std::move(rates), ArrivalKind::poisson, {}, 5);
}

struct Outcome {
  double mean_replicas = 0.0;
  double violation_ratio = 0.0;
  double churn_per_hour = 0.0;
};

Outcome run(const std::string& text) {
  static const auto kWaiting = make_waiting_times(FluidSettings{});
  const auto world = make_fluid_world(slow_sine(), kWorkload, 6, {}, kWaiting, {}, {});
  const auto policy = policy::create_policy(text, kWorkload, "test").value();
  EXPECT_TRUE(policy::run_policy(*world, *policy, {}, [](const auto&, const auto&, const auto&) {}));
  const Truth& truth = world->truth();
  const Outcome outcome{.mean_replicas = truth.replica_seconds / truth.seconds,
                        .violation_ratio = truth.violation_ratio(),
                        .churn_per_hour = static_cast<double>(truth.replica_churn) / (truth.seconds / 3600.0)};
  std::printf("%-30s %.2f replicas, %.4f %% late or failed, %.0f changes an hour\n", text.c_str(),
              outcome.mean_replicas, 100.0 * outcome.violation_ratio, outcome.churn_per_hour);
  return outcome;
}

TEST(PredictiveInFluidWorld, OnASlowSineItIsWithinSaneLimits) {
  const Outcome reactive = run("reactive:target=0.7");
  const Outcome predictive = run("predictive");
  EXPECT_GT(predictive.mean_replicas, 12.0) << "the work itself";
  EXPECT_LT(predictive.mean_replicas, 12.0 * 1.5);
  EXPECT_LT(predictive.violation_ratio, 0.005);
  EXPECT_LT(predictive.churn_per_hour, 100.0);
  EXPECT_LT(predictive.mean_replicas, reactive.mean_replicas);
}

TEST(PredictiveInFluidWorld, ThePriceBuysFewerViolations) {
  const Outcome cheap = run("predictive:late-price=1");
  const Outcome dear = run("predictive:late-price=250");
  EXPECT_LT(cheap.mean_replicas, dear.mean_replicas);
  EXPECT_GT(cheap.violation_ratio, dear.violation_ratio);
  EXPECT_LT(dear.violation_ratio, 0.005);
}

// An idle service with one pod gets 600 requests/s at once: the pod works for clients that are gone, and serves
// nothing. Held at one for that, it would fail for the whole hour; what fails is demand, too.
TEST(PredictiveInFluidWorld, AServiceThatServesNothingAnyMoreIsRescued) {
  static const auto kWaiting = make_waiting_times(FluidSettings{});
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::vector<double> rates(3600, 600.0);
    std::fill_n(rates.begin(), 600, 0.0);
    const auto arrivals = make_arrivals(std::move(rates), ArrivalKind::poisson, {}, seed);
    // No queue is so long, and no client so patient, that a request of it were ever served in time.
    const auto world = make_fluid_world(arrivals, kWorkload, 1, {.queue_limit = 2s}, kWaiting, {}, {});
    const auto policy = policy::create_policy("predictive", kWorkload, "test").value();
    int last = 0;
    EXPECT_TRUE(policy::run_policy(
        *world, *policy, {},
        [&](const auto&, const policy::Decision& decision, const auto&) { last = decision.replicas; }));
    EXPECT_GE(last, 24) << "seed " << seed;
    EXPECT_LT(world->truth().violation_ratio(), 0.10) << "seed " << seed;
  }
}

}  // namespace
}  // namespace mpca::sim
