#include "study/backtest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/os/file.h"
#include "policy/label.h"
#include "study/internal/study_files.h"
#include "support/temporary_directory.h"
#include "trace/generate.h"

namespace mpca::study {
namespace {

using namespace std::chrono_literals;
using test::TemporaryDirectory;

trace::DemandTrace hour(std::string_view generator) {
  for (const trace::Generator& candidate : trace::generators()) {
    if (candidate.name != generator) continue;
    trace::DemandTrace trace = candidate.generate({.duration = 1h}).value();
    trace.name = generator;
    return trace;
  }
  ADD_FAILURE() << generator;
  return {};
}

BacktestSettings settings(const std::string& out) {
  BacktestSettings settings;
  settings.traces = {{"a.csv", hour("diurnal")}, {"b.csv", hour("on-off")}};
  settings.policies = {"reactive", "hpa:target=60,stabilization=300s", "static:40"};
  settings.with_opponents = false;
  settings.preset = load_preset("standard").value();
  settings.seeds = 2;
  settings.out = out;
  settings.command = "the command";
  return settings;
}

void ignore(const Progress&) {}

std::map<std::string, std::string> content_of(const std::string& directory) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file())
      all[entry.path().string().substr(directory.size())] = os::read_file(entry.path()).value();
  }
  return all;
}

TEST(Backtest, HasARowPerTracePolicyAndSeedAndEveryRequestAddsUp) {
  const TemporaryDirectory directory;
  const auto report = backtest(settings(directory.file("out")), {}, ignore);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->rows.size(), 2u * 3u * 2u);
  std::map<std::pair<std::string, std::uint64_t>, double> requests;
  for (const report::BacktestRow& row : report->rows) {
    EXPECT_EQ(row.whole.seconds, 3600.0);
    EXPECT_GE(row.relative_cost(), 0.5);
    EXPECT_GE(row.violation_ratio(), 0.0);
    EXPECT_LE(row.violation_ratio(), 1.0);
    EXPECT_DOUBLE_EQ(row.halves[0].requests + row.halves[1].requests, row.whole.requests);
    EXPECT_EQ(row.halves[0].seconds, 1800.0);
    // The same arrivals for every policy.
    const auto [place, is_new] = requests.try_emplace({row.trace, row.seed}, row.whole.requests);
    EXPECT_EQ(place->second, row.whole.requests);
  }
  EXPECT_NE(report->rows[0].whole.requests, report->rows[1].whole.requests) << "another seed, other arrivals";
  for (const char* file : {"report.html", "rows.csv", "study.json"})
    EXPECT_TRUE(std::filesystem::exists(directory.file("out") + "/" + file)) << file;
}

TEST(Backtest, HoldingFortyReplicasCostsFortyReplicas) {
  const TemporaryDirectory directory;
  const auto report = backtest(settings(directory.file("out")), {}, ignore).value();
  for (const report::BacktestRow& row : report.rows) {
    if (row.policy != "static:40") continue;
    // From the first decision on; what the run began with is replaced at once.
    EXPECT_DOUBLE_EQ(row.whole.replica_seconds, 40.0 * 3600.0);
    EXPECT_DOUBLE_EQ(row.demand_replica_seconds, row.whole.requests / 25.0);
  }
}

TEST(Backtest, AReportHasLabelsAndTheFilesOfAStudyHaveWholePolicies) {
  const TemporaryDirectory directory;
  const std::string calendar =
      "sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;broadcast@2026-12-31T19:00:00Z/2026-12-31T20:00:00Z>500";
  BacktestSettings own = settings(directory.file("out"));
  own.traces.resize(1);
  own.policies = {"static:40", "predictive:calendar=" + calendar};
  const auto report = backtest(own, {}, ignore);
  ASSERT_TRUE(report) << report.error().message;
  const std::string label = policy::label_of(own.policies[1]);
  ASSERT_EQ(report->fronts[0].size(), 2u);
  EXPECT_EQ(report->fronts[0][1].family, label);
  ASSERT_EQ(report->fronts[0][1].points.size(), 1u);
  EXPECT_EQ(report->fronts[0][1].points[0].policy, label);
  EXPECT_TRUE(std::filesystem::exists(own.out + "/" + report->fronts[0][1].points[0].trajectory));
  for (const auto& [name, content] : content_of(own.out)) {
    const bool is_whole = content.find("broadcast@2026-12-31T19:00:00Z") != std::string::npos;
    if (name == "/report.html" || name == "/rows.csv") {
      EXPECT_FALSE(is_whole) << name;
    } else if (name == "/study.json") {
      EXPECT_TRUE(is_whole) << name;
    }
  }
}

TEST(Backtest, NeitherJobsNorShardsChangeAResult) {
  const TemporaryDirectory directory;
  BacktestSettings one = settings(directory.file("one"));
  ASSERT_TRUE(backtest(one, {}, ignore));
  BacktestSettings many = settings(directory.file("many"));
  many.jobs = 4;
  ASSERT_TRUE(backtest(many, {}, ignore));
  EXPECT_EQ(content_of(directory.file("one")), content_of(directory.file("many")));

  std::vector<std::string> parts;
  for (int i = 1; i <= 3; ++i) {
    BacktestSettings part = settings(directory.file("part" + std::to_string(i)));
    part.shard = {.index = i, .count = 3};
    ASSERT_TRUE(backtest(part, {}, ignore));
    EXPECT_FALSE(std::filesystem::exists(part.out + "/report.html"));
    parts.push_back(part.out);
  }
  const auto merged = merge_backtests(parts, directory.file("merged"), false, "the command", "");
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(content_of(directory.file("one")), content_of(directory.file("merged")));
}

TEST(Backtest, GoesOnWithWhatIsThere) {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  ASSERT_TRUE(backtest(settings(out), {}, ignore));
  const auto before = content_of(out);
  std::filesystem::remove(internal::rows_path(out, "on-off/reactive"));
  std::filesystem::remove(out + "/report.html");
  // A run that is there is not played again: what stands in its file is taken.
  double last = 0.0;
  int runs = 0;
  ASSERT_TRUE(backtest(settings(out), {}, [&](const Progress& progress) {
    last = progress.done;
    ++runs;
  }));
  EXPECT_EQ(runs, 2) << "two seeds of one policy on one trace";
  EXPECT_DOUBLE_EQ(last, 1.0);
  EXPECT_EQ(content_of(out), before);
}

TEST(Backtest, AnotherStudyDoesNotGoOnThere) {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  ASSERT_TRUE(backtest(settings(out), {}, ignore));
  BacktestSettings other = settings(out);
  other.seeds = 3;
  const auto refused = backtest(other, {}, ignore);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
  other.replace = true;
  EXPECT_TRUE(backtest(other, {}, ignore));
}

TEST(Backtest, AFolderOfSomethingElseIsLeftAlone) {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  ASSERT_TRUE(os::make_directories(out));
  ASSERT_TRUE(os::write_file(out + "/thesis.txt", "years of work"));
  EXPECT_EQ(backtest(settings(out), {}, ignore).error().code, ErrorCode::already_exists);
  EXPECT_EQ(os::read_file(out + "/thesis.txt").value(), "years of work");
}

TEST(Backtest, OpponentsJoinUnlessTheyAreLeftOut) {
  const TemporaryDirectory directory;
  BacktestSettings with = settings(directory.file("out"));
  with.traces.pop_back();
  with.policies = {"reactive"};
  with.with_opponents = true;
  with.seeds = 1;
  with.jobs = 2;
  const auto report = backtest(with, {}, ignore);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->fronts.at(0).size(), 3u);
  EXPECT_EQ(report->fronts[0][1].family, "hpa:sweep");
  EXPECT_EQ(report->fronts[0][1].points.size(), 78u);
  EXPECT_EQ(report->fronts[0][2].family, "clairvoyant");
  for (const report::LevelComparison& row : report->comparisons) {
    EXPECT_EQ(row.policy, "reactive");
    for (const report::Bill& bill : row.bills) {
      ASSERT_TRUE(bill.hpa60 && bill.hpa_hindsight && bill.clairvoyant);
      EXPECT_LE(*bill.hpa_hindsight, *bill.hpa60);
    }
  }
}

TEST(Backtest, EveryProblemIsReportedBeforeAnythingIsWritten) {
  const TemporaryDirectory directory;
  BacktestSettings bad = settings(directory.file("out"));
  bad.policies = {"reactiv", "static:40", "static:40", "reactive:target=7"};
  bad.traces.push_back({"c.csv", hour("diurnal")});
  const auto refused = backtest(bad, {}, ignore);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  for (const char* part : {"reactiv", "--policy static:40 is given twice", "target is \"7\"", "a trace called diurnal"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << part << " in " << refused.error().message;
  EXPECT_FALSE(std::filesystem::exists(bad.out));
}

TEST(Backtest, AnInterruptionKeepsWhatIsFinished) {
  const TemporaryDirectory directory;
  const std::string out = directory.file("out");
  std::stop_source stop;
  int runs = 0;
  const auto stopped = backtest(settings(out), stop.get_token(), [&](const Progress&) {
    if (++runs == 5) stop.request_stop();
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::interrupted);
  ASSERT_TRUE(backtest(settings(out), {}, ignore));
  const TemporaryDirectory other;
  ASSERT_TRUE(backtest(settings(other.file("out")), {}, ignore));
  EXPECT_EQ(content_of(out), content_of(other.file("out")));
}

TEST(MergeBacktests, PartsOfDifferentStudiesAndMissingRunsAreErrors) {
  const TemporaryDirectory directory;
  BacktestSettings part = settings(directory.file("part"));
  part.shard = {.index = 1, .count = 2};
  ASSERT_TRUE(backtest(part, {}, ignore));
  BacktestSettings other = settings(directory.file("other"));
  other.seeds = 1;
  other.shard = {.index = 2, .count = 2};
  ASSERT_TRUE(backtest(other, {}, ignore));
  const auto mixed = merge_backtests({part.out, other.out}, directory.file("mixed"), false, "", "");
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find("not of the same study"), std::string::npos) << mixed.error().message;
  const auto half = merge_backtests({part.out}, directory.file("half"), false, "", "");
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("3 runs are missing"), std::string::npos) << half.error().message;
}

TEST(Backtest, TheRequestWorldPlaysTheSameArrivals) {
  const TemporaryDirectory directory;
  BacktestSettings fluid = settings(directory.file("fluid"));
  BacktestSettings requests = settings(directory.file("requests"));
  fluid.traces.pop_back();
  requests.traces.pop_back();
  requests.world = "requests";
  const auto in_fluid = backtest(fluid, {}, ignore).value();
  const auto in_requests = backtest(requests, {}, ignore);
  ASSERT_TRUE(in_requests) << in_requests.error().message;
  ASSERT_EQ(in_fluid.rows.size(), in_requests->rows.size());
  for (std::size_t i = 0; i < in_fluid.rows.size(); ++i)
    EXPECT_EQ(in_fluid.rows[i].whole.requests, in_requests->rows[i].whole.requests);
}

}  // namespace
}  // namespace mpca::study
