#include "config/prometheus_range.h"

#include <gtest/gtest.h>

namespace mpca::config {
namespace {

using trace::Sample;

std::string answer(std::string_view result) {
  return R"({"status":"success","data":{"resultType":"matrix","result":)" + std::string(result) + "}}";
}

TimePoint at_ms(std::int64_t milliseconds) { return TimePoint(std::chrono::milliseconds(milliseconds)); }

std::string error_of(std::string_view text) {
  const auto samples = parse_prometheus_range(text);
  return samples ? "" : samples.error().message;
}

TEST(PrometheusRange, TheExampleOfPrometheusManualIsSummedOverItsSeries) {
  const auto samples = parse_prometheus_range(answer(R"([
    {"metric":{"__name__":"up","job":"prometheus"},"values":[[1435781430.781,"1"],[1435781445.781,"1"],[1435781460.781,"1"]]},
    {"metric":{"__name__":"up","job":"node"},"values":[[1435781430.781,"0"],[1435781445.781,"0"],[1435781460.781,"1"]]}])"));
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(*samples, (std::vector<Sample>{
                          {at_ms(1435781430781), 1.0}, {at_ms(1435781445781), 1.0}, {at_ms(1435781460781), 2.0}}));
}

TEST(PrometheusRange, ASeriesThatIsAbsentOrNanAddsNothingAndAllNanIsMissing) {
  const auto samples = parse_prometheus_range(
      answer(R"([{"values":[[10,"NaN"],[20,"2"],[30,"NaN"]]},{"values":[[10,"5"],[30,"NaN"],[40,"1.5"]]}])"));
  ASSERT_TRUE(samples) << samples.error().message;
  EXPECT_EQ(*samples,
            (std::vector<Sample>{{at_ms(10000), 5.0}, {at_ms(20000), 2.0}, {at_ms(30000), {}}, {at_ms(40000), 1.5}}));
}

TEST(PrometheusRange, PrometheusOwnErrorIsPassedOn) {
  EXPECT_EQ(error_of(R"({"status":"error","errorType":"bad_data","error":"invalid parameter \"query\""})"),
            "Prometheus answered with an error: bad_data: invalid parameter \"query\"");
}

TEST(PrometheusRange, OtherShapesAreNamedByTheirPlace) {
  EXPECT_EQ(error_of("{"), "not valid JSON");
  EXPECT_EQ(error_of(std::string(101, '[') + std::string(101, ']')), "not valid JSON");
  EXPECT_EQ(error_of("[]"), "must be the JSON object that Prometheus answers to a range query");
  EXPECT_EQ(error_of("{}"), "status is \"\"; must be success");
  EXPECT_EQ(error_of(R"({"status":"success"})"), "data must be an object");
  EXPECT_EQ(error_of(R"({"status":"success","data":{"resultType":"vector","result":[]}})"),
            "data.resultType is \"vector\"; must be matrix: use a range query (/api/v1/query_range)");
  EXPECT_EQ(error_of(R"({"status":"success","data":{"resultType":"matrix"}})"), "data.result must be an array");
  EXPECT_EQ(error_of(answer("[1]")), "data.result[0] must be an object");
  EXPECT_EQ(error_of(answer("[{}]")), "data.result[0].values must be an array");
  EXPECT_EQ(error_of(answer(R"([{"values":[[1,"1"],[2,3]]}])")),
            "data.result[0].values[1] must be [seconds, \"number\"]");
  EXPECT_EQ(error_of(answer(R"([{"values":[[-1,"1"]]}])")), "data.result[0].values[0] must be [seconds, \"number\"]");
  EXPECT_EQ(error_of(answer(R"([{"values":[[1e300,"1"]]}])")),
            "data.result[0].values[0] must be [seconds, \"number\"]");
  EXPECT_EQ(error_of(answer(R"([{"values":[[1,"+Inf"]]}])")), "data.result[0].values[0] is infinite");
  EXPECT_EQ(error_of(answer(R"([{"histograms":[]}])")), "data.result[0] holds native histograms; query a rate instead");
}

TEST(PrometheusRange, AQueryWithoutSeriesIsNotZeroDemand) {
  EXPECT_EQ(parse_prometheus_range(answer("[]")).error().code, ErrorCode::not_enough_data);
}

}  // namespace
}  // namespace mpca::config
