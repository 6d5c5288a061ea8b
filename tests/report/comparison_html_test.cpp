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

TEST(ChartData, IsJsonWithEveryTraceAndPanel) {
  const Comparison comparison = sample_comparison();
  const auto data = nlohmann::json::parse(internal::chart_data_json(comparison));
  EXPECT_EQ(data["policies"].size(), 4u);
  EXPECT_EQ(data["panels"].size(), internal::chart_panels().size());
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
