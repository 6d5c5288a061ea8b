#include "config/trace_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

using std::chrono::seconds;
using trace::DemandTrace;

class TraceFiles : public testing::Test {
 protected:
  std::string file(const std::string& name, std::string_view text) {
    const std::string path = directory_.file(name);
    EXPECT_TRUE(os::write_file(path, text));
    return path;
  }
  test::TemporaryDirectory directory_;
};

TEST_F(TraceFiles, TheFormatIsSeenFromTheContent) {
  EXPECT_EQ(detect_trace_format("\xEF\xBB\xBFstep,timestamp_s,rps\r\n"), TraceFormat::trace_csv);
  EXPECT_EQ(detect_trace_format("rps,timestamp_s\n"), TraceFormat::trace_csv);
  EXPECT_EQ(detect_trace_format("timestamp,value\n"), TraceFormat::series_csv);
  EXPECT_EQ(detect_trace_format("1700000000,5\n"), TraceFormat::series_csv);
  EXPECT_EQ(detect_trace_format("2024-05-01 00:00:00\n"), TraceFormat::timestamps);
  EXPECT_EQ(detect_trace_format("1700000000.25\n"), TraceFormat::timestamps);
  EXPECT_EQ(detect_trace_format("h - - [10/Oct/2000:13:55:36 -0700] \"GET /\" 200 5\n"), TraceFormat::access_log);
  EXPECT_EQ(detect_trace_format("\n {\"status\":\"success\"}"), TraceFormat::prometheus);
  EXPECT_EQ(detect_trace_format("0,0,20\n"), TraceFormat::trace_csv);  // a forgotten header: its reader says so
  EXPECT_EQ(detect_trace_format(""), TraceFormat::trace_csv);
}

TEST_F(TraceFiles, EveryFormatHasANameThatReadsBack) {
  for (const std::string& name : trace_format_names()) EXPECT_EQ(name_of(trace_format_of(name).value()), name);
  EXPECT_FALSE(trace_format_of("csv"));
}

TEST_F(TraceFiles, TheSameDemandInFiveFormatsIsTheSameTrace) {
  const DemandTrace expected{
      .name = "load", .start = {}, .step = seconds(10), .demand_rps = {0.2, 0.1}, .phase_idx = {}};
  const std::string line = "h - - [14/Nov/2023:22:13:";
  const std::string paths[] = {
      file("load.csv", "step,timestamp_s,rps\n0,0,0.2\n1,10,0.1\n"),
      file("load.series.csv", "time,v\n1700000000,2\n1700000010,1\n"),
      file("load.log", line + "20 +0000] \"GET /\" 200 5\n" + line + "29 +0000] \"GET /\" 200 5\n" + line +
                           "30 +0000] \"GET /\" 200 5\n" + line + "40 +0000] \"GET /\" 200 5\n"),
      file("load.txt", "1700000000\n1700000009\n1700000010\n1700000020\n"),
      file("load.json", R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},)"
                        R"("values":[[1700000000,"2"],[1700000010,"1"]]}]}})")};
  for (const std::string& path : paths) {
    auto trace = load_trace(path, {.step = seconds(10), .kind = trace::SampleKind::count});
    ASSERT_TRUE(trace) << path << ": " << trace.error().message;
    EXPECT_TRUE(trace->name.starts_with("load")) << trace->name;
    trace->name = "load";
    EXPECT_EQ(*trace, expected) << path;
  }
}

TEST_F(TraceFiles, AFileLongerThanThePieceOfDetectionIsReadWhole) {
  std::string text = "step,timestamp_s,rps\n";
  for (int i = 0; i < 200000; ++i) {
    trace::append_trace_csv_row({.step = i, .timestamp_s = 15.0 * i, .demand_rps = 1, .phase_idx = {}}, text);
  }
  EXPECT_EQ(load_trace(file("long.csv", text)).value().demand_rps.size(), 200000u);
}

TEST_F(TraceFiles, EachLineOfAMessageBeginsWithThePath) {
  const std::string path = file("bad.csv", "step,timestamp_s,rps\n0,0,-1\nx,15,2\n");
  EXPECT_EQ(load_trace(path).error().message,
            path + ": row 2: rps must be >= 0 requests/second\n" + path + ": row 3: step must be an integer");
  EXPECT_EQ(load_trace_csv(path, {.manners = trace::Manners::lab}).error().message,
            "row 2: rps must be >= 0 requests/second\nrow 3: step must be an integer");
}

TEST_F(TraceFiles, AMissingFileIsNotFound) {
  const auto trace = load_trace(directory_.file("none.csv"));
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().code, ErrorCode::not_found);
  EXPECT_EQ(trace.error().message, "file not found: " + directory_.file("none.csv"));
  EXPECT_FALSE(load_trace(directory_.file(".")));
}

TEST_F(TraceFiles, NamesAreFileStems) {
  EXPECT_EQ(trace_name_of("/a/b.c/spike.csv"), "spike");
  EXPECT_EQ(trace_name_of("spike"), "spike");
  EXPECT_EQ(trace_name_of("data/traces/baseline_spike_profile_dt15.csv"), "spike");
  EXPECT_EQ(trace_name_of("baseline__profile_dt15.csv"), "baseline__profile_dt15");
  EXPECT_EQ(trace_name_of(".hidden"), ".hidden");
  EXPECT_EQ(trace_name_of("-"), "stdin");
}

TEST_F(TraceFiles, RealTracesLoad) {
  const char* directory = std::getenv("MPCA_TRACES_DIR");
  if (directory == nullptr || *directory == '\0') GTEST_SKIP() << "MPCA_TRACES_DIR is not set: no real traces here";
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".csv") continue;
    const auto trace = load_trace(entry.path().string());
    EXPECT_TRUE(trace) << entry.path() << ": " << (trace ? "" : trace.error().message);
  }
}

}  // namespace
}  // namespace mpca::config
