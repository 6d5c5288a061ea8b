#include "prom/instant_query.h"

#include <gtest/gtest.h>

#include <string>

#include "support/tiny_http_server.h"

namespace mpca::prom {
namespace {

using test::TinyHttpServer;

/// What `instant_query` makes of a server that answers `body`.
Result<double> answered(int status, const std::string& body) {
  TinyHttpServer server(
      [&](std::string_view) { return TinyHttpServer::Answer{TinyHttpServer::reply(status, body), false}; });
  net::HttpClient client{net::HttpClientSettings{}};
  auto value = instant_query(client, server.url(), "up");
  if (!value) value.error().message.erase(0, server.url().size());
  return value;
}

std::string vector_of(const std::string& results) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + results + "]}}";
}

TEST(InstantQuery, AsksForTheQueryAsItWasWritten) {
  std::string asked;
  TinyHttpServer server([&](std::string_view path) {
    asked = path;
    return TinyHttpServer::ok(vector_of(R"({"metric":{},"value":[1700000000.5,"12.5"]})"));
  });
  net::HttpClient client{net::HttpClientSettings{}};
  EXPECT_EQ(instant_query(client, server.url("/proxy/"), "sum(rate(a_total{b=\"c d\"}[1m]))").value(), 12.5);
  EXPECT_EQ(asked, "/proxy/api/v1/query?query=sum%28rate%28a_total%7Bb%3D%22c%20d%22%7D%5B1m%5D%29%29");
}

TEST(InstantQuery, AScalarIsANumberToo) {
  EXPECT_EQ(answered(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"0"]}})").value(), 0.0);
}

TEST(InstantQuery, AMissingMetricIsNotAZeroLoad) {
  const auto empty = answered(200, vector_of(""));
  EXPECT_EQ(empty.error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(empty.error().message, ": query up: no data");
  for (const char* value : {"NaN", "+Inf", "-Inf"}) {
    const auto bad = answered(200, vector_of(std::string(R"({"metric":{},"value":[1,")") + value + "\"]}"));
    EXPECT_EQ(bad.error().code, ErrorCode::not_enough_data) << value;
  }
}

TEST(InstantQuery, PrometheusOwnWordsComeThrough) {
  const auto refused = answered(400, R"({"status":"error","errorType":"bad_data","error":"1:4: parse error"})");
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(refused.error().message, ": query up: bad_data: 1:4: parse error");
  const auto late = answered(503, R"({"status":"error","errorType":"timeout","error":"query timed out"})");
  EXPECT_EQ(late.error().code, ErrorCode::io) << "the server's fault, not the query's";
}

TEST(InstantQuery, SeveralSeriesAreNotOneNumber) {
  const auto two = answered(200, vector_of(R"({"metric":{},"value":[1,"1"]},{"metric":{},"value":[1,"2"]})"));
  EXPECT_EQ(two.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(two.error().message, ": query up: answers with 2 series; must be one number");
  const auto matrix = answered(200, R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
  EXPECT_EQ(matrix.error().code, ErrorCode::invalid_argument);
}

TEST(InstantQuery, AnythingElseIsNotPrometheus) {
  for (const char* body :
       {"", "<html>502</html>", "[]", "{}", R"({"status":"success"})", R"({"status":"success","data":[]})",
        R"({"status":"success","data":{"resultType":"vector","result":{}}})",
        R"({"status":"success","data":{"resultType":"vector","result":[1]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}})",
        R"({"status":"success","data":{"resultType":"scalar","result":[]}})",
        R"({"status":"success","data":{"resultType":7,"result":[]}})"}) {
    const auto value = answered(502, body);
    ASSERT_FALSE(value.has_value()) << body;
    EXPECT_EQ(value.error().code, ErrorCode::io) << body;
    EXPECT_EQ(value.error().message, ": the answer (status 502) is not that of a Prometheus query API") << body;
  }
}

TEST(InstantQuery, NoServerIsAnIoError) {
  net::HttpClient client{net::HttpClientSettings{}};
  EXPECT_EQ(instant_query(client, "http://127.0.0.1:1", "up").error().code, ErrorCode::io);
}

TEST(EscapeLabelValue, QuotesBackslashesAndLineEndsCannotLeaveTheQuotes) {
  EXPECT_EQ(escape_label_value("plain-name_1"), "plain-name_1");
  EXPECT_EQ(escape_label_value("a\"} or vector(1) #\\\n"), "a\\\"} or vector(1) #\\\\\\n");
}

}  // namespace
}  // namespace mpca::prom
