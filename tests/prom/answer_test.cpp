#include "prom/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;

std::string success(const std::string& type, const std::string& results, const std::string& further = "") {
  return R"({"status":"success","data":{"resultType":")" + type + R"(","result":[)" + results + "]}" + further + "}";
}
std::string vector_of(const std::string& results, const std::string& further = "") {
  return success("vector", results, further);
}
std::string one(const std::string& value) { return R"({"metric":{},"value":[1700000000.5,")" + value + "\"]}"; }

Result<double> number_in(int status, const std::string& body) {
  return one_number(parse_answer(status, body), "query up");
}

TEST(PrometheusAnswer, AVectorIsSeriesWithLabelsTimeAndValue) {
  const Answer answer = parse_answer(200, vector_of(R"({"metric":{"pod":"a","job":"web"},"value":[1700000000.5,"12.5"]},
                                                       {"metric":{"pod":"b"},"value":[1700000000.5,"0"]})"));
  const auto& values = std::get<Values>(answer);
  ASSERT_EQ(values.series.size(), 2u);
  EXPECT_EQ(values.series[0], (Series{{{"job", "web"}, {"pod", "a"}}, {{TimePoint(1700000000500ms), 12.5}}}));
  EXPECT_EQ(values.series[1], (Series{{{"pod", "b"}}, {{TimePoint(1700000000500ms), 0.0}}}));
  EXPECT_FALSE(values.age.has_value());
}

TEST(PrometheusAnswer, AScalarAndOneSeriesAreANumber) {
  EXPECT_EQ(number_in(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"0"]}})").value(), 0.0);
  EXPECT_EQ(number_in(200, vector_of(one("12.5"))).value(), 12.5);
}

TEST(PrometheusAnswer, AMissingMetricIsNotAZeroLoad) {
  EXPECT_TRUE(std::holds_alternative<Empty>(parse_answer(200, vector_of(""))));
  EXPECT_EQ(number_in(200, vector_of("")).error().code, ErrorCode::not_enough_data);
  EXPECT_EQ(number_in(200, vector_of("")).error().message, "query up: no data");
  for (const char* value : {"NaN", "+Inf", "-Inf"}) {
    EXPECT_EQ(std::get<NotFinite>(parse_answer(200, vector_of(one(value)))).text, value);
    EXPECT_EQ(number_in(200, vector_of(one(value))).error().message, std::string("query up: is ") + value);
    EXPECT_EQ(number_in(200, vector_of(one(value))).error().code, ErrorCode::not_enough_data);
  }
}

TEST(PrometheusAnswer, OneSeriesOfTwoWithoutNumberIsAPartOfIt) {
  const Answer answer = parse_answer(200, vector_of(one("3") + "," + one("NaN")));
  const auto& partial = std::get<Partial>(answer);
  EXPECT_EQ(partial.series.size(), 1u);
  EXPECT_EQ(partial.reasons, std::vector<std::string>{"1 of 2 series have no number but NaN"});
  EXPECT_EQ(one_number(answer, "query up").error().code, ErrorCode::not_enough_data);
}

TEST(PrometheusAnswer, AWarningMeansThatDataIsMissingAndAnInfoDoesNot) {
  const Answer warned = parse_answer(200, vector_of(one("3"), R"(,"warnings":["store-1 is gone"],"infos":["x"])"));
  EXPECT_EQ(std::get<Partial>(warned).reasons, std::vector<std::string>{"store-1 is gone"});
  const Answer nothing = parse_answer(200, vector_of("", R"(,"warnings":["store-1 is gone"])"));
  EXPECT_TRUE(std::get<Partial>(nothing).series.empty()) << "perhaps there is something in store-1";
  const Answer informed = parse_answer(200, vector_of(one("3"), R"(,"infos":["metric might not be a counter"])"));
  EXPECT_EQ(std::get<Values>(informed).notes, std::vector<std::string>{"metric might not be a counter"});
}

TEST(PrometheusAnswer, AMatrixHasGapsWhereItsPointsAreNoNumbers) {
  const Answer answer =
      parse_answer(200, success("matrix", R"({"metric":{},"values":[[10,"1"],[20,"NaN"],[30,"3"]]})"));
  const auto& values = std::get<Values>(answer);
  EXPECT_EQ(values.series[0].points, (std::vector<Point>{{at_seconds(10), 1.0}, {at_seconds(30), 3.0}}));
  EXPECT_EQ(values.notes, std::vector<std::string>{"1 of 3 points are no number"});
  EXPECT_EQ(one_number(answer, "query up").error().message, "query up: answers with 2 points; must be one number");
  EXPECT_TRUE(std::holds_alternative<NotFinite>(
      parse_answer(200, success("matrix", R"({"metric":{},"values":[[10,"NaN"],[20,"NaN"]]})"))));
}

TEST(PrometheusAnswer, SeveralSeriesAreNotOneNumber) {
  const auto two = number_in(200, vector_of(one("1") + "," + one("2")));
  EXPECT_EQ(two.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(two.error().message, "query up: answers with 2 series; must be one number");
}

TEST(PrometheusAnswer, PrometheusOwnWordsComeThrough) {
  const Answer refused = parse_answer(400, R"({"status":"error","errorType":"bad_data","error":"1:4: parse error"})");
  EXPECT_EQ(std::get<Failed>(refused).kind, FailureKind::query);
  EXPECT_FALSE(std::get<Failed>(refused).is_worth_another_try);
  EXPECT_EQ(one_number(refused, "query up").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(one_number(refused, "query up").error().message, "query up: bad_data: 1:4: parse error");
  const Answer late = parse_answer(503, R"({"status":"error","errorType":"timeout","error":"query timed out"})");
  EXPECT_EQ(std::get<Failed>(late).kind, FailureKind::server);
  EXPECT_TRUE(std::get<Failed>(late).is_worth_another_try);
  EXPECT_EQ(one_number(late, "query up").error().code, ErrorCode::io) << "the server's fault, not the query's";
}

TEST(PrometheusAnswer, WhatStandsBetweenSpeaksForItself) {
  const Answer forbidden = parse_answer(403, R"({"kind":"Status","code":403,"message":"services is forbidden"})");
  EXPECT_EQ(std::get<Failed>(forbidden).kind, FailureKind::not_permitted);
  EXPECT_EQ(std::get<Failed>(forbidden).error.message, "status 403: services is forbidden");
  EXPECT_FALSE(std::get<Failed>(forbidden).is_worth_another_try);
  const Answer gateway = parse_answer(502, "<html>Bad Gateway</html>");
  EXPECT_EQ(std::get<Failed>(gateway).kind, FailureKind::http_status);
  EXPECT_EQ(std::get<Failed>(gateway).error.message, "status 502");
  EXPECT_TRUE(std::get<Failed>(gateway).is_worth_another_try);
  EXPECT_FALSE(std::get<Failed>(parse_answer(404, "")).is_worth_another_try);
  EXPECT_TRUE(std::get<Failed>(parse_answer(429, "")).is_worth_another_try);
}

TEST(PrometheusAnswer, NumbersOnly) {
  for (const std::string& body :
       {success("string", R"(1,"x")"), vector_of(R"({"metric":{},"histogram":[1,{"count":"3"}]})")}) {
    const Answer answer = parse_answer(200, body);
    EXPECT_EQ(std::get<Failed>(answer).kind, FailureKind::query) << body;
  }
}

TEST(PrometheusAnswer, AnythingElseIsNotPrometheus) {
  const std::string nested = success("vector", one("1"), ",\"x\":" + std::string(101, '[') + std::string(101, ']'));
  for (const char* body :
       {nested.c_str(),
        "",
        "<html>login</html>",
        "[]",
        "{}",
        R"({"status":"success"})",
        R"({"status":"success","data":[]})",
        R"({"status":"success","data":{"resultType":"vector","result":{}}})",
        R"({"status":"success","data":{"resultType":"vector","result":[1]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"1"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":["1","2"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1e300,"2"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}})",
        R"({"status":"success","data":{"resultType":"matrix","result":[{"values":[]}]}})",
        R"({"status":"success","data":{"resultType":"matrix","result":[{"values":[[2,"1"],[1,"1"]]}]}})",
        R"({"status":"success","data":{"resultType":"scalar","result":[]}})",
        R"({"status":"success","data":{"resultType":7,"result":[]}})",
        R"({"status":"success","data":{"resultTy)"}) {
    const Answer answer = parse_answer(200, body);
    ASSERT_TRUE(std::holds_alternative<Failed>(answer)) << body;
    EXPECT_EQ(std::get<Failed>(answer).kind, FailureKind::not_prometheus) << body;
    EXPECT_EQ(std::get<Failed>(answer).error.message, "the answer (status 200) is not that of a Prometheus query API")
        << body;
  }
}

}  // namespace
}  // namespace mpca::prom
