#include "prom/lab_queries.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "support/promql_string.h"

namespace mpca::prom {
namespace {

using namespace std::chrono_literals;

// The reference lab's online controller, its three queries with its defaults.
TEST(LabQueries, AreThoseOfTheReferenceLab) {
  const auto queries = lab_queries({});
  ASSERT_TRUE(queries.has_value());
  EXPECT_EQ(queries->request_rate_rps.promql,
            "sum(rate(toy_http_requests_total{namespace=\"default\",job=\"toy-load-toy-load\",path=\"/work\"}[1m]))");
  EXPECT_EQ(queries->cpu_cores.promql,
            "sum(rate(process_cpu_seconds_total{namespace=\"default\",job=\"toy-load-toy-load\"}[1m]))");
  EXPECT_EQ(queries->in_flight_requests.promql,
            "sum(toy_in_flight_requests{namespace=\"default\",job=\"toy-load-toy-load\"})");
  EXPECT_EQ(queries->cpu_cores.age_promql,
            "time() - max(timestamp(toy_in_flight_requests{namespace=\"default\",job=\"toy-load-toy-load\"}))");
  EXPECT_EQ(queries->cpu_cores.count_promql,
            "count(count_over_time(toy_in_flight_requests{namespace=\"default\",job=\"toy-load-toy-load\"}[1m]) >= 2)");
}

TEST(LabQueries, AHostileNameStaysALabelsValue) {
  const std::string hostile = "x\",path=\"/\"}) or vector(0) # \\\n";
  const auto queries = lab_queries({.name_space = hostile, .job = "j"});
  ASSERT_TRUE(queries.has_value());
  const std::string& promql = queries->in_flight_requests.promql;
  constexpr std::string_view kBefore = "sum(toy_in_flight_requests{namespace=";
  ASSERT_TRUE(promql.starts_with(kBefore));
  const auto read = test::read_promql_string(std::string_view(promql).substr(kBefore.size()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->first, hostile);
  EXPECT_EQ(promql.substr(kBefore.size() + read->second), ",job=\"j\"})");
}

TEST(LabQueries, EveryBadSettingIsNamedAtOnce) {
  EXPECT_EQ(lab_queries({.name_space = "", .job = "", .rate_window = -1s}).error().message,
            "namespace is empty; must be the pods' namespace\njob is empty; must be the label `job` of the pods' "
            "series\nmetric-rate-window is -1s; must be > 0 in whole milliseconds");
}

}  // namespace
}  // namespace mpca::prom
