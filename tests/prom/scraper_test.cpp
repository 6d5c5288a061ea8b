#include "prom/scraper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "support/tiny_http_server.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;
using test::TinyHttpServer;

/// A pod whose counter grows by 10 with each scrape.
class FakePod {
 public:
  int scrapes() const { return scrapes_; }
  std::string address() const { return cat("127.0.0.1:", server_.port()); }
  std::atomic<bool> is_broken = false;
  std::atomic<bool> is_hanging = false;

 private:
  std::optional<TinyHttpServer::Answer> answer() {
    const int number = ++scrapes_;
    if (is_hanging) return std::nullopt;
    if (is_broken) return TinyHttpServer::ok("<html>\n");
    return TinyHttpServer::ok(cat("toy_http_requests_total{path=\"/work\",code=\"200\"} ", 10 * number,
                                  "\ntoy_in_flight_requests 2\nprocess_cpu_seconds_total ", number, "\n"));
  }
  std::atomic<int> scrapes_ = 0;
  TinyHttpServer server_{[this](std::string_view) { return answer(); }};
};

/// Looks until `condition` holds, for ten seconds at most.
template <class Condition>
bool eventually(const Condition& condition) {
  os::RealClock clock;
  for (int tries = 0; tries < 1000; ++tries) {
    if (condition()) return true;
    clock.sleep_until(clock.now() + 10ms);
  }
  return false;
}

constexpr Duration kInterval = 20ms;

TEST(Scraper, ReadsPodsThatAnswerAndHasNoValueForThoseThatDoNot) {
  FakePod a, b, broken;
  broken.is_broken = true;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload(
      "shop",
      {.rate_window = 5s, .targets = {{1, a.address()}, {2, b.address()}, {3, broken.address()}, {4, "127.0.0.1:1"}}});
  ASSERT_TRUE(scraper.wait_until_answering("shop", 10s));
  ASSERT_TRUE(eventually([&] {
    const auto reading = scraper.read("shop");
    return reading.answering == 2 && reading.served_rate_rps && reading.served_rate_rps->pods == 2 &&
           broken.scrapes() > 1;
  }));
  const WorkloadReading reading = scraper.read("shop");
  EXPECT_EQ(reading.pods, 4);
  EXPECT_EQ(reading.in_flight.value().value, 4.0);
  EXPECT_EQ(reading.in_flight->pods, 2);
  EXPECT_GT(reading.served_rate_rps->value, 0.0);
  EXPECT_NEAR(reading.cpu_cores.value().value, reading.served_rate_rps->value / 10.0, 1e-9);
  EXPECT_FALSE(reading.by_pod[2].in_flight || reading.by_pod[2].served_rate_rps);
  EXPECT_FALSE(reading.by_pod[3].in_flight || reading.by_pod[3].served_rate_rps);
}

TEST(Scraper, APodThatHangsKeepsNobodyWaiting) {
  FakePod good, hanging;
  hanging.is_hanging = true;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload("shop", {.targets = {{1, good.address()}}});
  ASSERT_TRUE(scraper.wait_until_answering("shop", 10s));
  scraper.set_workload("shop", {.targets = {{1, good.address()}, {2, hanging.address()}}});
  ASSERT_TRUE(eventually([&] { return hanging.scrapes() == 1; }));
  const int before = good.scrapes();
  // In one thread, the good pod would have to be asked once for each scrape of the other.
  EXPECT_TRUE(eventually([&] { return good.scrapes() > before + 10; }));
  EXPECT_LE(hanging.scrapes(), 4);
  EXPECT_EQ(scraper.read("shop").answering, 1);
}

TEST(Scraper, APodComesBackAfterAnOutage) {
  FakePod pod;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload("shop", {.targets = {{1, pod.address()}}});
  ASSERT_TRUE(scraper.wait_until_answering("shop", 10s));
  pod.is_broken = true;
  EXPECT_TRUE(eventually([&] { return scraper.read("shop").answering == 0; }));
  EXPECT_FALSE(scraper.read("shop").in_flight.has_value());
  pod.is_broken = false;
  EXPECT_TRUE(eventually([&] { return scraper.read("shop").in_flight.has_value(); }));
}

TEST(Scraper, WorkloadsAreApartAndEndWhenRemoved) {
  FakePod a, b;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload("a", {.targets = {{1, a.address()}}});
  scraper.set_workload("b", {.names = {.in_flight = "no_such"}, .targets = {{1, b.address()}}});
  ASSERT_TRUE(scraper.wait_until_answering("a", 10s) && scraper.wait_until_answering("b", 10s));
  EXPECT_TRUE(scraper.read("a").in_flight.has_value());
  EXPECT_FALSE(scraper.read("b").in_flight.has_value());
  scraper.remove_workload("a");
  EXPECT_EQ(scraper.read("a").pods, 0);
  EXPECT_FALSE(scraper.wait_until_answering("a", 1ms));
  EXPECT_FALSE(scraper.wait_until_answering("never", 1ms));
}

// A controller that does not lead any more, or an object that is off, asks no more; the pods' addresses get others.
TEST(Scraper, WhatNobodyAsksForIsNotScrapedForEver) {
  FakePod wanted, forgotten;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload("wanted", {.targets = {{1, wanted.address()}}, .forget_after = 300ms});
  scraper.set_workload("forgotten", {.targets = {{1, forgotten.address()}}, .forget_after = 300ms});
  ASSERT_TRUE(scraper.wait_until_answering("forgotten", 10s));
  os::RealClock clock;
  for (int i = 0; i < 20; ++i) {
    scraper.read("wanted");
    clock.sleep_until(clock.now() + 50ms);
  }
  const int scrapes = forgotten.scrapes(), of_wanted = wanted.scrapes();
  EXPECT_TRUE(eventually([&] {
    scraper.read("wanted");
    return wanted.scrapes() > of_wanted + 3;
  }));
  EXPECT_EQ(forgotten.scrapes(), scrapes);
  EXPECT_EQ(scraper.read("forgotten").pods, 0);
}

TEST(Scraper, OtherNamesBeginAnew) {
  FakePod pod;
  Scraper scraper({.interval = kInterval, .time_limit = 1s});
  scraper.set_workload("shop", {.targets = {{1, pod.address()}}});
  ASSERT_TRUE(eventually([&] { return scraper.read("shop").served_rate_rps.has_value(); }));
  scraper.set_workload("shop", {.names = {.requests = "no_such"}, .targets = {{1, pod.address()}}});
  ASSERT_TRUE(eventually([&] { return scraper.read("shop").cpu_cores.has_value(); }));
  EXPECT_FALSE(scraper.read("shop").served_rate_rps.has_value());
}

// A hundred that are due all the time, each with an answer of 10 ms, at one address and told apart by their paths.
TEST(Scraper, ManyAreAskedAFewAtATimeAndEachHasItsTurn) {
  constexpr int kPods = 100;
  std::atomic<int> open = 0, most = 0;
  std::atomic<int> scrapes[kPods] = {};
  os::RealClock clock;
  TinyHttpServer server([&](std::string_view path) {
    const int now = ++open;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
    clock.sleep_until(clock.now() + 10ms);
    ++scrapes[parse_int(path.substr(1)).value()];
    --open;
    return std::optional(TinyHttpServer::ok("toy_in_flight_requests 2\n"));
  });
  Scraper scraper({.interval = 1ms, .time_limit = 10s, .slots = 1});
  for (int i = 0; i < kPods; ++i)
    scraper.set_workload(cat(i), {.path = cat("/", i), .targets = {{1, cat("127.0.0.1:", server.port())}}});
  EXPECT_TRUE(eventually([&] { return std::ranges::all_of(scrapes, [](const auto& count) { return count >= 5; }); }));
  EXPECT_LE(most, 2 * static_cast<int>(kMostAtOnce)) << "of two threads";
}

TEST(Scraper, APageThatIsTooLargeIsNoAnswer) {
  TinyHttpServer server([&](std::string_view path) {
    const std::string filler(path == "/large" ? std::size_t{2} << 20 : 0, '#');
    return std::optional(TinyHttpServer::ok(cat("toy_in_flight_requests 2\n#", filler, "\n")));
  });
  Scraper scraper({.interval = kInterval, .time_limit = 10s});
  const std::string address = cat("127.0.0.1:", server.port());
  scraper.set_workload("large", {.path = "/large", .targets = {{1, address}}});
  scraper.set_workload("small", {.path = "/small", .targets = {{1, address}}});
  ASSERT_TRUE(scraper.wait_until_answering("small", 10s));
  EXPECT_FALSE(scraper.wait_until_answering("large", 200ms));
}

}  // namespace
}  // namespace mpca::prom
