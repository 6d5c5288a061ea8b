#include "control/prometheus_metrics.h"

#include <gtest/gtest.h>

#include <deque>

#include "control/fakes.h"
#include "core/clock.h"

namespace mpca::control {
namespace {

/// Answers every question that begins with a word by what is set for it.
class ScriptedTransport final : public prom::Transport {
 public:
  Result<prom::Reply> request(const prom::Request& request) override {
    ++requests;
    for (const auto& [part, reply] : replies)
      if (request.path.find(part) != std::string::npos) return reply;
    return fail(ErrorCode::io, "no answer");
  }
  std::deque<std::pair<std::string, Result<prom::Reply>>> replies;
  int requests = 0;
};

prom::Reply number(double value) {
  return {200, cat(R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1000,")", value,
                   R"("]}]}})")};
}
const prom::Reply kNoSeries{200, R"({"status":"success","data":{"resultType":"vector","result":[]}})"};

class PrometheusMetricsTest : public testing::Test {
 protected:
  LiveReading read(int ready_replicas) {
    prom::PrometheusClient client({.tries = 1}, transport, clock, random);
    PrometheusMetrics metrics({.queries = load_queries(prom::lab_queries({}).value()), .rate_window = 60s}, client);
    return metrics.read(ready_replicas);
  }
  /// Age and number of pods, of all three.
  void behind(double age_s, double pods) {
    transport.replies.emplace_back("timestamp", number(age_s));
    transport.replies.emplace_back("=count", number(pods));
  }
  void loads(double rate, double cpu, double in_flight) {
    transport.replies.emplace_back("toy_http_requests_total", number(rate));
    transport.replies.emplace_back("process_cpu_seconds_total", number(cpu));
    transport.replies.emplace_back("toy_in_flight_requests", number(in_flight));
  }

  ScriptedTransport transport;
  VirtualClock clock;
  RandomStream random{1, "test"};
};

TEST_F(PrometheusMetricsTest, TellsThreeSumsWithTheirAge) {
  behind(7.0, 4.0);
  loads(80.5, 3.25, 12.0);
  const LiveReading reading = read(4);
  EXPECT_EQ(reading.trouble, "");
  EXPECT_EQ(reading.rate_window, 60s);
  EXPECT_EQ(reading.served_rate_rps, policy::Signal::fresh(80.5, 7s));
  EXPECT_EQ(reading.cpu_cores, policy::Signal::fresh(3.25, 7s));
  EXPECT_EQ(reading.in_flight_requests, policy::Signal::fresh(12.0, 7s));
  EXPECT_EQ(reading.failed_rate_rps.quality, policy::Quality::missing);
}

TEST_F(PrometheusMetricsTest, NoSeriesIsMissingAndNotZero) {
  behind(7.0, 4.0);
  transport.replies.emplace_back("toy_http_requests_total", kNoSeries);
  loads(80.5, 3.25, 12.0);
  const LiveReading reading = read(4);
  EXPECT_EQ(reading.served_rate_rps.quality, policy::Quality::missing);
  EXPECT_EQ(reading.in_flight_requests.quality, policy::Quality::fresh);
  EXPECT_EQ(reading.trouble, "request rate: no series");
  EXPECT_TRUE(reading.was_answered);
}

TEST_F(PrometheusMetricsTest, AProxyThatKnowsNoPrometheusAnswersNoQuestion) {
  transport.replies.emplace_back("query", prom::Reply{404, R"({"kind":"Status","code":404,"message":"not found"})"});
  const LiveReading reading = read(4);
  EXPECT_FALSE(reading.was_answered);
  EXPECT_EQ(reading.served_rate_rps.quality, policy::Quality::missing);
}

// As Thanos answers while one of its stores is away.
TEST_F(PrometheusMetricsTest, NoSeriesWithAWarningIsMissingAndNotZeroEither) {
  behind(7.0, 4.0);
  transport.replies.emplace_back(
      "toy_http_requests_total",
      prom::Reply{200, R"({"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store away"]})"});
  loads(80.5, 3.25, 12.0);
  const LiveReading reading = read(4);
  EXPECT_EQ(reading.served_rate_rps, policy::Signal{});
  EXPECT_NE(reading.trouble.find("store away"), std::string::npos) << reading.trouble;
}

TEST_F(PrometheusMetricsTest, ASumOfSomeOfThePodsIsStale) {
  behind(7.0, 3.0);
  loads(80.5, 3.25, 12.0);
  const LiveReading reading = read(4);
  EXPECT_EQ(reading.served_rate_rps, policy::Signal::stale(80.5, 7s));
  EXPECT_NE(reading.trouble, "");
}

TEST_F(PrometheusMetricsTest, WhatIsTooOldIsStale) {
  behind(130.0, 4.0);
  loads(80.5, 3.25, 12.0);
  EXPECT_EQ(read(4).served_rate_rps, policy::Signal::stale(80.5, 130s));
}

TEST_F(PrometheusMetricsTest, WithoutAnAnswerAllIsMissingAndItSaysWhy) {
  const LiveReading reading = read(4);
  for (const policy::Signal* signal : {&reading.served_rate_rps, &reading.cpu_cores, &reading.in_flight_requests})
    EXPECT_EQ(signal->quality, policy::Quality::missing);
  EXPECT_NE(reading.trouble.find("no answer"), std::string::npos) << reading.trouble;
  EXPECT_EQ(transport.requests, 1) << "each of the others would wait as long";
}

}  // namespace
}  // namespace mpca::control
