// The trace commands, called as main calls them; the first three also under the reference lab's names.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

using test::TemporaryDirectory;
std::string content(const std::string& path) { return os::read_file(path).value_or("(not there)"); }

std::string written(const TemporaryDirectory& directory, const std::string& name, std::string_view text) {
  EXPECT_TRUE(os::write_file(directory.file(name), text).has_value());
  return directory.file(name);
}

TEST(TraceGenerate, WritesTheLabsColumnsAndSaysHowManyPoints) {
  TemporaryDirectory directory;
  const std::string path = directory.file("new/spike.csv");
  for (const bool lab_manners : {true, false}) {
    const Answer answer =
        call(trace_generate_command(), {{"scenario", "spike"}, {"out", path}}, {.of_the_lab = lab_manners});
    EXPECT_EQ(answer.code, 0) << answer.err;
    EXPECT_EQ(answer.out, "Saved trace to " + path + " (26 points)\n");
    EXPECT_TRUE(content(path).starts_with("step,timestamp_s,rps\n0,0,20\n1,15,20\n")) << content(path);
    EXPECT_NE(content(path).find("\n12,180,200\n"), std::string::npos);
  }
}

TEST(TraceGenerate, SeasonalityHasAsManyPointsAsAsked) {
  const Answer answer =
      call(trace_generate_command(),
           {{"scenario", "seasonality"}, {"seasonality-points", "3"}, {"dt-seconds", "2.5"}, {"out", "-"}});
  EXPECT_EQ(answer.out, "step,timestamp_s,rps\n0,0,70\n1,2.5,85\n2,5,99\n");
  EXPECT_EQ(answer.err, "Saved trace to - (3 points)\n");
}

TEST(TraceGenerate, AnUnwritablePlaceEndsWithTwoForUsAndOneForTheLab) {
  TemporaryDirectory directory;
  const Flags flags = {{"scenario", "step"}, {"out", written(directory, "file", "") + "/x.csv"}};
  EXPECT_EQ(call(trace_generate_command(), flags).code, 2);
  EXPECT_EQ(call(trace_generate_command(), flags, {.of_the_lab = true}).code, 1);
}

TEST(TraceFromPhases, WritesTheTraceWithItsPhases) {
  TemporaryDirectory directory;
  const std::string plan =
      written(directory, "plan.csv", "phase_idx,duration,rate_rps\r\n1,30s,20\r\n2,75s,0.5\r\n3,5s,7\r\n");
  const std::string out = directory.file("trace.csv");
  const Answer answer = call(trace_from_phases_command(), {{"phases-csv", plan}, {"out", out}, {"dt-seconds", "30"}},
                             {.of_the_lab = true});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "saved " + out + " (4 points, dt=30s)\n");
  // 75 s / 30 s = 2.5 goes to 2; 5 s is at least one step.
  EXPECT_EQ(content(out), "step,timestamp_s,rps,phase_idx\n0,0,20,1\n1,30,0.5,2\n2,60,0.5,2\n3,90,7,3\n");
}

TEST(TraceFromPhases, BadPlansWriteNothing) {
  TemporaryDirectory directory;
  const std::string plan = written(directory, "plan.csv", "phase_idx,duration,rate_rps\n1,30,20\n");
  const Flags flags = {{"phases-csv", plan}, {"out", directory.file("trace.csv")}};
  const std::string message = plan + ": row 2: duration is \"30\"; must be a whole number with s, m or h, such as 30s";
  const Answer ours = call(trace_from_phases_command(), flags);
  EXPECT_EQ(ours.code, 2);
  EXPECT_EQ(ours.err, message);
  const Answer lab = call(trace_from_phases_command(), flags, {.of_the_lab = true});
  EXPECT_EQ(lab.code, 1);
  EXPECT_EQ(lab.err, "mpc-build-trace: error: " + message + "\n");
  EXPECT_EQ(directory.names(), (std::vector<std::string>{"plan.csv"}));
}

TEST(TraceValidate, AValidTraceIsSaidOnStandardOutput) {
  const std::string path = MPCA_SOURCE_DIR "/data/traces/baseline_step_profile_dt15.csv";
  for (const bool lab_manners : {true, false}) {
    const Answer answer = call(trace_validate_command(), {{"trace-csv", path}}, {.of_the_lab = lab_manners});
    EXPECT_EQ(answer.code, 0);
    EXPECT_EQ(answer.out, "valid trace CSV: " + path + " (60 rows; required columns: step, timestamp_s, rps)\n");
    EXPECT_EQ(answer.err, "");
  }
}

TEST(TraceValidate, EveryErrorIsALineOnStandardErrorAndTheCodeIsOne) {
  TemporaryDirectory directory;
  const std::string path = written(directory, "t.csv", "step,timestamp_s,rps\n0,0,-1\nx,15,2\n");
  for (const bool lab_manners : {true, false}) {
    const Answer answer = call(trace_validate_command(), {{"trace-csv", path}}, {.of_the_lab = lab_manners});
    EXPECT_EQ(answer.code, 1);
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(answer.err, "row 2: rps must be >= 0 requests/second\nrow 3: step must be an integer\n");
  }
}

TEST(TraceValidate, GapsAreAWarningToTheLabAndAnErrorToUs) {
  TemporaryDirectory directory;
  const std::string path = written(directory, "t.csv", "step,timestamp_s,rps\n0,0,1\n1,15,2\n5,75,2\n");
  const std::string words = "row 4: timestamp_s is 75 after 15; a gap: the step is 15 s\n";
  const Answer lab = call(trace_validate_command(), {{"trace-csv", path}}, {.of_the_lab = true});
  EXPECT_EQ(lab.code, 0);
  EXPECT_EQ(lab.err, "warning: " + words);
  const Answer ours = call(trace_validate_command(), {{"trace-csv", path}});
  EXPECT_EQ(ours.code, 1);
  EXPECT_EQ(ours.err, words);
}

TEST(TraceValidate, ManyErrorsAreAllPrintedForTheLabAndTwentyForUs) {
  TemporaryDirectory directory;
  std::string text = "step,timestamp_s,rps\n", all;
  for (int i = 0; i < 50; ++i) {
    text += "x,0,0\n";
    all += "row " + std::to_string(i + 2) + ": step must be an integer\n";
  }
  const std::string path = written(directory, "t.csv", text);
  EXPECT_EQ(call(trace_validate_command(), {{"trace-csv", path}}, {.of_the_lab = true}).err, all);
  EXPECT_TRUE(call(trace_validate_command(), {{"trace-csv", path}})
                  .err.ends_with("row 21: step must be an integer\n… and 30 more\n"));
}

TEST(TraceValidate, AMissingFileIsOneForTheLabAndTwoForUs) {
  const Answer lab = call(trace_validate_command(), {{"trace-csv", "/nowhere/t.csv"}}, {.of_the_lab = true});
  EXPECT_EQ(lab.code, 1);
  EXPECT_EQ(lab.err, "file not found: /nowhere/t.csv\n");
  EXPECT_EQ(call(trace_validate_command(), {{"trace-csv", "/nowhere/t.csv"}}).code, 2);
}

TEST(TraceImport, AnAccessLogBecomesATrace) {
  TemporaryDirectory directory;
  std::string log;
  for (const std::string second : {"00", "01", "31", "59"}) {
    log += "h - - [14/Nov/2023:22:13:" + second + " +0000] \"GET /\" 200 5\n";
  }
  const std::string path = written(directory, "access.log", log), out = directory.file("t.csv");
  const Answer answer = call(trace_import_command(), {{"file", path}, {"step", "20s"}, {"out", out}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(content(out), "step,timestamp_s,rps\n0,0,0.1\n1,20,0.05\n");
  EXPECT_EQ(answer.out, "saved " + out + " (2 points, dt=20s)\n");
  EXPECT_TRUE(answer.err.starts_with(path + ": read as access-log\n")) << answer.err;
}

TEST(TraceImport, OptionsReachTheReader) {
  TemporaryDirectory directory;
  const std::string path = written(directory, "s.csv", "at,users,n\n5000,9,10\n15000,9,\n25000,9,30\n");
  const Answer answer = call(trace_import_command(), {{"file", path},
                                                      {"format", "series-csv"},
                                                      {"kind", "count"},
                                                      {"gaps", "linear"},
                                                      {"time-column", "at"},
                                                      {"value-column", "n"},
                                                      {"unit", "ms"},
                                                      {"step", "5s"},
                                                      {"out", "-"}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "step,timestamp_s,rps\n0,0,1\n1,5,1\n2,10,2\n3,15,2\n4,20,3\n5,25,3\n");
}

TEST(TraceTransform, ScalingAFileGoesRowByRow) {
  TemporaryDirectory directory;
  const std::string path = written(directory, "t.csv", "rps,timestamp_s,step,phase_idx,x\n1,30,2,7,a\n0.5,45,3,8,b\n");
  const std::string out = directory.file("new/out.csv");
  const Answer answer = call(trace_transform_command(), {{"trace", path}, {"scale", "4"}, {"out", out}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "saved " + out + " (2 points, dt=15s)\n");
  EXPECT_EQ(content(out), "step,timestamp_s,rps,phase_idx\n0,30,4,7\n1,45,2,8\n");
}

TEST(TraceTransform, ABadFileLeavesNothingBehind) {
  TemporaryDirectory directory;
  const std::string path = written(directory, "t.csv", "step,timestamp_s,rps\n0,0,1\n1,15,x\n");
  for (const std::string scale : {"4", "1"}) {
    const Answer answer =
        call(trace_transform_command(), {{"trace", path}, {"scale", scale}, {"out", directory.file("o.csv")}});
    EXPECT_EQ(answer.code, 2);
    EXPECT_EQ(answer.err, path + ": row 3: rps must be a number");
  }
  EXPECT_EQ(directory.names(), (std::vector<std::string>{"t.csv"}));
}

TEST(TraceTransform, ConcatenatesCropsResamplesAndScalesInThisOrder) {
  TemporaryDirectory directory;
  const std::string a = written(directory, "a.csv", "step,timestamp_s,rps\n0,0,1\n1,15,2\n");
  const std::string b = written(directory, "b.csv", "step,timestamp_s,rps\n0,0,4\n1,15,8\n");
  // 1 2 4 8; from 15 s: 2 4 8; in steps of 30 s: 3 and half of 8; times 3 / 4 so that the peak is 3.
  const Answer answer =
      call(trace_transform_command(),
           {{"trace", a}, {"trace", b}, {"from", "15s"}, {"resample", "30s"}, {"peak-rps", "3"}, {"out", "-"}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, "step,timestamp_s,rps\n0,15,2.25\n1,45,3\n");
}

TEST(TraceTransform, FilesWithDifferentStepsAreResampledBeforeTheyAreJoined) {
  TemporaryDirectory directory;
  const std::string a = written(directory, "a.csv", "step,timestamp_s,rps\n0,0,1\n1,15,2\n");
  const std::string b = written(directory, "b.csv", "step,timestamp_s,rps\n0,0,4\n1,30,8\n");
  const Answer answer =
      call(trace_transform_command(), {{"trace", a}, {"trace", b}, {"resample", "30s"}, {"out", "-"}});
  EXPECT_EQ(answer.out, "step,timestamp_s,rps\n0,0,1.5\n1,30,4\n2,60,8\n");
  EXPECT_EQ(call(trace_transform_command(), {{"trace", a}, {"trace", b}, {"out", "-"}}).err,
            "b has a step of 30s, a of 15s; resample to one step first");
}

TEST(TraceTransform, NoiseDependsOnTheSeed) {
  const std::string path = MPCA_SOURCE_DIR "/data/traces/baseline_step_profile_dt15.csv";
  const auto noisy = [&](const std::string& seed) {
    return call(trace_transform_command(),
                {{"trace", path}, {"noise", "0.1"}, {"poisson", "true"}, {"seed", seed}, {"out", "-"}})
        .out;
  };
  EXPECT_EQ(noisy("1"), noisy("1"));
  EXPECT_NE(noisy("1"), noisy("2"));
}

TEST(TraceTransform, TwoWaysToScaleAtOnceAreRefused) {
  const Answer answer =
      call(trace_transform_command(), {{"trace", "t.csv"}, {"scale", "2"}, {"peak-rps", "5"}, {"out", "-"}});
  EXPECT_EQ(answer.code, 2);
  EXPECT_EQ(answer.err, "--scale and --peak-rps exclude each other");
}

TEST(TraceInfo, ShowsTextForPeopleAndJsonForPrograms) {
  const std::string path = MPCA_SOURCE_DIR "/data/traces/baseline_spike_profile_dt15.csv";
  const Answer text = call(trace_info_command(), {{"trace", path}});
  // 24 steps of 20 and 2 of 200 are 880 / 26 = 33.85 on average, and 880 * 15 requests.
  EXPECT_EQ(text.out,
            "spike\n"
            "  26 steps of 15s, 6m30s from 0s, 3 phases\n"
            "  requests/s: min 20.00, median 20.00, mean 33.85, p99 200, max 200\n"
            "  requests: 13200\n");
  const Answer json = call(trace_info_command(), {{"trace", path}, {"format", "json"}});
  EXPECT_NE(json.out.find("\"total_requests\": 13200.0"), std::string::npos) << json.out;
}

}  // namespace
}  // namespace mpca::app
