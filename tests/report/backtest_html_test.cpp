#include "report/backtest_html.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "report/internal/backtest_summary.h"
#include "report/internal/front_picture.h"
#include "report/sample_backtest.h"

namespace mpca::report {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

nlohmann::json data_of(const std::string& html) {
  const std::string opening = "<script type='application/json' id='data'>";
  const std::size_t begin = html.find(opening) + opening.size();
  return nlohmann::json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

LevelComparison compared(const std::string& trace, double saving, std::optional<double> gap = std::nullopt) {
  LevelComparison one;
  one.trace = trace;
  one.policy = "reactive:sweep";
  one.violation_ratio = 0.01;
  one.policy_cost = 2.0 * (1.0 - saving);
  one.hpa_hindsight_cost = 2.0;
  one.saving_hindsight = Interval{saving, {}, {}};
  one.gap_closed = gap;
  return one;
}

BacktestReport with_comparisons(std::vector<LevelComparison> comparisons) {
  BacktestReport report;
  report.violation_levels = {0.003, 0.01, 0.1};
  report.comparisons = std::move(comparisons);
  for (const LevelComparison& one : report.comparisons) report.traces.emplace_back().name = one.trace;
  return report;
}

// Savings 2, 9 and 20 %: the median is 9 %, the worst 2 %.
TEST(BacktestVerdict, IsTheMedianSavingAgainstTheHpaInHindsight) {
  const auto verdict = internal::verdict_of(
      with_comparisons({compared("a", 0.20, 0.5), compared("b", 0.02, 0.1), compared("c", 0.09, 0.3)}));
  EXPECT_EQ(verdict.sentence,
            "reactive:sweep saves 9.0% (median of 3 traces) against the HPA tuned in hindsight at 1% violations");
  ASSERT_EQ(verdict.details.size(), 1u);
  EXPECT_EQ(verdict.details[0],
            "reactive:sweep at 1% violations: at worst saves 2.0% (b), closes 30.0% of the way to perfect foresight");
}

TEST(BacktestVerdict, ALossIsSaidAsOne) {
  const auto verdict = internal::verdict_of(with_comparisons({compared("a", -0.042)}));
  EXPECT_EQ(verdict.sentence,
            "reactive:sweep costs 4.2% more (on the one trace) against the HPA tuned in hindsight at 1% violations");
}

TEST(BacktestVerdict, WhatIsNotReachedIsCounted) {
  LevelComparison without = compared("b", 0.0);
  without.policy_cost.reset();
  without.saving_hindsight.reset();
  const auto verdict = internal::verdict_of(with_comparisons({compared("a", 0.1), without}));
  EXPECT_EQ(verdict.sentence,
            "reactive:sweep saves 10.0% (on one trace of 2) against the HPA tuned in hindsight at 1% violations");
  EXPECT_EQ(verdict.details[0], "reactive:sweep at 1% violations: does not get there on 1 trace");
}

TEST(BacktestVerdict, OneLuckyTraceIsNoVictory) {
  LevelComparison lucky = compared("a", 0.6);
  lucky.policy = "lucky";
  const auto verdict = internal::verdict_of(with_comparisons({lucky, compared("a", 0.05), compared("b", 0.05)}));
  EXPECT_EQ(verdict.sentence.find("reactive:sweep saves 5.0%"), 0u) << verdict.sentence;
}

TEST(BacktestVerdict, WithoutAnHpaItIsTheCost) {
  LevelComparison one = compared("a", 0.25);
  one.hpa_hindsight_cost.reset();
  one.saving_hindsight.reset();
  EXPECT_EQ(internal::verdict_of(with_comparisons({one})).sentence,
            "reactive:sweep pays 1.50 times the least that serves the demand (on the one trace) at 1% violations; no "
            "HPA to compare with");
}

TEST(BacktestVerdict, NothingComparedIsSaid) {
  EXPECT_EQ(internal::verdict_of(BacktestReport{}).sentence, "Nothing was compared");
}

TEST(BacktestSummary, HpaAndClairvoyantHaveTheirColoursOnEveryPage) {
  EXPECT_EQ(internal::slots_of({"hpa:sweep", "clairvoyant"}), (std::vector<std::size_t>{1, 5}));
  EXPECT_EQ(internal::slots_of({"a", "b", "clairvoyant", "hpa:sweep", "c", "d", "e", "f"}),
            (std::vector<std::size_t>{0, 2, 5, 1, 3, 4, 6, 7}));
  EXPECT_FALSE(internal::is_hpa("hpa-like:target=60"));
  EXPECT_TRUE(internal::is_hpa60("hpa:target=60,stabilization=300s"));
}

TEST(BacktestHtml, BeginsWithTheVerdict) {
  const std::string html = to_html(sample_backtest());
  const std::size_t heading = html.find("<h1>");
  ASSERT_NE(heading, std::string::npos);
  EXPECT_EQ(count_of(html, "<h1>"), 1u);
  EXPECT_NE(html.find("against the HPA tuned in hindsight at 1% violations</h1>"), std::string::npos);
  EXPECT_LT(heading, html.find("<table"));
}

TEST(BacktestHtml, HasAFrontATableOfLevelsAndOneOfBillsPerTrace) {
  const std::string html = to_html(sample_backtest());
  EXPECT_EQ(count_of(html, "class='front-host'"), 4u);
  EXPECT_EQ(count_of(html, "<table class='phases levels'"), 4u);
  EXPECT_EQ(count_of(html, "<table class='phases bills'"), 5u);  // and the medians
  EXPECT_EQ(count_of(html, "<table class='savings'"), 1u);
  EXPECT_EQ(count_of(html, "<article class='card'"), 4u);
}

TEST(BacktestHtml, NamesCannotBecomeMarkup) {
  const std::string html = to_html(nasty_backtest());
  EXPECT_EQ(count_of(html, "<script"), 3u);
  EXPECT_EQ(count_of(html, "</script"), 3u);
  EXPECT_EQ(count_of(html, "<img"), 0u);
  EXPECT_EQ(count_of(html, "<i>"), 0u);
  EXPECT_EQ(count_of(html, "<!--"), 0u);
  EXPECT_TRUE(data_of(html).is_object());
}

TEST(BacktestHtml, WhatIsNotReachedIsSaidAndNotBlank) {
  const std::string html = to_html(nasty_backtest());
  EXPECT_GT(count_of(html, "not reached"), 8u);
  EXPECT_EQ(count_of(html, "<td></td>"), 0u);
  EXPECT_NE(html.find("No policy gets down to 1% violations on any trace"), std::string::npos);
}

TEST(BacktestHtml, OneTraceOneFamilyOneSeedHasNoSummaryOfOne) {
  SampleShape shape;
  shape.traces = 1;
  shape.families = {"reactive:sweep"};
  shape.seeds = 1;
  const std::string html = to_html(sample_backtest(shape));
  EXPECT_EQ(count_of(html, "<table class='savings'"), 0u);
  EXPECT_EQ(count_of(html, "class='card'"), 0u);
  EXPECT_EQ(count_of(html, "class='front-host'"), 1u);
  EXPECT_NE(html.find("1 seed"), std::string::npos);
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST(BacktestHtml, NothingAtAllIsStillAPage) {
  const std::string html = to_html(BacktestReport{});
  EXPECT_NE(html.find("Nothing was compared"), std::string::npos);
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

TEST(BacktestHtml, MembersAreInItsDataWithTheirFiles) {
  const BacktestReport report = sample_backtest();
  const auto data = data_of(to_html(report));
  ASSERT_EQ(data["traces"].size(), 4u);
  EXPECT_EQ(data["traces"][0]["folder"], "trajectories/nasa-http/");
  const auto& front = data["traces"][0]["fronts"][2];
  ASSERT_EQ(front["names"].size(), report.fronts[0][2].points.size());
  const std::string name = data["names"][front["names"][5].get<std::size_t>()];
  EXPECT_EQ(name, report.fronts[0][2].points[5].policy);
  EXPECT_EQ(data["traces"][0]["folder"].get<std::string>() + front["files"][5].get<std::string>(),
            report.fronts[0][2].points[5].trajectory);
}

TEST(BacktestHtml, AThirteenByFiveByEightyStudyStaysBelowThreeMegabytes) {
  SampleShape shape;
  shape.traces = 13;
  shape.families = {"reactive:sweep", "mpc:sweep", "forecast:sweep", "hpa:sweep", "clairvoyant"};
  shape.members = 80;
  shape.seeds = 1;
  const std::string html = to_html(sample_backtest(shape));
  RecordProperty("bytes", static_cast<int>(html.size()));
  EXPECT_LT(html.size(), 3'000'000u);
}

TEST(BacktestHtml, IsTheSameFileEveryTime) { EXPECT_EQ(to_html(sample_backtest()), to_html(sample_backtest())); }

// A picture of 764 pixels: the place of none is at 44 + 8, the logarithmic axis runs from 74 to 748.
TEST(FrontPicture, ZeroHasAPlaceLeftOfTheLogarithmicAxis) {
  Front front;
  front.family = "reactive:sweep";
  front.points.resize(3);
  front.points[0].relative_cost = 3.0;
  front.points[1].violation_ratio = 0.001;
  front.points[1].relative_cost = 2.0;
  front.points[2].violation_ratio = 1.0;
  front.points[2].relative_cost = 1.0;
  for (FrontPoint& point : front.points) point.is_on_front = true;
  const auto picture = internal::front_picture({front}, {"reactive:sweep"}, {0.01}, "a", {764, 430});
  ASSERT_EQ(picture.points.size(), 1u);
  EXPECT_DOUBLE_EQ(picture.points[0][0].x, 52.0);
  EXPECT_DOUBLE_EQ(picture.points[0][1].x, 74.0);
  EXPECT_DOUBLE_EQ(picture.points[0][2].x, 748.0);
  EXPECT_LT(picture.points[0][0].y, picture.points[0][1].y);
  EXPECT_EQ(picture.costlier, 0u);
}

// For the browser test and for eyes: MPCA_SAMPLE_BACKTEST=/tmp/backtest/report.html report_test
// --gtest_filter=*BacktestForTheBrowser. Beside it the trajectories of the first trace; MPCA_SAMPLE_SHAPE is `small`,
// `large` or `nasty`.
TEST(BacktestHtml, SampleBacktestForTheBrowser) {
  const char* path = std::getenv("MPCA_SAMPLE_BACKTEST");
  if (!path) return;
  const std::string kind = std::getenv("MPCA_SAMPLE_SHAPE") ? std::getenv("MPCA_SAMPLE_SHAPE") : "";
  SampleShape shape;
  if (kind == "small") shape = {1, {"reactive:sweep"}, 24, 1};
  if (kind == "large")
    shape = {13, {"reactive:sweep", "mpc:sweep", "forecast:sweep", "hpa:sweep", "clairvoyant"}, 80, 1};
  if (kind.empty()) shape.members = 78;
  const BacktestReport report = kind == "nasty" ? nasty_backtest() : sample_backtest(shape);
  std::ofstream(path, std::ios::binary) << to_html(report);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (const Front& front : report.fronts.front()) {
    for (const FrontPoint& point : front.points) {
      if (point.trajectory.empty()) continue;
      std::vector<TrajectoryRun> runs;
      for (int seed = 1; seed <= std::min(report.seeds, 3); ++seed)
        runs.push_back(sample_trajectory(static_cast<std::uint64_t>(seed), point.relative_cost));
      std::filesystem::create_directories((folder / point.trajectory).parent_path());
      std::ofstream(folder / point.trajectory, std::ios::binary)
          << trajectory_js(report.traces.front().name, point.policy, runs);
    }
  }
}

}  // namespace
}  // namespace mpca::report
