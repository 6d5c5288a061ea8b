// The opponents of every backtest in worlds whose metrics fail: they may decide badly, but not break.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "policy/policy.h"
#include "sim/faulty_world.h"
#include "study/play.h"

namespace mpca::study {
namespace {

TEST(FaultyPolicies, OpponentsSurviveEveryFault) {
  std::vector<double> rates(3600);
  for (std::size_t i = 0; i < rates.size(); ++i)
    rates[i] = 800.0 - 600.0 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / 1800.0);
  const auto arrivals = sim::make_arrivals(rates, sim::ArrivalKind::poisson, {}, 1);
  for (const std::string_view kind : sim::fault_kinds()) {
    const Preset preset =
        load_preset("standard", {cat("faults=", kind), "fault-share=0.3", "max-replicas=100"}).value();
    const WorldMaker make_world(preset, "fluid");
    for (const char* text : {"hpa:target=60", "reactive", "static:40"}) {
      const auto policy = policy::create_policy(text, preset.workload, "test").value();
      const auto world = make_world(arrivals, 20);
      while (const auto observation = world->next()) {
        const policy::Decision decision = policy->decide(*observation);
        ASSERT_GE(decision.replicas, 1) << text << " with " << kind;
        ASSERT_LE(decision.replicas, 100) << text << " with " << kind;
        world->apply(decision);
      }
      EXPECT_EQ(world->truth().seconds, 3600.0);
      EXPECT_TRUE(std::isfinite(world->truth().violation_ratio()));
    }
  }
}

}  // namespace
}  // namespace mpca::study
