#include "control/control_run.h"

#include <gtest/gtest.h>

#include "control/fakes.h"
#include "core/os/file.h"
#include "runlog/replay.h"
#include "support/temporary_directory.h"

namespace mpca::control {
namespace {

class ControlRunTest : public testing::Test {
 protected:
  /// `seconds` of `policy` in charge.
  Result<ControlRunResult> run(std::string policy_text, int seconds, bool apply = true) {
    const policy::Workload bounds{.min_replicas = 1, .max_replicas = 50};
    LiveWorld world({.workload = bounds, .length = std::chrono::seconds(seconds), .apply = apply}, workload, metrics,
                    clock, stop.get_token(), [](const std::string&) {});
    const auto policy = policy::create_policy(policy_text, bounds, "test");
    return control(world, **policy,
                   {.control_log = log,
                    .decision_log = decisions,
                    .header = {.policy = std::move(policy_text),
                               .workload = bounds,
                               .world = "live",
                               .trace = "web",
                               .program = "test"}},
                   stop.get_token(), [this](const auto&, const auto&, const auto&) { ++said; });
  }
  std::vector<std::string> rows() const {
    std::vector<std::string> lines;
    const std::string text = os::read_file(log).value();
    for (const std::string_view line : split(text, '\n'))
      if (!line.empty()) lines.emplace_back(line);
    return lines;
  }

  test::TemporaryDirectory directory;
  std::string log = directory.file("log.csv"), decisions = directory.file("decisions.jsonl");
  VirtualClock clock{TimePoint(std::chrono::hours(24 * 365 * 56))};
  std::stop_source stop;
  FakeWorkload workload;
  FakeMetrics metrics;
  int said = 0;
};

TEST_F(ControlRunTest, EachDecisionIsARowAndIsCarriedOut) {
  const auto result = run("static:6", 60);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->decisions, 4);
  EXPECT_EQ(said, 4);
  EXPECT_EQ(workload.spec, 6);
  EXPECT_EQ(workload.writes, 1);
  ASSERT_EQ(rows().size(), 5U);
  EXPECT_TRUE(rows()[0].starts_with("ts_utc,control_mode,elapsed_s,")) << rows()[0];
}

TEST_F(ControlRunTest, WhatFailedIsInTheStatusOfItsRow) {
  workload.write_troubles.push_back({Trouble::forbidden, "no"});
  const auto result = run("static:6", 30);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->failed_writes, 1);
  EXPECT_TRUE(rows()[1].ends_with("scale_error:forbidden")) << rows()[1];
  EXPECT_EQ(workload.spec, 6) << "the next period";
}

TEST_F(ControlRunTest, ItsDecisionLogReplaysBitForBit) {
  ASSERT_TRUE(run("predictive", 1500));
  const auto replayed = runlog::replay(decisions, {}, [](const runlog::ReplayDifference&) { ADD_FAILURE(); });
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->decisions, 100);
}

TEST_F(ControlRunTest, ALogThatCannotBeWrittenEndsTheRunBeforeAnythingIsDone) {
  log = directory.file("no/such/directory/log.csv");
  const auto result = run("static:6", 60);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::io);
  EXPECT_EQ(workload.spec, 4);
}

}  // namespace
}  // namespace mpca::control
