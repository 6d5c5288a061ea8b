#include "plant/metric_age.h"

#include <gtest/gtest.h>

#include <string>

#include "core/random.h"

namespace mpca::plant {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint(1000h);

TEST(MetricAge, BeforeTheFirstSampleThePriorsAreTheAnswers) {
  const MetricAge age({.age = 8s, .interval = 20s});
  EXPECT_EQ(age.mean(), 8s);
  EXPECT_EQ(age.sample_interval(), 20s);
  // Evenly within an interval: 8 s + (0.9 - 0.5) x 20 s.
  EXPECT_EQ(age.quantile(0.9), 16s);
  EXPECT_EQ(age.mean_figure().source, "configured");
}

// Scraped every 15 s and 4 s late, decided every 5 s: ages 4, 9, 14 s in turn.
TEST(MetricAge, IsTheAgeAtDecisionsAndTheDistanceOfNewSamples) {
  MetricAge age({});
  for (int look = 0; look < 60; ++look) age.observe(kStart + look * 5s, 4s + (look % 3) * 5s);
  // Of the last 32: ten times 4 s and eleven times 9 s and 14 s.
  EXPECT_NEAR(to_seconds(age.mean()), (10 * 4.0 + 11 * 9.0 + 11 * 14.0) / 32.0, 1e-6);
  EXPECT_EQ(age.quantile(0.9), 14s);
  EXPECT_EQ(age.quantile(0.5), 9s);
  EXPECT_EQ(age.sample_interval(), 15s);
  EXPECT_EQ(age.sample_interval_figure().source, "fresh samples");
  EXPECT_EQ(age.mean_figure().source, "age of signals");
}

TEST(MetricAge, GapsDuplicatesAndClocksThatDifferDoNotMoveIt) {
  RandomStream draw(1, "faults");
  MetricAge age({});
  TimePoint now = kStart;
  for (int look = 0; look < 500; ++look) {
    now += 15s;
    Duration seen = 3s + from_seconds(2.0 * draw.uniform());
    switch (draw.below(10)) {
      case 0:
        seen = -20s;  // the other clock is ahead
        break;
      case 1:
        seen = 2h;
        break;
      case 2:
        now += 5min;  // nothing for a while
        break;
      default:
        break;
    }
    age.observe(now, seen);
    if (draw.uniform() < 0.1) age.observe(now, seen);
    if (draw.uniform() < 0.1) age.observe(now - 30s, seen);
  }
  EXPECT_NEAR(to_seconds(age.mean()), 4.0, 0.4);
  EXPECT_NEAR(to_seconds(age.quantile(0.9)), 4.8, 0.4);
  EXPECT_NEAR(to_seconds(age.sample_interval()), 15.0, 1.5);
}

TEST(MetricAge, ASampleOlderThanTheNewestIsNoAgeAndNoNewSample) {
  MetricAge age({});
  for (int look = 0; look < 40; ++look) {
    age.observe(kStart + look * 15s, 5s);
    age.observe(kStart + look * 15s + 5s, 70s);
  }
  EXPECT_EQ(age.mean(), 5s);
  EXPECT_EQ(age.sample_interval(), 15s);
}

// 31 fresh values of 5 s, and one of 2 minutes after a pause: it counts as four times the median and two seconds more.
TEST(MetricAge, OneVeryOldValueHardlyMovesTheMean) {
  MetricAge age({});
  for (int look = 0; look < 40; ++look) age.observe(kStart + look * 15s, 5s);
  age.observe(kStart + 20min, 2min);
  EXPECT_NEAR(to_seconds(age.mean()), (31 * 5.0 + 22.0) / 32.0, 1e-6);
}

TEST(MetricAge, AClockThatWasSetIsFollowedOnceItsSamplesAreNewAgain) {
  MetricAge age({});
  for (int look = 0; look < 20; ++look) age.observe(kStart + look * 15s, 5s);
  // From now on they look five minutes older: for five minutes older than what was seen, then they count.
  for (int look = 20; look < 80; ++look) age.observe(kStart + look * 15s, 5min);
  EXPECT_EQ(age.mean(), 5min);
  EXPECT_EQ(age.sample_interval(), 15s);
}

TEST(MetricAge, ASavedStateGoesOnBitForBit) {
  RandomStream draw(2, "ages");
  MetricAge age({});
  TimePoint now = kStart;
  for (int look = 0; look < 100; ++look) {
    now += from_seconds(10.0 + 5.0 * draw.uniform());
    age.observe(now, from_seconds(5.0 * draw.uniform()));
    StateWriter writer("test", 1);
    age.save(writer);
    const std::string state = writer.take();
    MetricAge loaded({});
    ASSERT_TRUE(loaded.load(StateReader::open(state, "test", 1).value()));
    MetricAge continued = age;
    loaded.observe(now + 7s, 2s);
    continued.observe(now + 7s, 2s);
    EXPECT_EQ(loaded.mean_figure(), continued.mean_figure());
    EXPECT_EQ(loaded.quantile_figure(0.9), continued.quantile_figure(0.9));
    EXPECT_EQ(loaded.sample_interval_figure(), continued.sample_interval_figure());
  }
}

}  // namespace
}  // namespace mpca::plant
