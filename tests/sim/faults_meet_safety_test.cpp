// A plain controller behind the safety layer, in worlds whose metrics fail: the layer is judged by what it is for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "policy/guards.h"
#include "policy/safety/safety_guard.h"
#include "sim/faulty_world.h"
#include "sim/fluid_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::Observation;

constexpr policy::Workload kWorkload{.min_replicas = 1, .max_replicas = 100};

/// Six hours, three waves of 100 to 700 requests/s.
std::shared_ptr<const Arrivals> waves(std::uint64_t seed) {
  std::vector<double> rates(6 * 3600);
  for (std::size_t i = 0; i < rates.size(); ++i)
    rates[i] = 400.0 - 300.0 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / 7200.0);
  return make_arrivals(std::move(rates), ArrivalKind::poisson, {}, seed);
}

std::unique_ptr<SimulatedWorld> world_of(std::uint64_t seed, const std::string& kind) {
  static const auto waiting = make_waiting_times(FluidSettings{});
  return make_faulty_world(make_fluid_world(waves(seed), kWorkload, 6, {}, waiting, {}, {}),
                           {.kind = kind, .share = 0.1, .mean_length = 60s}, seed);
}

double truly_needed(double served_rps) { return served_rps / (kWorkload.capacity_rps * 0.7); }

struct Step {
  Observation shown;
  int replicas = 0;
};

/// ceil(demand / (25 x 0.7)) of what is known; what is not leaves it as it is.
class Controller {
 public:
  virtual ~Controller() = default;
  virtual int decide(const Observation& observation) = 0;

 protected:
  static std::optional<double> demand_of(const Observation& observation) {
    const auto served = observation.served_rate_rps.value_if_known();
    if (!served) return std::nullopt;
    return *served + observation.failed_rate_rps.value_if_known().value_or(0.0);
  }
  static int wanted(std::optional<double> demand_rps, int current) {
    return demand_rps && std::isfinite(*demand_rps) ? policy::ceil_replicas(truly_needed(*demand_rps)) : current;
  }
};

class NaiveController final : public Controller {
 public:
  int decide(const Observation& observation) override {
    return std::clamp(wanted(demand_of(observation), observation.spec_replicas), kWorkload.min_replicas,
                      kWorkload.max_replicas);
  }
};

class SafeController final : public Controller {
 public:
  int decide(const Observation& observation) override {
    screen_.screen(observation, seen_);
    auto demand = demand_of(seen_.observation);
    if (demand) *demand /= seen_.covered_share.value_or(1.0);
    int replicas = wanted(demand, observation.spec_replicas);
    policy::Explanation explanation;
    guard_.apply(seen_, demand, replicas, explanation);
    return replicas;
  }

 private:
  policy::SignalScreen screen_{{}, kWorkload.capacity_rps};
  policy::SafetyGuard guard_{{}, kWorkload};
  policy::ScreenedObservation seen_;
};

std::vector<Step> run(SimulatedWorld& world, Controller& controller) {
  std::vector<Step> steps;
  while (auto observation = world.next()) {
    const int replicas = controller.decide(*observation);
    steps.push_back({*std::move(observation), replicas});
    world.apply({.replicas = replicas, .explanation = {}});
  }
  return steps;
}

/// Shows what was shown wrongly, and what would have been right, to `visit`.
template <class Visit>
void for_each_fault(std::uint64_t seed, const std::vector<Step>& steps, Visit visit) {
  const auto twin = world_of(seed, "none");
  for (const Step& step : steps) {
    const Observation truth = *twin->next();
    twin->apply({.replicas = step.replicas, .explanation = {}});
    if (!(step.shown == truth)) visit(step, truth);
  }
}

TEST(FaultsMeetSafety, NothingIsTakenAwayOnAFault) {
  for (const std::string kind : {"missing", "stale", "nan", "zero", "half", "duplicate", "reordered"}) {
    int faults = 0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SafeController controller;
      const auto world = world_of(seed, kind);
      for_each_fault(seed, run(*world, controller), [&](const Step& step, const Observation&) {
        ++faults;
        EXPECT_GE(step.replicas, step.shown.spec_replicas)
            << kind << " seed " << seed << " at " << to_seconds(step.shown.now.time_since_epoch()) << " s";
      });
    }
    EXPECT_GT(faults, 200) << kind;
  }
}

// Skewed ages do not make values wrong. A counter that began again and lost a small part of its interval is not
// noticed: it is believed down to 1 / 1.25 of what CPU speaks for at least, whole pods aside; what idle pods may use, a
// tenth of it here, speaks for nothing. What CPU speaks for is learned from good samples: not known in the first
// minutes.
TEST(FaultsMeetSafety, WhatIsTakenAwayNevertheless) {
  for (const std::string kind : {"skew", "reset"}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SafeController controller;
      const auto world = world_of(seed, kind);
      for_each_fault(seed, run(*world, controller), [&](const Step& step, const Observation& truth) {
        if (step.replicas >= step.shown.spec_replicas || step.shown.now < TimePoint(5min)) return;
        const double needed = truly_needed(truth.served_rate_rps.value);
        EXPECT_GE(step.replicas, kind == "skew" ? needed : 0.9 * needed / 1.25 - 1.0)
            << kind << " seed " << seed << " at " << to_seconds(step.shown.now.time_since_epoch()) << " s";
      });
    }
  }
}

TEST(FaultsMeetSafety, UsersAndBillHardlyNotice) {
  const auto totals = [](const std::string& kind, bool is_safe) {
    double violations = 0.0, replicas = 0.0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SafeController safe;
      NaiveController naive;
      const auto world = world_of(seed, kind);
      run(*world, is_safe ? static_cast<Controller&>(safe) : naive);
      violations += world->truth().violation_ratio() / 5.0;
      replicas += world->truth().replica_seconds / (5.0 * world->truth().seconds);
    }
    return std::pair(violations, replicas);
  };
  const auto [calm_violations, calm_replicas] = totals("none", true);
  EXPECT_LT(calm_violations, 1e-5);
  for (const std::string_view kind : fault_kinds()) {
    const auto [violations, replicas] = totals(std::string(kind), true);
    EXPECT_LT(violations, 1e-3) << kind;
    EXPECT_NEAR(replicas, calm_replicas, 0.01 * calm_replicas) << kind;
  }
  EXPECT_GT(totals("zero", false).first, 0.1) << "without the layer every tenth request fails and more";
}

}  // namespace
}  // namespace mpca::sim
