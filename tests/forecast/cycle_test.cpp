#include "forecast/internal/cycle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/state_numbers.h"

namespace mpca::forecast::internal {
namespace {

constexpr double kStart = 1.7e9;
constexpr double kSample = 15.0;

/// Log demand by seconds since the start, sampled every 15 s.
void feed(Cycle& cycle, double from_s, double to_s, const std::function<double(double)>& log_demand) {
  for (double t = from_s; t < to_s; t += kSample) cycle.observe(kStart + t, log_demand(t));
}

/// A job of 10 minutes every 2 hours, in whole minutes.
double job(double t) { return std::fmod(t, 7200.0) < 600.0 ? 3.6 : 3.0; }

TEST(Cycle, AJobEveryTwoHoursIsFoundInNoise) {
  for (std::uint32_t replication = 0; replication < 5; ++replication) {
    RandomStream stream(1, "job", replication);
    Cycle cycle;
    feed(cycle, 0, 17 * 3600, [&](double t) { return job(t) + 0.1 * stream.normal(); });
    EXPECT_EQ(cycle.length(), 120) << replication;
  }
}

TEST(Cycle, NoiseRandomWalksAndASlowDayHaveNone) {
  for (std::uint32_t replication = 0; replication < 4; ++replication) {
    for (int kind = 0; kind < 4; ++kind) {
      RandomStream stream(2, "no cycle", replication);
      Cycle cycle;
      double walk = 3.0, returning = 0.0;
      for (int hour = 0; hour < 30; ++hour) {
        feed(cycle, hour * 3600, (hour + 1) * 3600, [&](double t) {
          walk += 0.02 * stream.normal();
          returning = 0.98 * returning + 0.05 * stream.normal();
          const double kinds[] = {3.0 + 0.1 * stream.normal(), walk, 3.0 + returning,
                                  3.0 + 0.5 * std::sin(t * 7.2722e-5) + 0.05 * stream.normal()};
          return kinds[kind];
        });
        ASSERT_EQ(cycle.length(), 0) << "kind " << kind << ", hour " << hour;
      }
    }
  }
}

TEST(Cycle, AConstantLoadHasNoneAndPredictsNoRise) {
  Cycle cycle;
  feed(cycle, 0, 20 * 3600, [](double) { return 2.0; });
  EXPECT_EQ(cycle.length(), 0);
  EXPECT_EQ(cycle.rise(kStart + 20 * 3600, 0.0, 300.0), 0.0);
}

// Two whole cycles and a scan after them.
TEST(Cycle, IsNotClaimedBeforeItWasSeenTwice) {
  Cycle cycle;
  feed(cycle, 0, 4 * 3600, job);
  EXPECT_EQ(cycle.length(), 0);
  feed(cycle, 4 * 3600, 6 * 3600, job);
  EXPECT_EQ(cycle.length(), 120);
}

// By hand, at 14 h, 100 s before the eighth job: within 300 s the job has begun, 0.6 above now; within 60 s it has not.
// In the job's last minute nothing higher comes; what comes alone from 200 s on lies 0.6 below.
TEST(Cycle, TheRiseIsWhatFollowedAtThisPlaceOfTheCycle) {
  Cycle cycle;
  feed(cycle, 0, 7 * 7200 - 100, job);
  ASSERT_EQ(cycle.length(), 120);
  const double before_s = kStart + 7 * 7200 - 100;
  EXPECT_NEAR(cycle.rise(before_s, 0.0, 300.0), 0.6, 1e-3);
  EXPECT_NEAR(cycle.rise(before_s, 0.0, 50.0), 0.0, 1e-3);
  feed(cycle, 7 * 7200 - 100, 7 * 7200 + 550, job);
  const double late_s = kStart + 7 * 7200 + 550;
  EXPECT_NEAR(cycle.rise(late_s, 0.0, 300.0), 0.0, 1e-3);
  EXPECT_NEAR(cycle.rise(late_s, 200.0, 300.0), -0.6, 1e-3);
}

TEST(Cycle, AShortGapIsFilledAndALongOneBeginsAnew) {
  Cycle cycle;
  feed(cycle, 0, 12 * 3600, job);
  ASSERT_EQ(cycle.length(), 120);
  feed(cycle, 12 * 3600 + 1800, 16 * 3600, job);
  EXPECT_GT(cycle.length(), 0);
  EXPECT_EQ(cycle.length() % 120, 0);
  cycle.observe(kStart + 17 * 3600 + 120, 3.0);
  EXPECT_EQ(cycle.length(), 0);
  EXPECT_EQ(cycle.rise(kStart + 17 * 3600 + 120, 0.0, 300.0), 0.0);
  feed(cycle, 18 * 3600, 27 * 3600, job);
  EXPECT_EQ(cycle.length(), 120);
}

TEST(Cycle, ACycleThatEndsIsDropped) {
  RandomStream stream(3, "end");
  Cycle cycle;
  feed(cycle, 0, 12 * 3600, job);
  ASSERT_EQ(cycle.length(), 120);
  feed(cycle, 12 * 3600, 60 * 3600, [&](double) { return 3.0 + 0.1 * stream.normal(); });
  EXPECT_EQ(cycle.length(), 0);
}

TEST(Cycle, AnyValueAndAnyLateSampleGivesAFiniteRise) {
  RandomStream stream(4, "wild");
  Cycle cycle;
  double now_s = kStart;
  for (int i = 0; i < 20000; ++i) {
    now_s += stream.uniform() < 0.001 ? 4000.0 * stream.uniform() : 20.0 * stream.uniform();
    cycle.observe(now_s, stream.uniform() < 0.5 ? 0.0 : 30.0);
    const double rise = cycle.rise(now_s, 0.0, 900.0 * stream.uniform());
    ASSERT_LE(std::abs(rise), 30.0);
  }
}

TEST(Cycle, GoesOnFromItsNumbersAndRefusesThoseItCannotHaveHad) {
  Cycle cycle, loaded;
  feed(cycle, 0, 12 * 3600, job);
  StateNumbers numbers;
  numbers(cycle);
  StateNumbersReader reader(numbers.numbers());
  reader(loaded);
  ASSERT_TRUE(reader.is_good() && loaded.is_valid());
  feed(cycle, 12 * 3600, 13 * 3600, job);
  feed(loaded, 12 * 3600, 13 * 3600, job);
  EXPECT_EQ(loaded.length(), cycle.length());
  EXPECT_EQ(loaded.rise(kStart + 13 * 3600, 0, 7200), cycle.rise(kStart + 13 * 3600, 0, 7200));

  // Behind the history: count, head, start and sum and count of the open bin, length, scanned, best length, best score.
  const std::vector<std::pair<std::size_t, double>> impossible = {
      {0, -1},         {0, 1025}, {1, -1},  {1, 1024}, {2, 1e300}, {3, 1e300}, {4, -1},
      {4, 2147483647}, {5, -1},   {5, 513}, {6, 9},    {6, 514},   {7, -1},    {7, 513}};
  for (const auto& [index, number] : impossible) {
    std::vector<double> damaged = numbers.numbers();
    damaged[Cycle::kHistory + index] = number;
    Cycle refused;
    StateNumbersReader damaged_reader(damaged);
    damaged_reader(refused);
    EXPECT_FALSE(damaged_reader.is_good() && refused.is_valid()) << index << " " << number;
  }
}

}  // namespace
}  // namespace mpca::forecast::internal
