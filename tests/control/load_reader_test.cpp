#include "control/load_reader.h"

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/os/file.h"
#include "prom/lab_queries.h"
#include "support/certificates.h"
#include "support/fake_api_server.h"
#include "support/fake_prometheus.h"
#include "support/scripted_server.h"
#include "support/temporary_directory.h"

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
  PrometheusAccess access{.urls = {prometheus.url()}, .credentials = {}};
  ClusterLoadReader reader{access, client, scraper, clock, RandomStream(1, "load")};
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

// Else who may write an object could have the controller ask any address that it can reach.
TEST_F(LoadReaderTest, AnAddressThatIsNotAmongTheControllersIsNotAsked) {
  access.urls = {"http://prometheus.monitoring:9090"};
  const LiveReading reading = read();
  EXPECT_EQ(reading.served_rate_rps.quality, policy::Quality::missing);
  EXPECT_NE(reading.trouble.find("is none of those that this controller asks (--prom-url)"), std::string::npos)
      << reading.trouble;
  EXPECT_TRUE(prometheus.asked().empty());
}

TEST_F(LoadReaderTest, TheTokenIsReadAnewForEachQuestion) {
  const test::TemporaryDirectory directory;
  access.credentials.token_file = directory.file("token");
  ASSERT_TRUE(os::write_file(access.credentials.token_file, "first\n"));
  read();
  EXPECT_EQ(prometheus.asked().back().authorization, "Bearer first");
  ASSERT_TRUE(os::write_file(access.credentials.token_file, "second\n"));
  read();
  EXPECT_EQ(prometheus.asked().back().authorization, "Bearer second");
}

TEST_F(LoadReaderTest, ACertificateHasToBeSignedByWhomWeTrust) {
  const test::TestAuthority authority;
  authority.sign("prometheus", "IP:127.0.0.1");
  // Not a Prometheus, but whom to trust is settled before that shows.
  const test::FakeApiServer server(test::FakeTls{authority.file("prometheus.pem"), authority.file("prometheus.key")});
  source.prometheus->url = server.url();
  access.urls = {server.url()};
  EXPECT_NE(read().trouble.find("certificate"), std::string::npos);
  access.credentials.ca_file = authority.ca_file();
  ClusterLoadReader trusting{access, client, scraper, clock, RandomStream(1, "load")};
  const LiveReading reading = trusting.read({"uid-1", source, target, addresses, 2});
  EXPECT_NE(reading.trouble.find("status 200"), std::string::npos) << reading.trouble;
}

/// A Prometheus that only the API server reaches.
class ProxiedPrometheusTest : public LoadReaderTest {
 protected:
  ProxiedPrometheusTest() {
    source.prometheus->url.clear();
    source.prometheus->service_namespace = "monitoring";
    source.prometheus->service = "prometheus";
  }
  /// Whatever is asked is answered so.
  LiveReading read_through(std::string answer) {
    const test::ScriptedServer api([&, answer = std::move(answer)](test::ScriptedServer::Client& asking) {
      while (asking.read_request().starts_with("GET /api/v1/namespaces/monitoring/services/http:prometheus:9090/")) {
        ++asked;
        asking.write(answer);
      }
    });
    kube::Connection connection;
    connection.server = api.url("");
    kube::Client patient{connection, {}, limit, clock, RandomStream(1, "kube")};
    ClusterLoadReader through{access, patient, scraper, clock, RandomStream(1, "load")};
    LiveReading reading = through.read({"uid-1", source, target, addresses, 2});
    again = through.read({"uid-1", source, target, addresses, 2});
    return reading;
  }
  std::atomic<int> asked = 0;
  LiveReading again;
};

TEST_F(ProxiedPrometheusTest, ItsOwnWordsComeThroughTheApiServersProxy) {
  const LiveReading reading = read_through(
      test::http_answer(400, R"({"status":"error","errorType":"bad_data","error":"parse error: unexpected end"})"));
  EXPECT_NE(reading.trouble.find("parse error: unexpected end"), std::string::npos) << reading.trouble;
  EXPECT_EQ(again.trouble, reading.trouble) << "it answers, so it is asked again";
}

TEST_F(ProxiedPrometheusTest, OneThatTheApiServerCannotReachIsSilent) {
  const LiveReading reading = read_through(test::http_answer(
      503, R"({"kind":"Status","message":"no endpoints available for service","reason":"ServiceUnavailable"})"));
  EXPECT_NE(reading.trouble.find("no endpoints available"), std::string::npos) << reading.trouble;
  EXPECT_EQ(asked, 2) << "the tries of one question, and none of the API's client on top";
  EXPECT_NE(again.trouble.find("is not asked now"), std::string::npos) << again.trouble;
}

TEST(PrometheusCredentialsCheck, NamesEachProblemWithItsFlag) {
  const test::TemporaryDirectory directory;
  const std::string token = directory.file("token");
  ASSERT_TRUE(os::write_file(token, "secret"));
  const std::vector<std::string> open = {"http://prometheus.monitoring:9090"}, none;
  const auto problems_of = [](const std::vector<std::string>& urls, const PrometheusCredentials& credentials) {
    const auto valid = check(urls, credentials);
    return valid ? std::string() : valid.error().message;
  };
  EXPECT_EQ(problems_of(open, {}), "");
  EXPECT_EQ(problems_of({std::string("http://127.0.0.1:9090"), "https://prometheus:9090"},
                        {.token_file = token, .ca_file = {}}),
            "");
  EXPECT_EQ(
      problems_of(open, {.token_file = token, .ca_file = {}}),
      "--prom-token-file: http://prometheus.monitoring:9090 would get the token where others can read it; use https");
  EXPECT_EQ(problems_of(none, {.token_file = token, .ca_file = {}}),
            "--prom-token-file: is for the servers of --prom-url, and there are none");
  EXPECT_EQ(problems_of({"prometheus:9090"}, {}), "--prom-url: \"prometheus:9090\" is no http(s) address");
  const std::string both = problems_of({"https://prometheus"}, {.token_file = "/no/token", .ca_file = "/no/ca"});
  EXPECT_NE(both.find("--prom-token-file: file not found: /no/token"), std::string::npos) << both;
  EXPECT_NE(both.find("--prom-ca-file: file not found: /no/ca"), std::string::npos) << both;
}

}  // namespace
}  // namespace mpca::control
