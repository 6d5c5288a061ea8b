#include "control/load_reader.h"

#include <gtest/gtest.h>

#include "core/clock.h"
#include "prom/lab_queries.h"
#include "support/fake_prometheus.h"

namespace mpca::control {
namespace {

using namespace std::chrono_literals;
using test::FakePrometheus;

class LoadReaderTest : public testing::Test {
 protected:
  LoadReaderTest() {
    source.prometheus.emplace().url = prometheus.url();
    source.rate_window = 60s;
    source.stale_after = 2min;
    const auto queries = prom::lab_queries({.name_space = "shop", .job = "web", .rate_window = 60s}).value();
    prometheus.set(queries.request_rate_rps.promql, FakePrometheus::number("40"));
    prometheus.set(queries.request_rate_rps.age_promql, FakePrometheus::number("3"));
    prometheus.set(queries.request_rate_rps.count_promql, FakePrometheus::number("2"));
  }
  LiveReading read() { return reader.read({"uid-1", source, target, addresses, 2}); }

  FakePrometheus prometheus;
  config::LoadSource source;
  const TargetRef target{.api_version = "apps/v1", .kind = "Deployment", .namespace_name = "shop", .name = "web"};
  const std::vector<PodAddress> addresses;
  VirtualClock clock{TimePoint(1000h)};
  kube::RateLimit limit{1000, 1000};
  kube::Client client{kube::Connection{}, {}, limit, clock, RandomStream(1, "kube")};
  prom::Scraper scraper{{}};
  ClusterLoadReader reader{client, scraper, clock, RandomStream(1, "load")};
};

TEST_F(LoadReaderTest, AsksThePrometheusThatTheObjectNames) {
  const LiveReading reading = read();
  EXPECT_EQ(reading.served_rate_rps, policy::Signal::fresh(40.0, 3s)) << reading.trouble;
}

TEST_F(LoadReaderTest, APrometheusThatKeptOneWaitingIsNotAskedForTwiceAsLong) {
  prometheus.next({FakePrometheus::closed(), FakePrometheus::closed()});
  const TimePoint began = clock.now();
  EXPECT_EQ(read().served_rate_rps.quality, policy::Quality::missing);
  const Duration waited = clock.now() - began;  // the pause between its two tries
  ASSERT_GT(waited, Duration::zero());
  ASSERT_EQ(prometheus.asked().size(), 2U);

  const LiveReading at_once = read();
  EXPECT_EQ(at_once.served_rate_rps.quality, policy::Quality::missing);
  EXPECT_NE(at_once.trouble.find("is not asked now"), std::string::npos) << at_once.trouble;
  clock.sleep_until(clock.now() + 2 * waited - 1ns);
  read();
  EXPECT_EQ(prometheus.asked().size(), 2U);

  clock.sleep_until(clock.now() + 1ns);
  EXPECT_EQ(read().served_rate_rps.quality, policy::Quality::fresh);
}

TEST_F(LoadReaderTest, AClockThatWasSetBackEndsThePause) {
  prometheus.next({FakePrometheus::closed(), FakePrometheus::closed()});
  read();
  VirtualClock earlier{TimePoint(1h)};
  clock = earlier;
  EXPECT_EQ(read().served_rate_rps.quality, policy::Quality::fresh);
}

}  // namespace
}  // namespace mpca::control
