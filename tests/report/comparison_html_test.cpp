#include "report/comparison_html.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "report/internal/chart_data.h"
#include "report/internal/html_text.h"
#include "report/sample_comparison.h"
#include "report/sample_measured.h"

namespace mpca::report {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

TEST(ComparisonHtml, BeginsWithTheVerdict) {
  const std::string html = to_html(sample_comparison());
  const std::size_t heading = html.find("<h1>");
  ASSERT_NE(heading, std::string::npos);
  EXPECT_EQ(html.find("Over all 4 traces, it is a trade-off: <b class='policy'", heading), heading + 4);
  EXPECT_LT(heading, html.find("<table"));
}

TEST(ComparisonHtml, NeedsNothingFromOutside) {
  const std::string html = to_html(sample_comparison());
  for (const char* outside : {" src=", "@import", "<link rel='stylesheet'", "url(http", "fetch(", "XMLHttpRequest"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

TEST(ComparisonHtml, HasATableOfMetricsPerTraceAndAMeaningPerMetric) {
  const std::string html = to_html(sample_comparison());
  EXPECT_EQ(count_of(html, "<table class='metrics'"), 4u);
  for (const MetricRow& metric : metric_table()) {
    const bool is_known = metric.group != MetricGroup::run && !metric.only_measured && metric.key != "latency_p95_s";
    const std::size_t expected = is_known ? 1 : 0;
    EXPECT_EQ(count_of(html, "id='metric-" + std::string(metric.key) + "'"), expected) << metric.key;
  }
}

// Three elements of script are the page's own: data, uPlot, the report's script. No text of a user opens or closes one.
TEST(ComparisonHtml, NamesCannotBecomeMarkup) {
  Comparison comparison = sample_comparison({"</script><img src=x onerror=alert(1)>", "a\"b'c&<i>", "\xFF\x01 broken"});
  comparison.traces[0].name = "</title><script>alert(2)</script>";
  comparison.traces[1].note = "<!-- <script>";
  comparison.command = "x </code></pre><script>alert(3)</script>";
  comparison.configuration = {{"<b>", "<script>alert(4)</script>"}};
  const std::string html = to_html(comparison);
  EXPECT_EQ(count_of(html, "<script"), 3u);
  EXPECT_EQ(count_of(html, "</script"), 3u);
  EXPECT_EQ(count_of(html, "<img"), 0u);
  EXPECT_EQ(count_of(html, "<i>"), 0u);
  EXPECT_EQ(count_of(html, "<!--"), 0u);
  EXPECT_NE(html.find("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"), std::string::npos);
}

TEST(ComparisonHtml, ThinnedSeriesAreSaid) {
  Comparison comparison = sample_comparison();
  EXPECT_NE(to_html(comparison)
                .find("points of 2\xE2\x80\xAF"
                      "880 periods"),
            std::string::npos);
  comparison.traces.resize(3);
  EXPECT_EQ(to_html(comparison).find("points of"), std::string::npos);
}

TEST(ComparisonHtml, AMeasuredReportHasItsNotesAndPhases) {
  const std::string html = to_html(sample_measured());
  EXPECT_NE(html.find("<p>The experiment ran 8 times as fast as life.</p>"), std::string::npos);
  EXPECT_EQ(count_of(html, "<table class='phases'"), 1u);
  EXPECT_EQ(count_of(html, "<b>Phase "), 3u);
  EXPECT_EQ(count_of(html, "class='cautions'"), 0u);
  EXPECT_EQ(count_of(html, "class='metrics repeats'"), 0u);
  EXPECT_EQ(count_of(html, "id='metric-latency_p95_s'"), 0u);
}

TEST(ComparisonHtml, CautionsStandRightUnderTheVerdictAndAtTheirPolicy) {
  Comparison comparison = sample_measured(1, true);
  comparison.traces[0].runs[1].measured->cautions.push_back("<script>alert(5)</script>");
  const std::string html = to_html(comparison);
  EXPECT_NE(html.find("<h1>Not to be trusted, see the cautions on <b class='policy'"), std::string::npos);
  const std::size_t box = html.find("<section class='cautions'");
  ASSERT_NE(box, std::string::npos);
  EXPECT_LT(box, html.find("<p class='facts'>"));
  EXPECT_EQ(count_of(html, "⚠ not to be trusted"), 1u);
  EXPECT_EQ(count_of(html, "<script"), 3u);
}

TEST(ComparisonHtml, RepeatsComeBeforeTheSingleRuns) {
  const std::string html = to_html(sample_measured(3));
  EXPECT_NE(html.find("<h1>In the medians of 3 repeats, "), std::string::npos);
  EXPECT_LT(html.find("class='metrics repeats'"), html.find("id='trace-0'"));
}

TEST(ComparisonHtml, IsTheSameFileEveryTime) { EXPECT_EQ(to_html(sample_comparison()), to_html(sample_comparison())); }

// For the browser test and for eyes: MPCA_SAMPLE_REPORT=/tmp/report.html report_test
// --gtest_filter=*SampleForTheBrowser
TEST(ComparisonHtml, SampleForTheBrowser) {
  const char* path = std::getenv("MPCA_SAMPLE_REPORT");
  if (!path) return;
  std::ofstream file(path);
  file << to_html(sample_comparison({"lab-mpc", "lab-hpa", "</script><img src=x onerror=alert(1)>", "static:12"}));
  EXPECT_TRUE(file.good());
}

// As above, measured: three repeats, the last one doubtful. The browser test's second page.
TEST(ComparisonHtml, MeasuredSampleForTheBrowser) {
  const char* path = std::getenv("MPCA_SAMPLE_MEASURED_REPORT");
  if (!path) return;
  std::ofstream file(path);
  const char* kind = std::getenv("MPCA_SAMPLE_MEASURED_KIND");
  const std::string_view wanted = kind ? kind : "";
  file << to_html(wanted == "single" ? sample_measured() : sample_measured(3, true));
  EXPECT_TRUE(file.good());
}

TEST(ChartData, ASimulatorHasNoLatencyPanels) {
  for (const internal::ChartPanel* panel : internal::chart_panels_of(sample_comparison())) {
    EXPECT_TRUE(panel->choice.empty());
    EXPECT_NE(panel->key, "failed");
  }
}

TEST(ChartData, MissingLatencyIsAGap) {
  const auto data = nlohmann::json::parse(internal::chart_data_json(sample_measured()));
  EXPECT_EQ(data["measured"], true);
  const std::string p95 = data["traces"][0]["series"]["latency_p95"][0];
  EXPECT_EQ(p95.substr(0, 46), "185.6,190.4,195.2,185.6,190.4,195.2,185.6,,195");
}

// Phases of 10 s; 5 of 50 requests failed in the second one.
TEST(ChartData, FailuresNotRecordedOverTimeAreThoseOfThePhases) {
  Comparison comparison = sample_measured();
  comparison.traces[0].time_s = {0, 5, 10, 15, 20};
  Measured& measured = *comparison.traces[0].runs[0].measured;
  measured.failed_ratio.clear();
  measured.phases = {{0, 10, 5, 50, 0, 1, 1, 1, 1}, {10, 10, 5, 50, 5, 1, 1, 1, 1}};
  const auto data = nlohmann::json::parse(internal::chart_data_json(comparison));
  EXPECT_EQ(data["traces"][0]["series"]["failed"][0], "0*2,10*2,");
}

TEST(ChartData, WhereNothingFailedThereIsNoChartOfIt) {
  Comparison comparison = sample_measured();
  for (PolicyRun& run : comparison.traces[0].runs) run.measured->failed_ratio.assign(60, 0.0);
  for (const internal::ChartPanel* panel : internal::chart_panels_of(comparison)) EXPECT_NE(panel->key, "failed");
}

TEST(ChartData, IsJsonWithEveryTraceAndPanel) {
  const Comparison comparison = sample_comparison();
  const auto data = nlohmann::json::parse(internal::chart_data_json(comparison));
  EXPECT_EQ(data["policies"].size(), 4u);
  EXPECT_EQ(data["panels"].size(), 4u);  // demand, replicas, utilization, backlog
  ASSERT_EQ(data["traces"].size(), 4u);
  EXPECT_EQ(data["traces"][0]["time"], "0,15*59");
  EXPECT_EQ(data["traces"][0]["series"]["demand"][0], "20*20,80*20,40*20");
  EXPECT_EQ(data["traces"][0]["askedFor"]["replicas"][3], nullptr);
}

TEST(Packed, RunsOfEqualValuesAreCounted) {
  EXPECT_EQ(internal::packed(std::vector<double>{2, 2, 2, 4, 6, 6}, 1.0, 0), "2*3,4,6*2");
  EXPECT_EQ(internal::packed(std::vector<double>{}, 1.0, 0), "");
}

TEST(Packed, ValuesAreScaledAndRoundedWithoutEmptyDigits) {
  EXPECT_EQ(internal::packed(std::vector<double>{0.4, 0.76666, -0.00001}, 100.0, 1), "40,76.7,0");
}

TEST(Packed, WhatIsNotFiniteIsAGap) {
  EXPECT_EQ(internal::packed(std::vector<double>{1, std::nan(""), 3}, 1.0, 0), "1,,3");
}

TEST(HtmlText, EscapesWhatMarkupAndAttributesGiveAMeaning) {
  EXPECT_EQ(internal::escaped("<a href=\"x\" title='y'>&"), "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(internal::escaped("µ\xFF\x01"), "µ\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(HtmlText, JsonCannotCloseItsScript) {
  EXPECT_EQ(internal::json_string("</script>&\"\n"), "\"\\u003c/script\\u003e\\u0026\\\"\\n\"");
}

}  // namespace
}  // namespace mpca::report
