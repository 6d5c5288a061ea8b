#include "runlog/run_directory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::runlog {
namespace {

using test::TemporaryDirectory;

std::string data(const std::string& path) { return std::string(MPCA_TEST_DATA "/runs/") + path; }

std::string error_of(const auto& result) { return result ? std::string("no error") : result.error().message; }

RunMeta meta_of(const std::string& yaml) {
  const auto meta = parse_run_meta(yaml, "run-meta.yaml");
  EXPECT_TRUE(meta.has_value()) << error_of(meta);
  return meta.value_or(RunMeta{});
}

std::string meta_error(const std::string& yaml) { return error_of(parse_run_meta(yaml, "M")); }

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

TEST(RunMeta, QuotesOfEitherKindAreNotPartOfTheText) {
  const RunMeta meta = meta_of("scenario: \"step\"\nmode: 'mpc-online'\nrun_id: 20260101-000000\n");
  EXPECT_EQ(meta.scenario, "step");
  EXPECT_EQ(meta.mode, "mpc-online");
  EXPECT_EQ(meta.run_id, "20260101-000000");
}

TEST(RunMeta, TimesAreUtcSecondsSinceTheEpoch) {
  // 2026-01-01 is 56 years after the epoch, 14 of them leap years: (56 x 365 + 14) days = 20454 days = 1767225600 s.
  const RunMeta meta =
      meta_of("started_at_utc: \"2026-01-01T00:00:00Z\"\nfinished_at_utc: 2026-01-01T00:15:20.5+00:00\n");
  EXPECT_EQ(meta.started_at, at_seconds(1767225600));
  EXPECT_EQ(*meta.finished_at - *meta.started_at, std::chrono::milliseconds(920'500));
}

TEST(RunMeta, ARunThatNeverEndedHasNoEnd) {
  EXPECT_FALSE(meta_of("started_at_utc: \"2026-01-01T00:00:00Z\"\nfinished_at_utc: \"\"\n").finished_at.has_value());
  EXPECT_FALSE(meta_of("finished_at_utc: null\n").finished_at.has_value());
  EXPECT_FALSE(meta_of("scenario: step\n").finished_at.has_value());
}

TEST(RunMeta, EveryScalarIsFoundByItsPath) {
  const RunMeta meta =
      meta_of("git: {commit: abc, dirty: false}\nartifacts:\n  - a.txt\n  - b.txt\nmpc_alpha: 2.5\nnote: ~\n");
  const std::map<std::string, std::string> expected = {{"git.commit", "abc"},
                                                       {"git.dirty", "false"},
                                                       {"artifacts.0", "a.txt"},
                                                       {"artifacts.1", "b.txt"},
                                                       {"mpc_alpha", "2.5"}};
  EXPECT_EQ(meta.values, expected);
}

TEST(RunMeta, WindowsLineEndsAndAByteOrderMarkAreFine) {
  EXPECT_EQ(meta_of("\xEF\xBB\xBFscenario: \"spike\"\r\nrun_id: r1\r\n").scenario, "spike");
}

TEST(RunMeta, WhatIsWrongIsNamedWithItsKey) {
  EXPECT_EQ(meta_error("started_at_utc: yesterday\nfinished_at_utc: 2026-13-01T00:00:00Z\n"),
            "M: started_at_utc is \"yesterday\"; must be a time like 2026-01-01T00:00:00Z\n"
            "M: finished_at_utc is \"2026-13-01T00:00:00Z\"; must be a time like 2026-01-01T00:00:00Z");
  EXPECT_EQ(meta_error("scenario: [step, spike]\n"), "M: scenario must be a text");
  EXPECT_EQ(meta_error("scenario: step\nscenario: spike\n"), "M: scenario stands twice");
  EXPECT_EQ(meta_error("just words"), "M: must be a map of keys and values");
  EXPECT_EQ(meta_error(""), "M: must be a map of keys and values");
  EXPECT_EQ(meta_error("? [a, b]\n: c\n"), "M: a key of the top level has to be a text");
}

TEST(RunMeta, BrokenYamlIsAnErrorWithItsLine) {
  EXPECT_TRUE(meta_error("run_id: r\nscenario: [step\n").starts_with("M: line 3: ")) << meta_error("scenario: [step\n");
  EXPECT_TRUE(meta_error("a: b: c\n").starts_with("M: line 1: ")) << meta_error("a: b: c\n");
}

TEST(RunMeta, TimesThatAreNoneAreRefused) {
  for (const std::string time :
       {"2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00.Z", "1969-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z", "2026-01-01T00:00:0xZ", "-026-01-01T00:00:00Z"}) {
    EXPECT_NE(meta_error("started_at_utc: \"" + time + "\""), "no error") << time;
  }
}

TEST(RunMeta, AnAnchorThatContainsItselfIsRefusedAndNotFollowedForEver) {
  EXPECT_NE(meta_error("&a {x: *a, y: *a}").find("this is no run-meta.yaml"), std::string::npos);
}

TEST(RunMeta, DeepNestingIsRefused) {
  EXPECT_NE(meta_error(std::string(100'000, '[')), "no error");
  EXPECT_NE(meta_error("a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}"), "no error");
}

TEST(RunDirectory, EveryFileOfAnHpaRunIsRead) {
  const auto run = read_run_directory(data("hpa/target_60/step/20260101-000000"));
  ASSERT_TRUE(run.has_value()) << error_of(run);
  EXPECT_EQ(run->meta.scenario, "step");
  EXPECT_EQ(run->meta.hpa_target_average_utilization, "60");
  EXPECT_EQ(run->meta.values.at("workload_knobs.cpu_ms"), "20");
  ASSERT_EQ(run->phases.size(), 3U);
  EXPECT_EQ(run->phases[1].duration, std::chrono::minutes(5));
  ASSERT_TRUE(run->replica_watch.has_value());
  ASSERT_EQ(run->replica_watch->size(), 5U);
  EXPECT_EQ((*run->replica_watch)[1].elapsed_s, 300.0);
  EXPECT_EQ((*run->replica_watch)[1].spec_replicas, 5.0);
  EXPECT_EQ((*run->replica_watch)[1].ready_replicas, 4.0);
  EXPECT_FALSE(run->control_log.has_value());
  EXPECT_TRUE(run->report_text.has_value());
}

TEST(RunDirectory, AFailedQueryIsMissingAndNotZero) {
  const auto watch = read_replica_watch(data("hpa/target_60/step/20260101-000000/replica-watch.csv"));
  ASSERT_TRUE(watch.has_value()) << error_of(watch);
  EXPECT_FALSE((*watch)[2].spec_replicas.has_value());
  EXPECT_FALSE((*watch)[2].ready_replicas.has_value());
}

TEST(RunDirectory, WindowsLineEndsAndFewerColumnsAreFine) {
  const auto run = read_run_directory(data("hpa/target_100/spike/20260102-000000"));
  ASSERT_TRUE(run.has_value()) << error_of(run);
  EXPECT_EQ(run->meta.scenario, "spike");
  EXPECT_TRUE(run->phases.empty());
  ASSERT_EQ(run->replica_watch->size(), 2U);
  EXPECT_FALSE((*run->replica_watch)[1].spec_replicas.has_value());
  EXPECT_EQ((*run->replica_watch)[1].ready_replicas, 8.0);
}

TEST(RunDirectory, TheControlLogIsReadByColumnName) {
  const auto log = read_control_log(data("mpc/seasonality/a/mpc-control-log.csv"));
  ASSERT_TRUE(log.has_value()) << error_of(log);
  ASSERT_EQ(log->size(), 4U);
  const ControlSample& second = (*log)[1];
  EXPECT_EQ(second.elapsed_s, 15.0);
  EXPECT_EQ(second.observed_rps, 71.0);
  EXPECT_EQ(second.observed_cpu_cores, 1.6);
  EXPECT_EQ(second.observed_inflight, 5.0);
  EXPECT_EQ(second.demand_proxy_rps, 91.0);
  EXPECT_EQ(second.applied_replicas, 6.0);
  EXPECT_TRUE(second.emergency_scale_up);
  EXPECT_EQ(second.solver_status, "optimal");
}

TEST(RunDirectory, QuotedFieldsAndFlagsInWordsAreRead) {
  TemporaryDirectory directory;
  write(directory.file("log.csv"),
        "solver_status,applied_replicas,elapsed_s,emergency_scale_up\n\"scale_error:a, "
        "\"\"b\"\"\",3,0,True\nok,4,15,false\n");
  const auto log = read_control_log(directory.file("log.csv"));
  ASSERT_TRUE(log.has_value()) << error_of(log);
  EXPECT_EQ((*log)[0].solver_status, "scale_error:a, \"b\"");
  EXPECT_TRUE((*log)[0].emergency_scale_up);
  EXPECT_FALSE((*log)[1].emergency_scale_up);
  EXPECT_FALSE((*log)[1].observed_rps.has_value());
}

TEST(RunDirectory, AnEmptyLogHasNoSamples) {
  TemporaryDirectory directory;
  write(directory.file("nothing.csv"), "");
  write(directory.file("header.csv"), "elapsed_s,applied_replicas\n");
  EXPECT_TRUE(read_control_log(directory.file("nothing.csv")).value().empty());
  EXPECT_TRUE(read_control_log(directory.file("header.csv")).value().empty());
  EXPECT_FALSE(read_control_summary(directory.file("nothing.csv")).value().has_value());
}

TEST(RunDirectory, TheSummaryOfAnEmptyLogSaysNothingAboutReplicas) {
  TemporaryDirectory directory;
  write(directory.file("s.csv"), "samples,avg_replicas,max_replicas,replica_variation_sum_abs_delta\n0,,,\n");
  EXPECT_FALSE(read_control_summary(directory.file("s.csv")).value().has_value());
}

TEST(RunDirectory, EveryBadFieldIsNamedWithFileRowAndColumn) {
  TemporaryDirectory directory;
  const std::string path = directory.file("mpc-control-log.csv");
  write(path,
        "elapsed_s,observed_rps,applied_replicas,emergency_scale_up\n"
        "0,20,2,0\n"
        "x,nan,2,0\n"
        "30,20,-1,maybe\n"
        ",20,2,0\n"
        "45,20\n");
  EXPECT_EQ(error_of(read_control_log(path)),
            path + ": row 3: elapsed_s is \"x\"; must be a finite number >= 0\n" + path +
                ": row 3: observed_rps is \"nan\"; must be a finite number >= 0\n" + path +
                ": row 4: applied_replicas is \"-1\"; must be a finite number >= 0\n" + path +
                ": row 4: emergency_scale_up is \"maybe\"; must be 0, 1, true or false\n" + path +
                ": row 5: elapsed_s is \"\"; must be a finite number >= 0\n" + path +
                ": row 6: has 2 fields; the header has 4");
}

TEST(RunDirectory, AllMissingColumnsStandInOneMessage) {
  TemporaryDirectory directory;
  write(directory.file("log.csv"), "a,b\n1,2\n");
  EXPECT_EQ(error_of(read_control_log(directory.file("log.csv"))),
            directory.file("log.csv") + ": missing required columns: elapsed_s, applied_replicas");
}

TEST(RunDirectory, ProblemsOfAllFilesAreReportedAtOnce) {
  TemporaryDirectory directory;
  write(directory.file("run-meta.yaml"), "started_at_utc: never\n");
  write(directory.file("phases.csv"), "phase_idx,duration,rate_rps\n0,5x,20\n");
  write(directory.file("replica-watch.csv"), "elapsed_s,spec_replicas\n0,two\n");
  EXPECT_EQ(
      error_of(read_run_directory(directory.path())),
      directory.file("run-meta.yaml") + ": started_at_utc is \"never\"; must be a time like 2026-01-01T00:00:00Z\n" +
          directory.file("phases.csv") +
          ": row 2: duration is \"5x\"; must be a whole number with s, m or h, such as 30s\n" +
          directory.file("replica-watch.csv") + ": row 2: spec_replicas is \"two\"; must be a finite number >= 0");
}

TEST(RunDirectory, BinaryGarbageIsAnErrorAndNotACrash) {
  TemporaryDirectory directory;
  std::string garbage;
  for (int i = 0; i < 100'000; ++i) garbage += static_cast<char>(i * 7919 >> 3);
  write(directory.file("run-meta.yaml"), garbage);
  write(directory.file("mpc-control-log.csv"), garbage);
  const std::string message = error_of(read_run_directory(directory.path()));
  EXPECT_NE(message.find("run-meta.yaml: "), std::string::npos) << message;
  EXPECT_NE(message.find("mpc-control-log.csv: "), std::string::npos) << message;
}

TEST(RunDirectory, WithoutRunMetaThereIsNoRun) {
  TemporaryDirectory directory;
  const auto run = read_run_directory(directory.path());
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().code, ErrorCode::not_found);
  EXPECT_EQ(run.error().message, "file not found: " + directory.file("run-meta.yaml"));
}

TEST(RunDirectory, RunsAreFoundByTheirMetaInOrderOfPath) {
  const auto found = find_run_directories(data("mpc"), 2);
  ASSERT_TRUE(found.has_value()) << error_of(found);
  EXPECT_EQ(found->finished, (std::vector{data("mpc/seasonality/a"), data("mpc/spike/zero"), data("mpc/step/b")}));
  EXPECT_EQ(found->unfinished, (std::vector{data("mpc/spike/aborted")}));
  EXPECT_TRUE(find_run_directories(data("hpa"), 2).value().finished.empty());
  EXPECT_EQ(find_run_directories(data("hpa"), 3).value().finished.size(), 2U);
}

TEST(RunDirectory, ARootThatIsNotThereIsAnErrorWithItsPath) {
  EXPECT_EQ(error_of(find_run_directories("/no/such/root", 2)), "directory not found: /no/such/root");
}

}  // namespace
}  // namespace mpca::runlog
