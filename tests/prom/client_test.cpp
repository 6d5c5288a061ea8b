#include "prom/client.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/text.h"
#include "prom/http_transport.h"
#include "support/fake_prometheus.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;
using test::FakePrometheus;

constexpr std::string_view kOne = R"({"metric":{},"value":[1700000000,"7"]})";

/// The client against the fake over HTTP, in simulated time: pauses cost nothing and can be read off the clock.
class ClientOverHttp : public testing::Test {
 protected:
  Answer ask(const InstantQuery& query) { return client_.instant(query); }
  const Failed& failed(const Answer& answer) { return std::get<Failed>(answer); }

  FakePrometheus fake_;
  VirtualClock clock_;
  RandomStream random_{1, "backoff"};
  HttpTransport transport_{fake_.url(), {}};
  PrometheusClient client_{{.try_limit = 500ms, .tries = 3}, transport_, clock_, random_};
};

TEST_F(ClientOverHttp, TheQueryArrivesAsItWasWritten) {
  const std::string promql = "sum(rate(a_total{b=\"c d&é%+\"}[1m]))";
  fake_.set(promql, FakePrometheus::number("12.5"));
  EXPECT_EQ(one_number(ask({.promql = promql}), "").value(), 12.5);
  ASSERT_EQ(fake_.asked().size(), 1u);
  EXPECT_EQ(fake_.asked()[0].method, "GET");
  EXPECT_EQ(fake_.asked()[0].path, "/api/v1/query");
  EXPECT_EQ(fake_.asked()[0].fields.at("timeout"), "500ms");
}

TEST_F(ClientOverHttp, EachKindOfAnswerIsTold) {
  fake_.set("nan", FakePrometheus::number("NaN"));
  fake_.set("inf", FakePrometheus::number("+Inf"));
  fake_.set("some", FakePrometheus::with_warning(kOne, "one store did not answer"));
  EXPECT_TRUE(std::holds_alternative<Empty>(ask({.promql = "none"})));
  EXPECT_TRUE(std::holds_alternative<NotFinite>(ask({.promql = "nan"})));
  EXPECT_TRUE(std::holds_alternative<NotFinite>(ask({.promql = "inf"})));
  EXPECT_TRUE(std::holds_alternative<Partial>(ask({.promql = "some"})));
  EXPECT_EQ(fake_.asked().size(), 4u) << "a missing value is an answer, not a reason to ask again";
}

TEST_F(ClientOverHttp, OldSamplesAreStaleAndNewOnesSayTheirAge) {
  fake_.set("load", FakePrometheus::number("7"));
  fake_.set("age", FakePrometheus::number("89.5"));
  const InstantQuery query{.promql = "load", .age_promql = "age", .max_age = 90s};
  EXPECT_EQ(std::get<Values>(ask(query)).age, 89500ms);
  fake_.set("age", FakePrometheus::number("90.5"));
  const Answer stale = ask(query);
  EXPECT_EQ(std::get<Stale>(stale).age, 90500ms);
  EXPECT_EQ(std::get<Stale>(stale).series[0].points[0].value, 7.0);
  EXPECT_EQ(one_number(stale, "query load").error().message, "query load: the newest sample is 1m30.5s old");
  fake_.set("age", FakePrometheus::number("-0.01"));
  EXPECT_EQ(std::get<Values>(ask(query)).age, 0s);
}

TEST_F(ClientOverHttp, AnUnknownAgeIsNotANewSample) {
  fake_.set("load", FakePrometheus::number("7"));
  const InstantQuery query{.promql = "load", .age_promql = "age", .max_age = 90s};
  EXPECT_EQ(std::get<Partial>(ask(query)).reasons, std::vector<std::string>{"its age: no data"});
  fake_.set("age", FakePrometheus::error(422, "execution", "many-to-many"));
  EXPECT_EQ(failed(ask(query)).kind, FailureKind::query);
}

TEST_F(ClientOverHttp, FewerPodsThanExpectedArePartOfThem) {
  fake_.set("load", FakePrometheus::number("7"));
  fake_.set("count", FakePrometheus::number("3"));
  EXPECT_TRUE(std::holds_alternative<Values>(ask({.promql = "load", .count_promql = "count", .expected_pods = 3})));
  EXPECT_EQ(std::get<Partial>(ask({.promql = "load", .count_promql = "count", .expected_pods = 4})).reasons,
            std::vector<std::string>{"3 of 4 pods"});
  EXPECT_EQ(std::get<Partial>(ask({.promql = "load", .count_promql = "none", .expected_pods = 4})).reasons,
            std::vector<std::string>{"0 of 4 pods"});
  EXPECT_EQ(std::get<Partial>(ask({.promql = "load", .expected_pods = 2})).reasons,
            std::vector<std::string>{"1 of 2 pods"})
      << "without a question of its own, a pod is a series";
}

TEST_F(ClientOverHttp, PassingFaultsAreOvercomeByAnotherTry) {
  fake_.set("up", FakePrometheus::number("1"));
  const std::vector<std::pair<const char*, FakePrometheus::Script>> faults = {
      {"closed", FakePrometheus::closed()},
      {"truncated", FakePrometheus::truncated()},
      {"hang", FakePrometheus::hang()},
      {"gateway", FakePrometheus::not_json(502)},
      {"not json", FakePrometheus::not_json()},
      {"too many", FakePrometheus::json(429, "slow down")},
      {"timeout", FakePrometheus::error(503, "timeout", "query timed out")}};
  for (const auto& [name, fault] : faults) {
    fake_.next({fault});
    EXPECT_EQ(one_number(ask({.promql = "up"}), "").value_or(-1.0), 1.0) << name;
  }
  EXPECT_EQ(fake_.asked().size(), 14u) << "two requests each";
}

TEST_F(ClientOverHttp, LastingFaultsAreNamedAfterTheLastTry) {
  const auto kind_of = [&](const FakePrometheus::Script& fault) {
    fake_.next({fault, fault, fault});
    const Answer answer = ask({.promql = "up"});
    EXPECT_EQ(failed(answer).tries, 3);
    EXPECT_EQ(failed(answer).error.code, ErrorCode::io);
    return failed(answer).kind;
  };
  EXPECT_EQ(kind_of(FakePrometheus::closed()), FailureKind::no_answer);
  EXPECT_EQ(kind_of(FakePrometheus::truncated()), FailureKind::no_answer);
  EXPECT_EQ(kind_of(FakePrometheus::not_json(502)), FailureKind::http_status);
  EXPECT_EQ(kind_of(FakePrometheus::not_json()), FailureKind::not_prometheus);
  EXPECT_EQ(kind_of(FakePrometheus::error(503, "unavailable", "starting")), FailureKind::server);
}

TEST_F(ClientOverHttp, WhatWillNotGetBetterIsAskedOnce) {
  const auto tries_of = [&](const FakePrometheus::Script& fault) {
    fake_.next({fault});
    return failed(ask({.promql = "sum("})).tries;
  };
  EXPECT_EQ(tries_of(FakePrometheus::error(400, "bad_data", "parse error")), 1);
  EXPECT_EQ(tries_of(FakePrometheus::json(401, "who are you")), 1);
  EXPECT_EQ(tries_of(FakePrometheus::json(404, "not found")), 1);
  EXPECT_EQ(fake_.asked().size(), 3u);
}

TEST_F(ClientOverHttp, ARangeIsAskedByItsBordersAndItsStep) {
  fake_.set("load", FakePrometheus::matrix(R"({"metric":{"pod":"a"},"values":[[100,"1"],[115,"2"]]})"));
  const RangeQuery query{
      .promql = "load", .start = TimePoint(100s), .end = TimePoint(130250ms), .step = 15s, .max_age = 20s};
  EXPECT_EQ(std::get<Values>(client_.range(query)).age, 15250ms);
  EXPECT_EQ(fake_.asked()[0].path, "/api/v1/query_range");
  EXPECT_EQ(fake_.asked()[0].fields.at("start"), "100.000");
  EXPECT_EQ(fake_.asked()[0].fields.at("end"), "130.250");
  EXPECT_EQ(fake_.asked()[0].fields.at("step"), "15000ms");

  RangeQuery late = query;
  late.end = TimePoint(136s);
  EXPECT_EQ(std::get<Stale>(client_.range(late)).age, 21s);
  RangeQuery two = query;
  two.expected_series = 2;
  EXPECT_EQ(std::get<Partial>(client_.range(two)).reasons, std::vector<std::string>{"1 of 2 series"});
  RangeQuery backwards = query;
  backwards.end = TimePoint(99s);
  EXPECT_EQ(failed(client_.range(backwards)).error.code, ErrorCode::invalid_argument);
}

TEST_F(ClientOverHttp, ALongQueryAndItsCredentialsArriveByPost) {
  const std::string promql = cat("up{a=\"", std::string(5000, '+'), "\"}");
  fake_.set(promql, FakePrometheus::number("1"));
  PrometheusClient client({.authorization = [] { return basic("Aladdin", "open sesame"); }}, transport_, clock_,
                          random_);
  EXPECT_EQ(one_number(client.instant({.promql = promql}), "").value(), 1.0);
  EXPECT_EQ(fake_.asked()[0].method, "POST");
  EXPECT_EQ(fake_.asked()[0].authorization, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_F(ClientOverHttp, NoServerIsAnIoError) {
  HttpTransport nobody("http://127.0.0.1:1", {});
  PrometheusClient client({.tries = 1}, nobody, clock_, random_);
  const Answer answer = client.instant({.promql = "up"});
  EXPECT_EQ(failed(answer).kind, FailureKind::no_answer);
  EXPECT_EQ(one_number(answer, "lab").error().code, ErrorCode::io);
}

/// Keeps what it is asked and answers by a function of the try's number.
class RecordingTransport final : public Transport {
 public:
  using Respond = std::function<Result<Reply>(const Request&, int number)>;
  explicit RecordingTransport(Respond respond) : respond_(std::move(respond)) {}
  Result<Reply> request(const Request& request) override {
    requests.push_back(request);
    return respond_(request, static_cast<int>(requests.size()));
  }
  std::vector<Request> requests;

 private:
  Respond respond_;
};

Result<Reply> seven(const Request& /*request*/, int /*number*/) {
  return Reply{200, cat(R"({"status":"success","data":{"resultType":"vector","result":[)", kOne, "]}}")};
}

TEST(PrometheusClient, ALongQueryIsPostedAsAForm) {
  RecordingTransport transport(seven);
  VirtualClock clock;
  RandomStream random(1, "backoff");
  PrometheusClient client({.path_prefix = "/prometheus/", .post_from_bytes = 60}, transport, clock, random);
  client.instant({.promql = "up"});
  client.instant({.promql = "sum(up) by (a_label_with_a_long_name)"});
  ASSERT_EQ(transport.requests.size(), 2u);
  EXPECT_EQ(transport.requests[0].method, "GET");
  EXPECT_EQ(transport.requests[0].path, "/prometheus/api/v1/query?query=up&timeout=5000ms");
  EXPECT_EQ(transport.requests[1].method, "POST");
  EXPECT_EQ(transport.requests[1].path, "/prometheus/api/v1/query");
  EXPECT_EQ(transport.requests[1].content_type, "application/x-www-form-urlencoded");
  EXPECT_EQ(transport.requests[1].body, "query=sum%28up%29%20by%20%28a_label_with_a_long_name%29&timeout=5000ms");
}

TEST(PrometheusClient, CredentialsAreAskedForAtEachTryAndNeverInAMessage) {
  int asked = 0;
  RecordingTransport transport([](const Request&, int) { return Reply{401, "no"}; });
  VirtualClock clock;
  RandomStream random(1, "backoff");
  PrometheusClient client({.authorization = [&] { return bearer(cat("secret-", ++asked)); }}, transport, clock, random);
  const Answer first = client.instant({.promql = "up"});
  client.instant({.promql = "up"});
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(transport.requests[0].headers, (Headers{{"Authorization", "Bearer secret-1"}}));
  EXPECT_EQ(transport.requests[1].headers, (Headers{{"Authorization", "Bearer secret-2"}}));
  EXPECT_EQ(std::get<Failed>(first).error.message, "query up: status 401");
}

// RFC 7617, section 2, and RFC 4648, section 10.
TEST(PrometheusClient, BasicCredentialsAreThoseOfTheRfc) {
  EXPECT_EQ(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(basic("foo", "ar"), "Basic Zm9vOmFy");
  EXPECT_EQ(basic("f", "oob"), "Basic Zjpvb2I=");
}

// Three tries of a pause below 300 ms and one below 600 ms. By the stream's own numbers: the sum of its uniforms'
// shares.
TEST(PrometheusClient, PausesAreChanceBelowAnEndThatDoubles) {
  RecordingTransport transport([](const Request&, int) { return fail(ErrorCode::io, "refused"); });
  VirtualClock clock;
  RandomStream random(7, "backoff");
  RandomStream same(7, "backoff");
  PrometheusClient client({.tries = 3, .backoff = 300ms}, transport, clock, random);
  const Answer answer = client.instant({.promql = "up"});
  EXPECT_EQ(std::get<Failed>(answer).tries, 3);
  EXPECT_EQ(std::get<Failed>(answer).error.message, "query up: refused");
  const double first = 0.3 * same.uniform();
  const double second = 0.6 * same.uniform();
  EXPECT_NEAR(seconds_since_epoch(clock.now()), first + second, 2e-9);
}

TEST(PrometheusClient, AllTriesTogetherStayWithinTheLimit) {
  VirtualClock clock;
  RecordingTransport transport([&](const Request& request, int) -> Result<Reply> {
    clock.sleep_until(clock.now() + request.time_limit);
    return fail(ErrorCode::io, "timed out");
  });
  RandomStream random(7, "backoff");
  PrometheusClient client({.try_limit = 5s, .time_limit = 8s, .tries = 100}, transport, clock, random);
  EXPECT_TRUE(std::holds_alternative<Failed>(client.instant({.promql = "up"})));
  EXPECT_LE(clock.now(), TimePoint(8s));
  ASSERT_EQ(transport.requests.size(), 2u);
  EXPECT_EQ(transport.requests[0].time_limit, 5s);
  EXPECT_LE(transport.requests[1].time_limit, 3s);
}

TEST(PrometheusClient, AFaultOfTheRequestItselfIsNotTriedAgain) {
  RecordingTransport transport([](const Request&, int) { return invalid("no URL"); });
  VirtualClock clock;
  RandomStream random(1, "backoff");
  PrometheusClient client({}, transport, clock, random);
  EXPECT_EQ(std::get<Failed>(client.instant({.promql = "up"})).error.code, ErrorCode::invalid_argument);
  EXPECT_EQ(transport.requests.size(), 1u);
}

TEST(ServiceProxyPath, IsTheApiServersWayToAService) {
  EXPECT_EQ(service_proxy_path("toy-monitoring", "http", "toy-prometheus", "9090").value(),
            "/api/v1/namespaces/toy-monitoring/services/http:toy-prometheus:9090/proxy");
  EXPECT_EQ(service_proxy_path("../x", "ftp", "A", "").error().message,
            "namespace is \"../x\"; must be a DNS label\nscheme is \"ftp\"; must be http or https\n"
            "service is \"A\"; must be a DNS label\nport is \"\"; must be a number or a port's name");
}

}  // namespace
}  // namespace mpca::prom
