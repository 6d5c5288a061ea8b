#include "study/compare.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/os/file.h"
#include "runlog/replay.h"
#include "support/temporary_directory.h"

namespace mpca::study {
namespace {

using test::TemporaryDirectory;

trace::DemandTrace wave(const std::string& name, double peak_rps, int steps = 120) {
  trace::DemandTrace trace{
      .name = name, .start = {}, .step = std::chrono::seconds(15), .demand_rps = {}, .phase_idx = {}};
  for (int i = 0; i < steps; ++i) trace.demand_rps.push_back(i % 40 < 20 ? 20.0 : peak_rps);
  return trace;
}

CompareSettings settings(const std::string& out) {
  CompareSettings settings;
  settings.traces = {wave("wave", 100.0), wave("wave", 160.0)};
  settings.policies = {"reactive", "lab-mpc", "static:6"};
  settings.out = out;
  settings.command = "the command";
  return settings;
}

void ignore(double) {}

std::string content_of(const std::string& directory) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::string all;
  for (const std::string& path : paths) all += path.substr(directory.size()) + "\n" + os::read_file(path).value();
  return all;
}

TEST(Compare, WritesARunPerPairASummaryAndAReport) {
  TemporaryDirectory directory;
  const std::string out = directory.file("out");
  const auto comparison = compare(settings(out), {}, ignore);
  ASSERT_TRUE(comparison) << comparison.error().message;
  ASSERT_EQ(comparison->traces.size(), 2u);
  EXPECT_EQ(comparison->traces[0].runs.size(), 3u);
  for (const char* run :
       {"wave/reactive", "wave/lab-mpc", "wave/static_6", "wave-2/reactive", "wave-2/lab-mpc", "wave-2/static_6"}) {
    for (const char* file : {"decisions.jsonl", "decisions.csv", "summary.json", "config.json"}) {
      EXPECT_TRUE(std::filesystem::exists(out + "/" + run + "/" + file)) << run << " " << file;
    }
    const auto replayed = runlog::replay(out + "/" + run + "/decisions.jsonl", "", [](const auto&) {});
    ASSERT_TRUE(replayed);
    EXPECT_EQ(replayed->decisions, 120);
    EXPECT_EQ(replayed->different_replicas + replayed->different_explanations, 0) << run;
  }
  EXPECT_TRUE(std::filesystem::exists(out + "/summary.csv"));
  EXPECT_TRUE(std::filesystem::exists(out + "/report.html"));
}

// 4 x 120 decisions leave 720 of a page's 1200 for the two long runs: 360 for each, every 3rd of 900 is 300.
TEST(Compare, ThePageExplainsAllDecisionsOfShortRunsAndSomeOfLongOnes) {
  TemporaryDirectory directory;
  CompareSettings mixed = settings(directory.file("out"));
  mixed.traces = {wave("short", 100.0), wave("short-2", 100.0), wave("long", 100.0, 900)};
  mixed.policies = {"reactive", "static:6"};
  const auto comparison = compare(mixed, {}, ignore);
  ASSERT_TRUE(comparison) << comparison.error().message;
  for (const report::TraceComparison& trace : comparison->traces) {
    const bool is_long = trace.name == "long";
    for (const report::PolicyRun& run : trace.runs) {
      EXPECT_EQ(run.decisions.made, is_long ? 900 : 120);
      ASSERT_EQ(run.decisions.kept.size(), is_long ? 300u : 120u);
      EXPECT_EQ(run.decisions.kept[1].time_s, is_long ? 45.0 : 15.0);
      EXPECT_EQ(run.decisions.kept[1].parts.empty(), run.policy == "static:6");
    }
  }
}

TEST(Compare, ResultsDoNotDependOnTheNumberOfJobs) {
  TemporaryDirectory directory;
  for (const std::string world : {"idealised", "realistic"}) {
    CompareSettings one = settings(directory.file(world + "-1"));
    one.world = world;
    CompareSettings four = settings(directory.file(world + "-4"));
    four.world = world;
    four.jobs = 4;
    ASSERT_TRUE(compare(one, {}, ignore));
    ASSERT_TRUE(compare(four, {}, ignore));
    EXPECT_EQ(content_of(one.out), content_of(four.out));
  }
}

// 20 minutes at 20 rps and 20 at 100, twice what two replicas serve; control periods of 15 s, whatever the step.
TEST(Compare, WorldsOfRequestsHaveTheirOwnPeriodAndSayWhatUsersGot) {
  TemporaryDirectory directory;
  for (const std::string world : {"fluid", "requests"}) {
    CompareSettings own = settings(directory.file(world));
    own.world = world;
    own.preset = load_preset("standard").value();
    own.traces = {wave("wave", 100.0, 40)};
    own.traces[0].step = std::chrono::seconds(60);
    own.policies = {"static:12", "static:2"};
    const auto comparison = compare(own, {}, ignore);
    ASSERT_TRUE(comparison) << comparison.error().message;
    const auto& runs = comparison->traces[0].runs;
    ASSERT_EQ(comparison->traces[0].time_s.size(), 160u);  // 40 x 60 s / 15 s
    EXPECT_EQ(comparison->traces[0].time_s[1], 15.0);
    EXPECT_NEAR(runs[0].metrics.mean_replicas, 12.0, 1e-9);
    ASSERT_TRUE(runs[0].metrics.failed_ratio && runs[1].metrics.request_latency_p95_s);
    EXPECT_LT(*runs[0].metrics.request_latency_p95_s, *runs[1].metrics.request_latency_p95_s);
    EXPECT_NEAR(*runs[0].metrics.failed_ratio, 0.0, 1e-9);
    EXPECT_GT(*runs[1].metrics.failed_ratio, 0.3);
    const auto replayed = runlog::replay(own.out + "/wave/static_2/decisions.jsonl", "", [](const auto&) {});
    ASSERT_TRUE(replayed);
    EXPECT_EQ(replayed->decisions, 160);
  }
}

// 20 rps is 2 replicas' worth of a capacity of 10, and a fifth of one of 100: the service is as fast as it is said to
// be.
TEST(Compare, TheServiceOfAPresetTakesTheCapacityThatIsGiven) {
  TemporaryDirectory directory;
  double p95[2] = {};
  for (int i = 0; i < 2; ++i) {
    CompareSettings own = settings(directory.file(std::to_string(i)));
    own.world = "fluid";
    own.preset = load_preset("standard").value();
    own.traces = {wave("wave", 20.0, 20)};
    own.policies = {"static:3"};
    own.workload.capacity_rps = i == 0 ? 10.0 : 100.0;
    const auto comparison = compare(own, {}, ignore);
    ASSERT_TRUE(comparison) << comparison.error().message;
    p95[i] = comparison->traces[0].runs[0].metrics.request_latency_p95_s.value();
  }
  EXPECT_GE(p95[0], 0.1);  // a request alone takes 100 ms
  EXPECT_LT(p95[1], 0.05);
}

TEST(Compare, WorldsOfRequestsWantWholeSecondsAndATraceOfAPeriod) {
  TemporaryDirectory directory;
  CompareSettings bad = settings(directory.file("out"));
  bad.world = "fluid";
  bad.preset = load_preset("standard").value();
  bad.workload.period = std::chrono::milliseconds(1500);
  bad.traces[0].demand_rps.resize(1);
  bad.traces[0].step = std::chrono::seconds(1);
  const auto result = compare(bad, {}, ignore);
  ASSERT_FALSE(result);
  for (const char* part : {"wants whole seconds", "wave: shorter than a control period"})
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  EXPECT_TRUE(directory.names().empty());
}

TEST(Compare, EveryBadSettingIsSaidBeforeAnythingIsWritten) {
  TemporaryDirectory directory;
  CompareSettings bad = settings(directory.file("out"));
  bad.policies = {"reactive:target=2", "nonsense"};
  bad.workload.max_replicas = 1;
  const auto result = compare(bad, {}, ignore);
  ASSERT_FALSE(result);
  for (const char* part : {"target is \"2\"", "nonsense", "--max-replicas is 1"}) {
    EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  }
  EXPECT_TRUE(directory.names().empty());
}

TEST(Compare, ExistingResultsAreRefusedUnlessReplaced) {
  TemporaryDirectory directory;
  CompareSettings own = settings(directory.file("out"));
  ASSERT_TRUE(compare(own, {}, ignore));
  EXPECT_EQ(compare(own, {}, ignore).error().code, ErrorCode::already_exists);
  own.replace = true;
  EXPECT_TRUE(compare(own, {}, ignore));
}

TEST(Compare, AnInterruptionKeepsFinishedRunsAndNothingHalfDone) {
  TemporaryDirectory directory;
  CompareSettings own = settings(directory.file("out"));
  std::stop_source stop;
  // The third report of progress is the end of the third run.
  int reports = 0;
  const auto result = compare(own, stop.get_token(), [&](double) {
    if (++reports == 3) stop.request_stop();
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::interrupted);
  EXPECT_NE(result.error().message.find("3 of 6 runs"), std::string::npos) << result.error().message;
  EXPECT_TRUE(std::filesystem::exists(own.out + "/wave/static_6/summary.json"));
  EXPECT_FALSE(std::filesystem::exists(own.out + "/report.html"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(own.out)) {
    EXPECT_EQ(entry.path().filename().string().find(".partial"), std::string::npos) << entry.path();
  }
}

// 160 rps need 9.14 replicas at 17.5 rps each.
TEST(Compare, OnlyTracesTooLargeForTheMaximumAreScaledByDefault) {
  policy::Workload workload;
  EXPECT_EQ(peak_scale(wave("fits", 160.0), workload, std::nullopt), 1.0);
  EXPECT_NEAR(peak_scale(wave("large", 2100.0), workload, std::nullopt), 12 * 17.5 / 2100.0, 1e-12);
  EXPECT_EQ(peak_scale(wave("large", 2100.0), workload, 0.0), 1.0);
  EXPECT_NEAR(peak_scale(wave("small", 17.5), workload, 6.0), 6 * 17.5 / 20.0, 1e-12)
      << "the base of 20 rps is the peak";
}

}  // namespace
}  // namespace mpca::study
