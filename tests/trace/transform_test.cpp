#include "trace/transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/text.h"

namespace mpca::trace {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

DemandTrace trace_of(std::vector<double> demand, Duration step = seconds(10), std::vector<int> phases = {}) {
  return {.name = "t", .start = {}, .step = step, .demand_rps = std::move(demand), .phase_idx = std::move(phases)};
}

TEST(Scale, MultipliesAndRefusesNonsense) {
  EXPECT_EQ(scale(trace_of({1, 2.5}), 4).value().demand_rps, (std::vector<double>{4, 10}));
  EXPECT_EQ(scale(trace_of({1}), -1).error().message, "the scale is -1; must be >= 0");
  EXPECT_FALSE(scale(trace_of({1e300}), 1e300));
}

TEST(Crop, KeepsWholeStepsAndTheirTimes) {
  const auto cropped = crop(trace_of({1, 2, 3, 4, 5}, seconds(10), {0, 0, 1, 1, 2}), seconds(5), seconds(40)).value();
  EXPECT_EQ(cropped.start, seconds(10));
  EXPECT_EQ(cropped.demand_rps, (std::vector<double>{2, 3, 4}));
  EXPECT_EQ(cropped.phase_idx, (std::vector<int>{0, 1, 1}));
  EXPECT_EQ(crop(cropped, seconds(20), seconds(30)).value().demand_rps, (std::vector<double>{3}));
}

TEST(Crop, NothingWithinIsAnErrorThatSaysWhatThereIs) {
  EXPECT_EQ(crop(trace_of({1, 2}), seconds(20), seconds(40)).error().message,
            "no whole step of 10s lies within [20s, 40s); the trace covers [0s, 20s)");
}

TEST(Concatenate, PutsTracesOneAfterTheOther) {
  const DemandTrace parts[] = {trace_of({1, 2}, seconds(10), {1, 1}), trace_of({3}, seconds(10), {2})};
  const auto all = concatenate(parts).value();
  EXPECT_EQ(all.demand_rps, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(all.phase_idx, (std::vector<int>{1, 1, 2}));
  const DemandTrace one_without_phases[] = {parts[0], trace_of({3})};
  EXPECT_TRUE(concatenate(one_without_phases).value().phase_idx.empty());
}

TEST(Concatenate, DifferentStepsAreAnError) {
  const DemandTrace parts[] = {trace_of({1, 2}), trace_of({3}, seconds(15))};
  EXPECT_EQ(concatenate(parts).error().message, "t has a step of 15s, t of 10s; resample to one step first");
}

TEST(Resample, CoarserIsTheTimeWeightedMean) {
  // 10 s steps 1 2 3 4 in steps of 15 s: (10·1 + 5·2)/15, (5·2 + 10·3)/15, and 10·4 with 5 s of nothing.
  const auto coarse = resample(trace_of({1, 2, 3, 4}, seconds(10), {1, 1, 2, 2}), seconds(15)).value();
  ASSERT_EQ(coarse.demand_rps.size(), 3u);
  EXPECT_DOUBLE_EQ(coarse.demand_rps[0], 20.0 / 15.0);
  EXPECT_DOUBLE_EQ(coarse.demand_rps[1], 40.0 / 15.0);
  EXPECT_DOUBLE_EQ(coarse.demand_rps[2], 40.0 / 15.0);
  EXPECT_EQ(coarse.phase_idx, (std::vector<int>{1, 1, 2}));
}

TEST(Resample, FinerRepeatsTheValueToTheBit) {
  EXPECT_EQ(resample(trace_of({0.1, 0.3}), seconds(5)).value().demand_rps, (std::vector<double>{0.1, 0.1, 0.3, 0.3}));
}

TEST(Resample, LinearGoesFromMiddleToMiddleAndKeepsTheRequestsOfEachStep) {
  // Two halves of each 10 s step lie a quarter step from its middle. Step 0 (value 10, neighbours 10 and 20): 10 and
  // 12.5, scaled by 20/22.5. Step 1 (20; 10 and 20): 17.5 and 20, scaled by 40/37.5.
  const auto fine = resample(trace_of({10, 20}), seconds(5), Refine::linear).value();
  ASSERT_EQ(fine.demand_rps.size(), 4u);
  EXPECT_DOUBLE_EQ(fine.demand_rps[0], 10.0 * 20.0 / 22.5);
  EXPECT_DOUBLE_EQ(fine.demand_rps[1], 12.5 * 20.0 / 22.5);
  EXPECT_DOUBLE_EQ(fine.demand_rps[2], 17.5 * 40.0 / 37.5);
  EXPECT_DOUBLE_EQ(fine.demand_rps[3], 20.0 * 40.0 / 37.5);
}

TEST(Resample, LinearRefusesAStepThatDoesNotDivide) {
  EXPECT_EQ(resample(trace_of({1, 2}), seconds(4), Refine::linear).error().message,
            "linear refinement needs a step that divides 10s; 4s does not");
}

TEST(Resample, AbsurdStepsAreRefusedBeforeTheyFillTheMemory) {
  EXPECT_FALSE(resample(trace_of({1, 2}), Duration(1)));
  EXPECT_FALSE(resample(trace_of({1, 2}), Duration(0)));
}

TEST(Resample, AgreesWithAddingUpMillisecondsOnRandomTraces) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 1000; ++round) {
    const auto old_ms = static_cast<std::int64_t>(1 + random() % 50);
    const auto new_ms = static_cast<std::int64_t>(1 + random() % 50);
    DemandTrace trace = trace_of({}, milliseconds(old_ms));
    std::vector<double> demand_of_ms;
    for (std::size_t i = 0; i < 1 + random() % 20; ++i) {
      trace.demand_rps.push_back(static_cast<double>(random() % 1000));
      demand_of_ms.insert(demand_of_ms.end(), static_cast<std::size_t>(old_ms), trace.demand_rps.back());
    }
    const auto resampled = resample(trace, milliseconds(new_ms)).value();
    std::vector<double> slow;
    for (std::size_t begin = 0; begin < demand_of_ms.size(); begin += static_cast<std::size_t>(new_ms)) {
      double sum = 0.0;
      for (std::size_t i = begin; i < std::min(begin + static_cast<std::size_t>(new_ms), demand_of_ms.size()); ++i) {
        sum += demand_of_ms[i];
      }
      slow.push_back(sum / static_cast<double>(new_ms));
    }
    ASSERT_EQ(resampled.demand_rps.size(), slow.size());
    for (std::size_t i = 0; i < slow.size(); ++i) ASSERT_NEAR(resampled.demand_rps[i], slow[i], 1e-9);
    ASSERT_NEAR(total_requests(resampled), total_requests(trace), 1e-9 * (1.0 + total_requests(trace)));
  }
}

TEST(Resample, LinearKeepsAllRequests) {
  std::mt19937_64 random(6);
  DemandTrace trace = trace_of({}, seconds(60));
  for (int i = 0; i < 200; ++i) trace.demand_rps.push_back(i % 7 == 0 ? 0.0 : static_cast<double>(random() % 1000));
  const auto fine = resample(trace, seconds(5), Refine::linear).value();
  EXPECT_NEAR(total_requests(fine), total_requests(trace), 1e-9 * total_requests(trace));
  for (const double demand : fine.demand_rps) EXPECT_GE(demand, 0.0);
}

TEST(AddNoise, TheSameSeedGivesTheSameTraceAndAnotherSeedAnotherOne) {
  const Noise noise{.relative = 0.2, .poisson = true};
  RandomStream first(1, "noise"), same(1, "noise"), other(2, "noise");
  const DemandTrace flat = trace_of(std::vector<double>(100, 50.0));
  const auto noisy = add_noise(flat, noise, first).value();
  EXPECT_EQ(noisy, add_noise(flat, noise, same).value());
  EXPECT_NE(noisy, add_noise(flat, noise, other).value());
}

TEST(AddNoise, RelativeNoiseHasTheMeanAndSpreadThatItSays) {
  RandomStream random(1, "noise");
  const auto noisy =
      add_noise(trace_of(std::vector<double>(40000, 50.0)), {.relative = 0.1, .poisson = false}, random).value();
  double sum = 0.0, squares = 0.0;
  for (const double demand : noisy.demand_rps) {
    sum += demand;
    squares += (demand - 50.0) * (demand - 50.0);
  }
  EXPECT_NEAR(sum / 40000, 50.0, 5.0 / 200.0 * 4.0);  // four standard errors
  EXPECT_NEAR(std::sqrt(squares / 40000), 5.0, 0.1);
}

TEST(AddNoise, PoissonGivesWholeRequestsWithVarianceEqualToTheMean) {
  for (const double mean_requests : {0.3, 5.0, 59.0, 61.0, 4000.0}) {
    RandomStream random(1, "noise");
    const auto noisy =
        add_noise(trace_of(std::vector<double>(40000, mean_requests / 10.0)), {.relative = 0, .poisson = true}, random)
            .value();
    double sum = 0.0, squares = 0.0;
    for (const double demand : noisy.demand_rps) {
      const double requests = demand * 10.0;
      ASSERT_NEAR(requests, std::round(requests), 1e-9);
      sum += requests;
      squares += (requests - mean_requests) * (requests - mean_requests);
    }
    EXPECT_NEAR(sum / 40000, mean_requests, 4.0 * std::sqrt(mean_requests / 40000)) << mean_requests;
    EXPECT_NEAR(squares / 40000 / mean_requests, 1.0, 0.06) << mean_requests;
  }
}

TEST(AddNoise, NoNoiseChangesNothing) {
  RandomStream random(1, "noise");
  EXPECT_EQ(add_noise(trace_of({1, 2, 3}), {}, random).value(), trace_of({1, 2, 3}));
  EXPECT_FALSE(add_noise(trace_of({1}), {.relative = -0.1, .poisson = false}, random));
}

TEST(Info, IsComputedByHand) {
  const TraceInfo seen = info(trace_of({4, 0, 2, 1, 3}, seconds(10), {1, 1, 2, 2, 5}));
  EXPECT_EQ(seen.points, 5);
  EXPECT_EQ(seen.duration, seconds(50));
  EXPECT_EQ(seen.min_rps, 0);
  EXPECT_EQ(seen.mean_rps, 2);
  EXPECT_EQ(seen.p50_rps, 2);
  EXPECT_DOUBLE_EQ(seen.p99_rps, 3.96);
  EXPECT_EQ(seen.max_rps, 4);
  EXPECT_EQ(seen.total_requests, 100);
  EXPECT_EQ(seen.phases, 3);
}

}  // namespace
}  // namespace mpca::trace
