#include "prom/pod_window.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string_view>

#include "core/random.h"
#include "core/text.h"
#include "prom/rate.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::int64_t>;

PageFigures page(std::string_view text, const MetricNames& names = {}) {
  return figures_of(names, parse_exposition(text).value());
}
TimePoint at(Duration time) { return TimePoint(time); }
/// A counter of one series.
PageFigures::Counter one(double value) { return {{.series = 1, .value = value}}; }
std::optional<double> sum(const std::optional<PageFigures::Counter>& counter) {
  if (!counter) return std::nullopt;
  double all = 0.0;
  for (const SeriesValue& each : *counter) all += each.value;
  return all;
}

TEST(PageFigures, OfToyLoadAreItsRequestsToWorkByStatus) {
  const PageFigures figures = page(
      "toy_http_requests_total{method=\"GET\",path=\"/work\",code=\"200\"} 100\n"
      "toy_http_requests_total{method=\"POST\",path=\"/work\",code=\"304\"} 5\n"
      "toy_http_requests_total{method=\"GET\",path=\"/work\",code=\"503\"} 7\n"
      "toy_http_requests_total{method=\"GET\",path=\"/metrics\",code=\"200\"} 999\n"
      "toy_in_flight_requests 3\nprocess_cpu_seconds_total 12.5\n");
  EXPECT_EQ(sum(figures.served), 105.0);
  EXPECT_EQ(sum(figures.failed), 7.0);
  EXPECT_EQ(figures.in_flight, 3.0);
  EXPECT_EQ(sum(figures.cpu_s), 12.5);
  EXPECT_FALSE(figures.waiting.has_value());
}

TEST(PageFigures, WhatIsNotThereOrNoNumberIsNotZero) {
  const PageFigures nothing = page("other 1\n");
  EXPECT_FALSE(nothing.served || nothing.failed || nothing.in_flight || nothing.cpu_s);
  const PageFigures bad = page("toy_in_flight_requests NaN\nprocess_cpu_seconds_total +Inf\n");
  EXPECT_FALSE(bad.in_flight || bad.cpu_s);
  const PageFigures served = page("toy_http_requests_total{path=\"/work\",code=\"200\"} 1\n");
  EXPECT_EQ(sum(served.failed), 0.0) << "the same counter shows that none has failed";
  const PageFigures odd = page(
      "toy_http_requests_total{path=\"/work\",code=\"200\"} NaN\n"
      "toy_http_requests_total{path=\"/work\",code=\"503\"} -1\n"
      "toy_http_requests_total{path=\"/work\",code=\"500\"} 2\n");
  EXPECT_FALSE(odd.served.has_value());
  EXPECT_EQ(sum(odd.failed), 2.0);
}

TEST(PageFigures, ASeriesIsItsNameAndLabelsInAnyOrder) {
  const auto served = [](std::string_view text) { return page(text).served.value(); };
  const auto get = served("toy_http_requests_total{path=\"/work\",code=\"200\",method=\"GET\"} 1\n");
  EXPECT_EQ(get, served("toy_http_requests_total{method=\"GET\",path=\"/work\",code=\"200\"} 1\n"));
  EXPECT_NE(get, served("toy_http_requests_total{method=\"PUT\",path=\"/work\",code=\"200\"} 1\n"));
  EXPECT_EQ(served("toy_http_requests_total{path=\"/work\",code=\"200\"} 3\n"
                   "toy_http_requests_total{code=\"200\",path=\"/work\"} 4\n")[0]
                .value,
            3.0)
      << "of one that stands there twice, the first";
}

TEST(PageFigures, ACounterOfTooManySeriesIsNoFigure) {
  std::string text;
  const auto served = [&](std::size_t series) {
    text.clear();
    for (std::size_t i = 0; i < series; ++i)
      text += cat("toy_http_requests_total{path=\"/work\",code=\"200\",user=\"", i, "\"} 1\n");
    return page(text).served;
  };
  EXPECT_EQ(served(kMostSeries).value().size(), kMostSeries);
  EXPECT_FALSE(served(kMostSeries + 1).has_value());
}

TEST(PageFigures, NamesAreTheUsers) {
  const MetricNames grpc{.requests = "grpc_server_handled_total",
                         .request_labels = {{"grpc_service", "shop"}},
                         .status_label = "grpc_code",
                         .served_statuses = {"OK"}};
  const PageFigures by_code = page(
      "grpc_server_handled_total{grpc_service=\"shop\",grpc_code=\"OK\"} 8\n"
      "grpc_server_handled_total{grpc_service=\"shop\",grpc_code=\"Internal\"} 2\n",
      grpc);
  EXPECT_EQ(sum(by_code.served), 8.0);
  EXPECT_EQ(sum(by_code.failed), 2.0);
  const MetricNames histogram{
      .requests = "latency_seconds_count", .request_labels = {}, .status_label = "", .failures = "errors_total"};
  const PageFigures counted =
      page("latency_seconds_bucket{le=\"+Inf\"} 9\nlatency_seconds_count 9\nerrors_total 1\n", histogram);
  EXPECT_EQ(sum(counted.served), 9.0);
  EXPECT_EQ(sum(counted.failed), 1.0);
  EXPECT_FALSE(page("latency_seconds_count 9\n", histogram).failed.has_value()) << "it may be called otherwise";
}

// Pod 1 serves 10 a second, pod 2 20 a second, each with a sample at both ends of the window.
TEST(PodWindow, SumsThePodsAndSaysOfHowManyAndHowOld) {
  PodWindow window(10s, 1s);
  window.set_pods(Ids{1, 2, 3});
  window.answered(1, at(100s), {.served = one(1000.0), .in_flight = 4.0});
  window.answered(2, at(101s), {.served = one(500.0), .in_flight = 1.0});
  window.answered(1, at(110s), {.served = one(1100.0), .in_flight = 2.0});
  window.answered(2, at(109s), {.served = one(660.0), .in_flight = 5.0});
  window.missed(3);
  const WorkloadReading reading = window.read(at(110s));
  EXPECT_EQ(reading.pods, 3);
  EXPECT_EQ(reading.answering, 2);
  // Pod 2: 160 in 8 s; both borders are within 1.1 times its interval of 8 s, so 200 in 10 s.
  EXPECT_DOUBLE_EQ(reading.served_rate_rps.value().value, 10.0 + 20.0);
  EXPECT_EQ(reading.served_rate_rps->age, 0s);
  EXPECT_EQ(reading.served_rate_rps->oldest_age, 1s);
  EXPECT_EQ(reading.served_rate_rps->pods, 2);
  EXPECT_EQ(reading.in_flight.value().value, 7.0);
  EXPECT_EQ(reading.in_flight->pods, 2);
  EXPECT_FALSE(reading.cpu_cores.has_value());
  ASSERT_EQ(reading.by_pod.size(), 3u);
  EXPECT_DOUBLE_EQ(reading.by_pod[0].served_rate_rps.value().value, 10.0);
  EXPECT_EQ(reading.by_pod[1].in_flight.value().age, 1s);
  EXPECT_FALSE(reading.by_pod[2].is_answering);
  EXPECT_FALSE(reading.by_pod[2].served_rate_rps.has_value());
  EXPECT_FALSE(reading.by_pod[2].in_flight.has_value());
}

TEST(PodWindow, NoPodsAreNoNumbers) {
  PodWindow window(10s, 1s);
  const WorkloadReading reading = window.read(at(1s));
  EXPECT_EQ(reading.pods, 0);
  EXPECT_FALSE(reading.served_rate_rps || reading.in_flight || reading.age);
}

// At 110 s: 100 in 10 s. Silent from then on, it is still that at 115 s. A rate as of then would be 50 in 5 s, and half
// an interval more, over 10 s: a load that falls to 5.5 although nobody knows.
TEST(PodWindow, APodThatFallsSilentKeepsItsRateAndGetsOlder) {
  PodWindow window(10s, 1s);
  window.set_pods(Ids{1});
  for (int k = 0; k <= 10; ++k) window.answered(1, at(100s + k * 1s), {.served = one(10.0 * k), .in_flight = 3.0});
  window.missed(1);
  const WorkloadReading reading = window.read(at(115s));
  EXPECT_EQ(reading.answering, 0);
  EXPECT_DOUBLE_EQ(reading.served_rate_rps.value().value, 10.0);
  EXPECT_EQ(reading.served_rate_rps->age, 5s);
  EXPECT_EQ(reading.age, 5s);
  EXPECT_FALSE(reading.in_flight.has_value());
  EXPECT_TRUE(window.read(at(120s)).served_rate_rps.has_value());
  EXPECT_FALSE(window.read(at(120s) + 1ns).served_rate_rps.has_value()) << "older than the window";
}

// The same pod, gone at 110 s: of the window that ends at 115 s it served in the half, so these 5.5 are right.
TEST(PodWindow, APodThatHasGoneCountsForItsPartOfTheWindow) {
  PodWindow window(10s, 1s);
  window.set_pods(Ids{1, 2});
  for (int k = 0; k <= 10; ++k) {
    window.answered(1, at(100s + k * 1s), {.served = one(10.0 * k), .in_flight = 3.0});
    window.answered(2, at(100s + k * 1s), {.served = one(0.0), .in_flight = 1.0});
  }
  window.set_pods(Ids{2});
  window.answered(2, at(115s), {.served = one(0.0), .in_flight = 1.0});
  window.answered(1, at(115s), {.served = one(900.0), .in_flight = 9.0});
  const WorkloadReading reading = window.read(at(115s));
  EXPECT_EQ(reading.pods, 1);
  EXPECT_EQ(reading.by_pod.size(), 1u);
  EXPECT_DOUBLE_EQ(reading.served_rate_rps.value().value, 5.5);
  EXPECT_EQ(reading.served_rate_rps->pods, 1);
  EXPECT_EQ(reading.in_flight.value().value, 1.0);
  // Of each of three counters: 11 samples of pod 1, and of pod 2 those of 105 s to 110 s and of 115 s.
  EXPECT_EQ(window.kept_samples(), 3u * (11u + 7u));
  window.read(at(120s) + 1ns);
  EXPECT_EQ(window.kept_samples(), 3u * 7u);
}

TEST(PodWindow, ACounterThatNoPodHasShownIsNotZero) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1, 2});
  for (const int k : {0, 1}) {
    window.answered(1, at(100s + k * 5s), {.in_flight = 0.0});
    window.answered(2, at(100s + k * 5s), {.in_flight = 0.0});
  }
  EXPECT_FALSE(window.read(at(105s)).served_rate_rps.has_value()) << "no request yet, or another name";
  // The first one of pod 1 shows the name: it went from 0 to 5 in the last 5 s, and pod 2 served none.
  window.answered(1, at(110s), {.served = one(5.0), .in_flight = 0.0});
  window.answered(2, at(110s), {.in_flight = 0.0});
  const WorkloadReading reading = window.read(at(110s));
  EXPECT_DOUBLE_EQ(reading.served_rate_rps.value().value, 0.5);
  EXPECT_EQ(reading.served_rate_rps->pods, 2);
  EXPECT_EQ(reading.by_pod[1].served_rate_rps.value().value, 0.0);
}

// Without it for one scrape and then as high as before: not a reset and a leap of 1000.
TEST(PodWindow, ACounterThatIsAwayForAMomentIsNoReset) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(100s), {.served = one(1000.0)});
  window.answered(1, at(105s), {});
  window.answered(1, at(110s), {.served = one(1020.0)});
  EXPECT_DOUBLE_EQ(window.read(at(110s)).served_rate_rps.value().value, 2.0);
}

PageFigures codes(std::initializer_list<std::pair<int, double>> values) {
  std::string text;
  for (const auto& [code, value] : values)
    text += cat("toy_http_requests_total{path=\"/work\",code=\"", code, "\"} ", value, "\n");
  return page(text);
}

// 10 a second with code 200; 204 stands at a million until its label set is deleted at 105 s. Of the sum, which falls
// there, rate() would say that a million and more were served in these seconds.
TEST(PodWindow, ASeriesThatDisappearsIsNoRestart) {
  PodWindow window(10s, 1s);
  window.set_pods(Ids{1});
  for (int k = 0; k <= 10; ++k) {
    const double served = 500.0 + 10.0 * k;
    window.answered(1, at(100s + k * 1s), k < 5 ? codes({{200, served}, {204, 1e6}}) : codes({{200, served}}));
    const auto rate = window.read(at(100s + k * 1s)).served_rate_rps;
    if (k > 0) {
      EXPECT_LE(rate.value().value, 10.0 + 1e-9) << k;
    }
  }
  EXPECT_NEAR(window.read(at(110s)).served_rate_rps->value, 10.0, 1e-9);
}

// It comes back from 0, so all 30 are new; the others served 100 in these 10 s.
TEST(PodWindow, ASeriesThatBeganAgainCountsFromZero) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(100s), codes({{200, 500.0}, {204, 1e6}}));
  window.answered(1, at(105s), codes({{200, 550.0}}));
  window.answered(1, at(110s), codes({{200, 600.0}, {204, 30.0}}));
  EXPECT_DOUBLE_EQ(window.read(at(110s)).served_rate_rps.value().value, 13.0);
}

// 40 of a status that was not there at the last page came since then. PromQL would not count them.
TEST(PodWindow, AStatusThatAppearsHasHappenedSinceTheLastPage) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(100s), codes({{200, 500.0}, {500, 60.0}}));
  window.answered(1, at(105s), codes({{200, 550.0}, {500, 60.0}}));
  window.answered(1, at(110s), codes({{200, 600.0}, {500, 60.0}, {503, 40.0}}));
  const WorkloadReading reading = window.read(at(110s));
  EXPECT_DOUBLE_EQ(reading.served_rate_rps.value().value, 10.0);
  EXPECT_DOUBLE_EQ(reading.failed_rate_rps.value().value, 4.0);
}

// Away for 20 s with a window of 10 s: when its 900 came, nobody knows.
TEST(PodWindow, ASeriesThatWasAwayForLongIsNoNewsWhenItComesBack) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(100s), codes({{200, 500.0}, {204, 100.0}}));
  for (int k = 1; k <= 3; ++k) window.answered(1, at(100s + k * 5s), codes({{200, 500.0 + 50.0 * k}}));
  window.answered(1, at(120s), codes({{200, 700.0}, {204, 1000.0}}));
  EXPECT_DOUBLE_EQ(window.read(at(120s)).served_rate_rps.value().value, 10.0);
  window.answered(1, at(125s), codes({{200, 750.0}, {204, 1020.0}}));
  EXPECT_DOUBLE_EQ(window.read(at(125s)).served_rate_rps.value().value, 12.0);
}

// Of one series, restarts and all, a reading is what Prometheus' rule says of the values as they are.
TEST(PodWindow, OfOneSeriesTheRateIsThatOfItsOwnValues) {
  RandomStream random(1, "one series");
  for (int run = 0; run < 200; ++run) {
    PodWindow window(10s, 1s);
    window.set_pods(Ids{1});
    std::vector<CounterSample> samples;
    double value = std::floor(1000.0 * random.uniform());
    for (int k = 0; k < 40; ++k) {
      value =
          random.uniform() < 0.1 ? std::floor(20.0 * random.uniform()) : value + std::floor(50.0 * random.uniform());
      const TimePoint now = at(100s + k * 1s);
      samples.push_back({now, value});
      window.answered(1, now, {.served = one(value)});
      const auto expected = rate(samples, now, 10s);
      const auto found = window.read(now).served_rate_rps;
      ASSERT_EQ(found.has_value(), expected.has_value());
      if (found) {
        ASSERT_NEAR(found->value, *expected, 1e-9 * (1.0 + *expected)) << run << " " << k;
      }
    }
  }
}

// A new label set on each page, as with a user's name in it.
TEST(PodWindow, SeriesThatComeAndGoAreNotKeptWithoutEnd) {
  PodWindow window(10s, 1s);
  window.set_pods(Ids{1});
  std::uint64_t next = 0;
  for (int k = 0; k < 20; ++k) {
    PageFigures::Counter counter;
    for (int i = 0; i < 1000; ++i) counter.push_back({.series = next++, .value = 1.0});
    window.answered(1, at(100s + k * 1s), {.served = counter});
    ASSERT_LE(window.kept_series(), kMostSeries);
  }
  EXPECT_NEAR(window.read(at(119s)).served_rate_rps.value().value, 1000.0, 1e-6);
}

// 100 to 130, a restart, 20 more: 50 in 10 s.
TEST(PodWindow, ARestartedContainerCountsFromZero) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(100s), {.served = one(100.0)});
  window.answered(1, at(105s), {.served = one(130.0)});
  window.answered(1, at(110s), {.served = one(20.0)});
  EXPECT_DOUBLE_EQ(window.read(at(110s)).served_rate_rps.value().value, 5.0);
}

// Ten a second, scraped fifty times as often as agreed: 2 + 3 samples, and the rate is still 10.
TEST(PodWindow, MemoryIsBoundedAndTheWindowStaysWhole) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  for (int k = 0; k <= 1000; ++k) {
    window.answered(1, at(100s + k * 100ms), {.served = one(1.0 * k)});
    ASSERT_LE(window.kept_samples(), 3u * 5u);
  }
  EXPECT_NEAR(window.read(at(200s)).served_rate_rps.value().value, 10.0, 1e-9);
}

TEST(PodWindow, AnAnswerOfBeforeIsNotTakenForNews) {
  PodWindow window(10s, 5s);
  window.set_pods(Ids{1});
  window.answered(1, at(105s), {.in_flight = 5.0});
  window.answered(1, at(104s), {.in_flight = 4.0});
  EXPECT_EQ(window.read(at(106s)).in_flight.value().value, 5.0);
}

}  // namespace
}  // namespace mpca::prom
