#include "runlog/decision_log.h"

#include <gtest/gtest.h>

#include "core/os/file.h"
#include "core/text.h"
#include "runlog/replay.h"
#include "runlog/run_recorder.h"
#include "support/observations.h"
#include "support/temporary_directory.h"
#include "support/wild_records.h"

namespace mpca::runlog {
namespace {

using test::observed;
using test::TemporaryDirectory;
using test::wild_record;

DecisionLogHeader header(std::string policy = "reactive:target=0.7") {
  return {.policy = std::move(policy), .workload = {}, .world = "test", .trace = "a \"quoted\" name\n", .program = "0"};
}

TEST(DecisionLog, WhatIsWrittenReadsBackWithoutLoss) {
  DecisionLogFormatter formatter;
  DecisionLogParser parser;
  EXPECT_EQ(parser.parse_header(header_line(header())).value(), header());
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const DecisionRecord record = wild_record(i);
    std::string line;
    formatter.append(record, line);
    const auto read = parser.parse_record(line);
    ASSERT_TRUE(read) << read.error().message << "\n" << line;
    ASSERT_EQ(*read, record) << line;
  }
}

// Lines as version 1 and 2 wrote them: no pods, no candidates, no band.
TEST(DecisionLog, LogsOfEarlierVersionsStillRead) {
  for (const char* version : {"1", "2"}) {
    DecisionLogParser parser;
    std::string line = header_line(header());
    const std::string now = "\"version\":3";
    ASSERT_NE(line.find(now), std::string::npos);
    line.replace(line.find(now), now.size(), std::string("\"version\":") + version);
    EXPECT_EQ(parser.parse_header(line).value(), header());
    const auto read = parser.parse_record(
        R"({"now_ns":15000000000,"spec":2,"ready":2,"served_rps":[30,0],"replicas":3,"rule":"a rule",)"
        R"("demand_rps":30,"values":[["weight: planner q 0.97",0.5]],"recommendation":2.5,"status":"optimal"})");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->decision.explanation.candidates.empty());
    EXPECT_FALSE(read->decision.explanation.band);
    EXPECT_EQ(read->decision.explanation.status, "optimal");
  }
  for (const char* version : {"0", "4", "1.5", "\"2\""}) {
    DecisionLogParser parser;
    EXPECT_FALSE(parser.parse_header(std::string(R"({"format":"mpca-decision-log","version":)") + version + "}"));
  }
}

// Version 3 by hand.
TEST(DecisionLog, CandidatesAndBandAreWrittenAsTheReferenceSays) {
  DecisionRecord record;
  record.decision.replicas = 12;
  record.decision.explanation.candidates = {{"planner q 0.97", 0.75, 11.0, 1.5, 0.0625},
                                            {"level x1.15", 0.25, 9, 1.25, 0.5}};
  record.decision.explanation.band = {9, 12};
  std::string line;
  DecisionLogFormatter().append(record, line);
  EXPECT_EQ(line, R"({"now_ns":0,"spec":0,"ready":0,"replicas":12,"candidates":[["planner q 0.97",0.75,11,1.5,0.0625],)"
                  R"(["level x1.15",0.25,9,1.25,0.5]],"band":[9,12]})"
                  "\n");
}

TEST(DecisionLog, ABadHeaderSaysWhatALogBeginsWith) {
  DecisionLogParser parser;
  EXPECT_NE(parser.parse_header("step,rps").error().message.find("not a decision log"), std::string::npos);
  EXPECT_NE(parser.parse_header(R"({"format":"mpca-decision-log","version":99})").error().message.find("version 99"),
            std::string::npos);
  EXPECT_NE(parser.parse_header(R"({"format":"mpca-decision-log","version":1})").error().message.find("policy"),
            std::string::npos);
}

TEST(DecisionLog, ABadRecordNamesFileAndLineAndWhatCameBeforeIsDelivered) {
  TemporaryDirectory directory;
  const std::string path = directory.file("log.jsonl");
  DecisionLogFormatter formatter;
  std::string text = header_line(header());
  formatter.append(wild_record(1), text);
  text += R"({"now_ns":0,"spec":"two","ready":2,"replicas":2})"
          "\n";
  ASSERT_TRUE(os::write_file(path, text));
  int delivered = 0;
  const auto result =
      read_decision_log(path, [](const auto&) { return true; }, [&](const auto&) { return ++delivered > 0; });
  ASSERT_FALSE(result);
  EXPECT_EQ(delivered, 1);
  EXPECT_TRUE(result.error().message.starts_with(path + ": line 3: ")) << result.error().message;
}

// The policy bins by local time: with another offset it would decide otherwise.
TEST(DecisionLog, AnOffsetThatNoPlaceHasIsRefused) {
  DecisionLogParser parser;
  EXPECT_EQ(parser.parse_record(R"({"now_ns":0,"utc_offset_ns":7200000000000,"spec":2,"ready":2,"replicas":2})")
                .value()
                .observation.utc_offset,
            std::chrono::hours(2));
  const auto far =
      parser.parse_record(R"({"now_ns":0,"utc_offset_ns":720000000000000,"spec":2,"ready":2,"replicas":2})");
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().message, "utc_offset_ns is 720000000000000; must be within 26 h");
}

// Demand is taken over this window: with another one the policy would decide otherwise.
TEST(DecisionLog, TheWindowOfRatesIsReadBackAndANegativeOneIsRefused) {
  DecisionLogParser parser;
  const auto window = [&](const char* text) { return parser.parse_record(text).value().observation.rate_window; };
  EXPECT_EQ(window(R"({"now_ns":0,"rate_window_ns":60000000000,"spec":2,"ready":2,"replicas":2})"),
            std::chrono::minutes(1));
  EXPECT_EQ(window(R"({"now_ns":0,"spec":2,"ready":2,"replicas":2})"), Duration::zero()) << "a log from before";
  const auto negative = parser.parse_record(R"({"now_ns":0,"rate_window_ns":-1,"spec":2,"ready":2,"replicas":2})");
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().message, "rate_window_ns is -1; must be >= 0");
}

TEST(DecisionLog, EmptyFilesAndGarbageAreNoLogs) {
  TemporaryDirectory directory;
  const std::string path = directory.file("log.jsonl");
  for (const std::string& text : {std::string(), std::string(3 << 20, 'x'), std::string(1000, '\0')}) {
    ASSERT_TRUE(os::write_file(path, text));
    EXPECT_FALSE(read_decision_log(path, [](const auto&) { return true; }, [](const auto&) { return true; }));
  }
}

/// Records `decisions` of `policy_text` on a small wave of demand as a run.
void record_run(const std::string& directory, const std::string& policy_text, int decisions) {
  auto recorder = RunRecorder::create(directory, header(policy_text), false).value();
  const auto policy = policy::create_policy(policy_text, policy::Workload{}, "test").value();
  int replicas = 2;
  for (int i = 0; i < decisions; ++i) {
    const policy::Observation observation = observed(15 * i, replicas, 20.0 + 10.0 * (i % 14));
    const policy::Decision decision = policy->decide(observation);
    recorder.record(observation, decision,
                    {.start = observation.now, .length = std::chrono::seconds(15), .latency_p95_s = {}});
    replicas = decision.replicas;
  }
  ASSERT_TRUE(recorder.commit());
}

TEST(Replay, TheSamePolicyDecidesTheSameBitForBit) {
  TemporaryDirectory directory;
  for (const std::string text : {"reactive:hold=60s", "lab-mpc:horizon=6,forecast=hw", "lab-hpa", "static:4",
                                 "predictive", "predictive:late-share=0.01,dead-band=0.1"}) {
    const std::string run = directory.file("run-" + file_name_of(text));
    record_run(run, text, 150);
    const auto result = replay(run + "/decisions.jsonl", "", [](const auto&) { FAIL() << "a difference"; });
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->decisions, 150);
    EXPECT_EQ(result->different_replicas + result->different_explanations, 0);
  }
}

TEST(Replay, ATamperedLogAndAnotherPolicyDiffer) {
  TemporaryDirectory directory;
  const std::string run = directory.file("run");
  record_run(run, "reactive", 50);
  const std::string path = run + "/decisions.jsonl";
  EXPECT_GT(replay(path, "static:12", [](const auto&) {})->different_replicas, 40);
  std::string text = os::read_file(path).value();
  const std::size_t at = text.rfind("\"replicas\":");
  text.replace(at, 12, "\"replicas\":9");
  ASSERT_TRUE(os::write_file(path, text));
  std::vector<std::int64_t> steps;
  const auto result = replay(path, "", [&](const ReplayDifference& difference) { steps.push_back(difference.step); });
  EXPECT_EQ(result->different_replicas, 1);
  EXPECT_EQ(steps, std::vector<std::int64_t>{49});
}

TEST(RunRecorder, AnUnfinishedRunLeavesNothing) {
  TemporaryDirectory directory;
  {
    const auto recorder = RunRecorder::create(directory.file("run"), header(), false);
  }
  EXPECT_TRUE(directory.names().empty());
}

TEST(RunRecorder, TheCsvHasOneRowPerDecisionWithItsReason) {
  TemporaryDirectory directory;
  record_run(directory.file("run"), "static:4", 3);
  const std::string csv = os::read_file(directory.file("run") + "/decisions.csv").value();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  EXPECT_NE(csv.find("raise from 2 to 4 replicas"), std::string::npos) << csv;
}

}  // namespace
}  // namespace mpca::runlog
