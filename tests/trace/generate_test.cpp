#include "trace/generate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/os/file.h"
#include "trace/trace_csv.h"
#include "trace/transform.h"

namespace mpca::trace {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Generate, ThePlansOfTheScenariosGiveThePackagedTraces) {
  const std::pair<Scenario, std::string> scenarios[] = {
      {Scenario::step, "step"}, {Scenario::spike, "spike"}, {Scenario::seasonality, "seasonality"}};
  for (const auto& [scenario, name] : scenarios) {
    const auto trace = trace_from_phases(scenario_phases(scenario), seconds(15), name).value();
    const auto packaged = os::read_file(MPCA_SOURCE_DIR "/data/traces/baseline_" + name + "_profile_dt15.csv").value();
    EXPECT_EQ(trace_csv(trace), packaged) << name;
  }
}

TEST(Generate, SyntheticStepAndSpikeHaveTheDemandOfThePackagedOnesWithoutPhases) {
  const auto step = synthetic_scenario(Scenario::step, seconds(15)).value();
  EXPECT_EQ(step.demand_rps.size(), 60u);
  EXPECT_EQ(step.demand_rps[19], 20);
  EXPECT_EQ(step.demand_rps[20], 80);
  EXPECT_EQ(step.demand_rps[40], 40);
  EXPECT_TRUE(step.phase_idx.empty());
  EXPECT_EQ(synthetic_scenario(Scenario::spike, seconds(5)).value().demand_rps.size(), 78u);  // 36 + 6 + 36
}

TEST(Generate, SyntheticSeasonalityHasAPeriodOfTwentyPoints) {
  const auto trace = synthetic_scenario(Scenario::seasonality, seconds(15)).value();
  ASSERT_EQ(trace.demand_rps.size(), 80u);
  const std::vector<double> period = {70, 85, 99, 110, 118, 120, 118, 110, 99, 85,
                                      70, 55, 41, 30,  22,  20,  22,  30,  41, 55};
  for (std::size_t i = 0; i < 80; ++i) EXPECT_EQ(trace.demand_rps[i], period[i % 20]) << i;
  EXPECT_EQ(synthetic_scenario(Scenario::seasonality, seconds(15), 3).value().demand_rps,
            (std::vector<double>{70, 85, 99}));
  EXPECT_FALSE(synthetic_scenario(Scenario::seasonality, seconds(15), 0));
}

TEST(Generate, OursDependOnTheSeedOnlyAndHaveAboutTheMeanRate) {
  for (const Generator& generator : generators()) {
    GeneratorOptions options{
        .step = seconds(60), .duration = hours(7 * 24), .mean_rps = 40, .relative_noise = 0.05, .seed = 3};
    const auto trace = generator.generate(options).value();
    EXPECT_EQ(trace.demand_rps.size(), 7u * 24 * 60) << generator.name;
    EXPECT_EQ(trace, generator.generate(options).value());
    EXPECT_NEAR(info(trace).mean_rps, 40.0, 1.0) << generator.name;
    EXPECT_GE(info(trace).min_rps, 0.0);
    options.seed = 4;
    EXPECT_NE(trace, generator.generate(options).value()) << generator.name;
  }
}

TEST(Generate, ADiurnalDayPeaksInTheAfternoon) {
  const auto trace = generate_diurnal({.step = seconds(60), .duration = hours(24), .relative_noise = 0}).value();
  const auto mean_of_hour = [&](std::size_t hour) {
    double sum = 0.0;
    for (std::size_t i = hour * 60; i < hour * 60 + 60; ++i) sum += trace.demand_rps[i];
    return sum / 60.0;
  };
  EXPECT_GT(mean_of_hour(16), 2.0 * mean_of_hour(4));
}

TEST(Generate, AFlashCrowdRisesTenfold) {
  const auto trace = generate_flash_crowd({.step = seconds(15), .duration = hours(6), .relative_noise = 0}).value();
  EXPECT_NEAR(info(trace).max_rps / trace.demand_rps[0], 10.0, 0.1);
}

TEST(Generate, NonsenseIsRefused) {
  EXPECT_FALSE(generate_diurnal({.step = seconds(0)}));
  EXPECT_FALSE(generate_diurnal({.step = seconds(60), .duration = seconds(59)}));
  EXPECT_FALSE(generate_diurnal({.mean_rps = 0}));
  EXPECT_FALSE(generate_diurnal({.step = Duration(1), .duration = hours(24)}));
}

}  // namespace
}  // namespace mpca::trace
