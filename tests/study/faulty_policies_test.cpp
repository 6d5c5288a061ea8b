// The opponents of every backtest in worlds whose metrics fail: they may decide badly, but not break.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/os/file.h"
#include "core/text.h"
#include "policy/policy.h"
#include "sim/faulty_world.h"
#include "study/backtest.h"
#include "study/play.h"
#include "support/temporary_directory.h"

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

TEST(FaultyPolicies, ABacktestWithFaultsSaysSoAndWritesNumbers) {
  const test::TemporaryDirectory directory;
  trace::DemandTrace flat{
      .name = "flat", .start = {}, .step = std::chrono::seconds(60), .demand_rps = {}, .phase_idx = {}};
  flat.demand_rps.assign(30, 10.0);
  BacktestSettings settings;
  settings.traces = {{"flat.csv", flat}};
  settings.policies = {"hpa:target=60", "static:40"};
  settings.with_opponents = false;
  settings.preset = load_preset("standard", {"faults=nan", "fault-share=0.5"}).value();
  settings.seeds = 1;
  settings.out = directory.file("out");
  const auto report = backtest(settings, {}, [](const Progress&) {});
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->preset, "standard+faults=nan+fault-share=0.5");
  EXPECT_TRUE(std::count(report->configuration.begin(), report->configuration.end(),
                         std::pair<std::string, std::string>("faults", "nan")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(settings.out)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name == "study.json" || name == "report.html") continue;  // they name the fault
    const std::string content = os::read_file(entry.path()).value();
    EXPECT_EQ(content.find("nan"), std::string::npos) << name;
    EXPECT_EQ(content.find("NaN"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace mpca::study
