#include "sim/metrics_pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::Observation;
using policy::Quality;
using policy::Signal;

constexpr TimePoint kStart{};

/// Scrapes at 0 s, 15 s, 30 s … that are visible 2 s later.
MetricsSettings plain() { return {.scrape_phase = "0s", .least_delay = 2s, .greatest_delay = 2s}; }

Observation seen(MetricsPipeline& metrics, Duration at, const std::vector<std::int64_t>& pods = {}) {
  Observation observation;
  observation.now = kStart + at;
  for (const std::int64_t id : pods) observation.pods.emplace_back().id = id;
  metrics.show(observation);
  return observation;
}

TEST(MetricsPipeline, BeforeTheFirstScrapeEverythingIsMissingAndRatesNeedTwo) {
  MetricsPipeline metrics(plain(), 1, kStart);
  EXPECT_EQ(seen(metrics, 1s).in_flight_requests.quality, Quality::missing);
  metrics.scrape(std::vector<PodCounters>{{1, 0, 0}}, {.failed = 0, .in_flight = 3});
  const Observation first = seen(metrics, 2s);
  EXPECT_EQ(first.in_flight_requests, Signal::fresh(3, 2s));
  EXPECT_EQ(first.served_rate_rps.quality, Quality::missing);
  EXPECT_EQ(first.failed_rate_rps.quality, Quality::missing);
  EXPECT_EQ(first.cpu_cores.quality, Quality::missing);
}

// 300 requests and 12 s of CPU in 15 s: 20 rps and 0.8 cores; 30 failed: 2 rps. Pod 2 served 150 and used 6 s.
TEST(MetricsPipeline, ARateIsTheIncreaseOverTheTimeBetweenScrapes) {
  MetricsPipeline metrics(plain(), 1, kStart);
  metrics.scrape(std::vector<PodCounters>{{1, 1000, 50}, {2, 0, 0}}, {.failed = 5, .in_flight = 0});
  metrics.scrape(std::vector<PodCounters>{{1, 1150, 56}, {2, 150, 6}}, {.failed = 35, .in_flight = 1});
  const Observation before = seen(metrics, 17s - 1ns);
  EXPECT_EQ(before.served_rate_rps.quality, Quality::missing) << "not visible yet";
  const Observation now = seen(metrics, 18s, {1, 2, 3});
  EXPECT_EQ(now.served_rate_rps, Signal::fresh(20, 3s));
  EXPECT_EQ(now.cpu_cores, Signal::fresh(0.8, 3s));
  EXPECT_EQ(now.failed_rate_rps, Signal::fresh(2, 3s));
  EXPECT_EQ(now.in_flight_requests, Signal::fresh(1, 3s));
  EXPECT_EQ(now.pods[1].cpu_cores, Signal::fresh(0.4, 3s));
  EXPECT_EQ(now.pods[1].cpu_window, Duration(15s));
  EXPECT_EQ(now.pods[2].cpu_cores.quality, Quality::missing) << "never scraped";
}

TEST(MetricsPipeline, APodCountsFromTheSecondTimeItWasSeenAndOneThatIsGoneNoMore) {
  MetricsPipeline metrics(plain(), 1, kStart);
  metrics.scrape(std::vector<PodCounters>{{1, 0, 0}}, {});
  metrics.scrape(std::vector<PodCounters>{{1, 150, 6}, {2, 90, 3}}, {});
  EXPECT_EQ(seen(metrics, 17s).served_rate_rps.value, 10.0);
  metrics.scrape(std::vector<PodCounters>{{2, 240, 9}}, {});
  EXPECT_EQ(seen(metrics, 32s).served_rate_rps.value, 10.0);
}

TEST(MetricsPipeline, ACounterThatFellStartedAgainAtZero) {
  MetricsPipeline metrics(plain(), 1, kStart);
  metrics.scrape(std::vector<PodCounters>{{1, 5000, 100}}, {});
  metrics.scrape(std::vector<PodCounters>{{1, 75, 3}}, {});
  EXPECT_EQ(seen(metrics, 17s).served_rate_rps.value, 5.0);
  EXPECT_EQ(seen(metrics, 17s).cpu_cores.value, 0.2);
}

TEST(MetricsPipeline, NoPodsServeNothingAndThatIsKnown) {
  MetricsPipeline metrics(plain(), 1, kStart);
  metrics.scrape({}, {});
  metrics.scrape({}, {});
  EXPECT_EQ(seen(metrics, 17s).served_rate_rps, Signal::fresh(0, 2s));
}

// 150 in the first interval, 450 in the second: 10 and 30 rps, over both 20.
TEST(MetricsPipeline, AWiderWindowTakesInTheIntervalsThatEndWithinIt) {
  MetricsSettings settings = plain();
  settings.rate_window = 30s;
  MetricsPipeline metrics(settings, 1, kStart);
  metrics.scrape(std::vector<PodCounters>{{1, 0, 0}}, {.failed = 0});
  metrics.scrape(std::vector<PodCounters>{{1, 150, 0}}, {.failed = 15});
  metrics.scrape(std::vector<PodCounters>{{1, 600, 0}}, {.failed = 75});
  EXPECT_EQ(seen(metrics, 32s).served_rate_rps.value, 20.0);
  EXPECT_EQ(seen(metrics, 32s).failed_rate_rps.value, 2.5);
  EXPECT_EQ(seen(metrics, 32s).rate_window, Duration(30s)) << "a policy is told";
  MetricsPipeline ordinary(plain(), 1, kStart);
  EXPECT_EQ(seen(ordinary, 0s).rate_window, Duration(0s)) << "one interval is no window";
  metrics.scrape(std::vector<PodCounters>{{1, 600, 0}}, {.failed = 75});
  EXPECT_EQ(seen(metrics, 47s).served_rate_rps.value, 15.0);
  EXPECT_EQ(seen(metrics, 47s).failed_rate_rps.value, 2.0);
}

TEST(MetricsPipeline, WhatIsOlderThanTwoIntervalsAndTheDelayIsStale) {
  MetricsPipeline metrics(plain(), 1, kStart);
  metrics.scrape(std::vector<PodCounters>{{1, 0, 0}}, {});
  metrics.scrape(std::vector<PodCounters>{{1, 150, 6}}, {});
  EXPECT_EQ(seen(metrics, 47s).served_rate_rps, Signal::fresh(10, 32s));
  EXPECT_EQ(seen(metrics, 47s + 1ns).served_rate_rps, Signal::stale(10, 32s + 1ns));
}

TEST(MetricsPipeline, FailuresAreInvisibleWhereNobodyCountsThem) {
  MetricsSettings settings = plain();
  settings.shows_failures = false;
  MetricsPipeline metrics(settings, 1, kStart);
  metrics.scrape({}, {.failed = 0, .in_flight = 7});
  metrics.scrape({}, {.failed = 100, .in_flight = 7});
  EXPECT_EQ(seen(metrics, 17s).failed_rate_rps.quality, Quality::missing);
  EXPECT_EQ(seen(metrics, 17s).in_flight_requests.value, 7);
}

TEST(MetricsPipeline, WithAllScrapesLostNothingIsEverKnown) {
  MetricsSettings settings = plain();
  settings.loss = 1.0;
  MetricsPipeline metrics(settings, 1, kStart);
  for (int i = 0; i < 10; ++i) metrics.scrape(std::vector<PodCounters>{{1, 150.0 * i, 6.0 * i}}, {.in_flight = 1});
  const Observation observation = seen(metrics, 200s, {1});
  EXPECT_EQ(observation.served_rate_rps.quality, Quality::missing);
  EXPECT_EQ(observation.in_flight_requests.quality, Quality::missing);
  EXPECT_EQ(observation.pods[0].cpu_cores.quality, Quality::missing);
}

// One pod, 10 rps: where it is seen at all the rate is true, for what a lost scrape held back is spread over its time.
TEST(MetricsPipeline, ALostScrapeNeitherLosesNorHeapsUpTheCounts) {
  MetricsSettings settings = plain();
  settings.loss = 0.4;
  MetricsPipeline metrics(settings, 1, kStart);
  int stale = 0;
  for (int i = 0; i < 500; ++i) {
    metrics.scrape(std::vector<PodCounters>{{1, 150.0 * i, 6.0 * i}}, {.failed = 30.0 * i});
    const Observation now = seen(metrics, i * 15s + 2s);
    ASSERT_NEAR(now.served_rate_rps.value_if_known().value_or(10.0), 10.0, 1e-9) << i;
    ASSERT_NEAR(now.cpu_cores.value_if_known().value_or(0.4), 0.4, 1e-9) << i;
    ASSERT_NEAR(now.failed_rate_rps.value_if_known().value_or(2.0), 2.0, 1e-9) << i;
    stale += now.served_rate_rps.quality == Quality::stale ? 1 : 0;
  }
  EXPECT_GT(stale, 5) << "three lost in a row: 6 %";
}

TEST(MetricsPipeline, DelaysAreWithinTheirBoundsAndANewerScrapeIsNeverShownFirst) {
  MetricsSettings settings = plain();
  settings.greatest_delay = 40s;  // several are on their way at the same time
  MetricsPipeline metrics(settings, 9, kStart);
  TimePoint shown = kStart - 1s;
  for (int second = 0; second < 3000; ++second) {
    const TimePoint now = kStart + second * 1s;
    while (metrics.next_scrape() <= now) metrics.scrape({}, {.in_flight = seconds_since_epoch(metrics.next_scrape())});
    const Signal signal = seen(metrics, now - kStart).in_flight_requests;
    if (signal.quality == Quality::missing) continue;
    const TimePoint scraped = now - signal.age;
    ASSERT_EQ(seconds_since_epoch(scraped), signal.value) << "the age is that of the value";
    ASSERT_GE(signal.age, 2s);
    ASSERT_LE(signal.age, 40s + 15s);
    ASSERT_GE(scraped, shown);
    shown = scraped;
  }
}

TEST(MetricsPipeline, ThePhaseIsDrawnFromTheSeedWithinAnInterval) {
  MetricsSettings settings;
  double sum = 0.0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const double phase_s = seconds_since_epoch(MetricsPipeline(settings, seed, kStart).next_scrape());
    EXPECT_EQ(phase_s, seconds_since_epoch(MetricsPipeline(settings, seed, kStart).next_scrape()));
    ASSERT_GE(phase_s, 0.0);
    ASSERT_LT(phase_s, 15.0);
    sum += phase_s;
  }
  EXPECT_NEAR(sum / 400, 7.5, 1.1);  // five standard errors of 4.33 / 20
  settings.scrape_phase = "4s";
  EXPECT_EQ(MetricsPipeline(settings, 1, kStart).next_scrape(), kStart + 4s);
}

}  // namespace
}  // namespace mpca::sim
