#include "report/trajectory_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/sample_backtest.h"

namespace mpca::report {
namespace {

policy::PeriodOutcome outcome_at(int period, int spec, int ready, double demand_rps, policy::RequestOutcome requests) {
  policy::PeriodOutcome outcome;
  outcome.start = at_seconds(500.0 + 15.0 * period);
  outcome.length = from_seconds(15.0);
  outcome.spec_replicas = spec;
  outcome.ready_replicas = ready;
  outcome.demand_rps = demand_rps;
  outcome.requests = requests;
  return outcome;
}

nlohmann::json data_of(const std::string& js) {
  const std::string opening = "mpcaTrajectory(", closing = ");\n";
  EXPECT_EQ(js.find(opening), 0u);
  EXPECT_EQ(js.substr(js.size() - closing.size()), closing);
  return nlohmann::json::parse(js.substr(opening.size(), js.size() - opening.size() - closing.size()));
}

// 100 requests/s at 25 per replica need 4; 3 late and 2 failed of 1500 are 1/300.
TEST(TrajectoryRecorder, AShortRunKeepsEveryPeriod) {
  TrajectoryRecorder recorder(2, 400, 25.0);
  recorder.add(outcome_at(0, 5, 4, 100.0, {1500, 3, 2}));
  recorder.add(outcome_at(1, 6, 5, 0.0, {0, 0, 0}));
  const TrajectoryRun run = recorder.finish(7);
  EXPECT_EQ(run.seed, 7u);
  EXPECT_EQ(run.time_s, (std::vector<double>{0, 15}));
  EXPECT_EQ(run.spec, (std::vector<double>{5, 6}));
  EXPECT_EQ(run.ready, (std::vector<double>{4, 5}));
  EXPECT_EQ(run.demand_replicas, (std::vector<double>{4, 0}));
  EXPECT_DOUBLE_EQ(run.violation[0], 1.0 / 300.0);
  EXPECT_EQ(run.violation[1], 0.0);
}

TEST(TrajectoryRecorder, ALongRunKeepsTheWorstPeriod) {
  TrajectoryRecorder recorder(13'000, 400, 25.0);
  for (int i = 0; i < 13'000; ++i) recorder.add(outcome_at(i, 4, 4, 50.0, {750, i == 7777 ? 600.0 : 0.0, 0}));
  const TrajectoryRun run = recorder.finish(1);
  EXPECT_LE(run.time_s.size(), 400u);
  EXPECT_GE(run.time_s.size(), 200u);
  EXPECT_EQ(run.violation.size(), run.time_s.size());
  EXPECT_EQ(*std::max_element(run.violation.begin(), run.violation.end()), 0.8);
}

TEST(TrajectoryFile, CallsThePageWithAColumnPerSeries) {
  const TrajectoryRun run{3, {0, 15}, {5, 6}, {4, 5}, {4.126, 0}, {1.0 / 300.0, 0}};
  const auto data = data_of(trajectory_js("nasa", "hpa:target=60", std::vector{run}));
  EXPECT_EQ(data["trace"], "nasa");
  EXPECT_EQ(data["policy"], "hpa:target=60");
  ASSERT_EQ(data["runs"].size(), 1u);
  EXPECT_EQ(data["runs"][0]["seed"], 3);
  EXPECT_EQ(data["runs"][0]["spec"], (std::vector<int>{5, 6}));
  EXPECT_EQ(data["runs"][0]["demand_replicas"], (std::vector<double>{4.13, 0}));
  EXPECT_EQ(data["runs"][0]["violation"], (std::vector<double>{0.0033, 0}));
}

TEST(TrajectoryFile, NamesCannotEndTheScriptOrLeaveTheFolder) {
  const std::string js = trajectory_js("</script>", "a\"b\n", {});
  EXPECT_EQ(js.find("</script>"), std::string::npos);
  EXPECT_EQ(data_of(js)["policy"], "a\"b\n");
  EXPECT_EQ(trajectory_path("nasa-http", "hpa:target=60"), "trajectories/nasa-http/hpa_target=60.js");
  EXPECT_EQ(trajectory_path("../..", "/etc"), "trajectories/_.._../_etc.js");
}

TEST(TrajectoryFile, ARunOf400PointsIsAFewKilobytes) {
  const std::string js = trajectory_js("nasa", "reactive", std::vector{sample_trajectory(1, 1.4)});
  RecordProperty("bytes", static_cast<int>(js.size()));
  EXPECT_LT(js.size(), 9000u);
}

}  // namespace
}  // namespace mpca::report
