// One decision as a block of text and as pictures.
#include "report/decision_picture.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/text.h"
#include "report/decision_block.h"

namespace mpca::report {
namespace {

using namespace std::chrono_literals;

/// Every 15 s for 20 min: 100 rps and 5 replicas, and from minute 10 on 200 rps and 10 replicas. Capacity 25 rps.
DecisionPicture step_picture() {
  DecisionPicture picture;
  picture.title = "predictive on <step>, 10m: 5 → 10 replicas";
  picture.sentence = "demand 200.0 rps (served & failed): raise from 5 to 10 replicas";
  for (int i = 0; i < 80; ++i) picture.decisions.push_back({15.0 * i, i < 40 ? 100.0 : 200.0, i < 40 ? 5 : 10});
  picture.at = 40;
  picture.forecast = {{60s, 0.5, 200.0}, {60s, 0.97, 225.0}, {60s, 0.998, 250.0}};
  picture.band = {8, 10};
  picture.from_s = 0.0;
  picture.to_s = 1200.0;
  return picture;
}

// 64 periods of 15 s are 960 s, 42 / 64 of them before: from 570 s. At the ends the window stays within the run.
TEST(DecisionPicture, TheWindowIsAroundTheDecisionAndWithinTheRun) {
  EXPECT_DOUBLE_EQ(window_around(1200.0, 15.0, 60.0, 86400.0).from_s, 570.0);
  EXPECT_DOUBLE_EQ(window_around(1200.0, 15.0, 60.0, 86400.0).to_s, 1530.0);
  EXPECT_DOUBLE_EQ(window_around(30.0, 15.0, 60.0, 86400.0).from_s, 0.0);
  EXPECT_DOUBLE_EQ(window_around(30.0, 15.0, 60.0, 86400.0).to_s, 960.0);
  EXPECT_DOUBLE_EQ(window_around(86300.0, 15.0, 60.0, 86400.0).from_s, 85440.0);
  EXPECT_DOUBLE_EQ(window_around(86300.0, 15.0, 60.0, 86400.0).to_s, 86400.0);
  // A run of one period is shown whole, a dead time of 10 min is a quarter of the picture.
  EXPECT_DOUBLE_EQ(window_around(0.0, 15.0, 0.0, 15.0).to_s, 15.0);
  EXPECT_DOUBLE_EQ(
      window_around(50000.0, 15.0, 600.0, 86400.0).to_s - window_around(50000.0, 15.0, 600.0, 86400.0).from_s, 2400.0);
}

TEST(DecisionPicture, TheTextHasTheStepTheFanTheMomentAndItsAxes) {
  const std::string text = text_picture(step_picture(), 66, 12);
  const std::vector<std::string_view> lines = split(text, '\n');
  ASSERT_GE(lines.size(), 16U);
  // The rise hides the moment where it stands; from 5 replicas down it is seen.
  for (std::size_t i = 7; i < 12; ++i) EXPECT_NE(lines[i].find("┊"), std::string_view::npos) << text;
  EXPECT_NE(text.find("┏━━━"), std::string::npos) << "a rise";
  EXPECT_NE(text.find("▒"), std::string::npos);
  EXPECT_NE(text.find("•"), std::string::npos);
  EXPECT_NE(text.find("greatest demand within 1m, q 0.5 to 0.97  ░ to q 0.998"), std::string::npos) << text;
  EXPECT_NE(lines[13].find("10m"), std::string_view::npos) << text;
}

TEST(DecisionPicture, OneDecisionWithoutAnythingElseIsDrawnToo) {
  DecisionPicture picture;
  picture.decisions = {{0.0, std::nullopt, 3}};
  picture.to_s = 15.0;
  EXPECT_NE(text_picture(picture).find("━"), std::string::npos);
  EXPECT_EQ(text_picture(picture).find("░"), std::string::npos);
  const std::string svg = svg_picture(picture);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  EXPECT_EQ(svg.find("class='fan'"), std::string::npos);
}

// 25,000 rps are 1000 replicas, where 10 are held: what is real still fills half of the picture.
TEST(DecisionPicture, AForecastThatKnowsLittleDoesNotFlattenTheRest) {
  DecisionPicture picture = step_picture();
  picture.forecast.back().demand_rps = 25000.0;
  EXPECT_NE(svg_picture(picture).find("q 0.998 ↑ 1000"), std::string::npos);
  const std::string text = text_picture(picture, 66, 12);
  EXPECT_EQ(text.find("1000"), std::string::npos) << text;
}

TEST(DecisionPicture, TheSvgStandsAloneAndItsTextsAreEscaped) {
  const std::string svg = svg_picture(step_picture());
  EXPECT_TRUE(svg.starts_with("<svg xmlns='http://www.w3.org/2000/svg'"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("&lt;step&gt;"), std::string::npos);
  EXPECT_NE(svg.find("served &amp; failed"), std::string::npos);
  EXPECT_EQ(svg.find("<step>"), std::string::npos);
  EXPECT_EQ(svg.find("href"), std::string::npos);
  EXPECT_NE(svg.find("band 8 to 10"), std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

runlog::DecisionRecord planned() {
  runlog::DecisionRecord record;
  record.observation.spec_replicas = 10;
  record.observation.ready_replicas = 9;
  record.decision.replicas = 12;
  policy::Explanation& why = record.decision.explanation;
  why.rule = "mean of the candidates";
  why.demand_rps = 210.0;
  why.demand_source = "served rate + failed rate";
  why.forecast = {{48s, 0.5, 210.0}, {48s, 0.97, 252.0}};
  why.values = {{"dead_time_s", 48.0},        {"readiness_lag_late_s", 30.0}, {"readiness_lag_confidence", 0.75},
                {"metric_age_s", 3.0},        {"metric_age_confidence", 0.9}, {"capacity_rps", 21.0},
                {"capacity_confidence", 0.5}, {"late_price", 10.0},           {"cycle_s", 1800.0}};
  why.candidates = {{"planner q 0.97", 0.7, 11, 1.3, 0.002}, {"level x1.15", 0.2, 10, 1.2, 0.011}};
  why.band = {9, 11};
  why.recommendation = 11.4;
  why.guards = {{"reactive_floor", 11, 12}};
  why.status = "late price 10";
  return record;
}

// By hand: 210 / 21 = 10 replicas, 252 / 21 = 12; bills 1.3 + 10 x 0.002 = 1.32 and 1.2 + 10 x 0.011 = 1.31.
TEST(DecisionBlock, SaysWhatWasKnownExpectedHeardAndChanged) {
  const std::string text = decision_block(planned(), {});
  for (const char* part :
       {"demand      210.0 rps, 10.0 replicas' worth; known from: served rate + failed rate\n",
        "capacity    21.0 rps a replica, 50 % of it measured\n", "dead time   48 s",
        "age of metrics                   3 s   90 % of it measured\n",
        "80 % of pods are Ready by       30 s   75 % of it measured\n", "252.0 rps   12.0 replicas\n",
        "70 %    11   1.300   0.20 %   1.320\n", "20 %    10   1.200   1.10 %   1.310\n", "the others 10 %",
        "wanted      11.40 replicas\n", "band        below 9 replicas raise, above 11 lower\n",
        "reactive_floor              11 -> 12\n", "cycle_s                     1800\n",
        "replicas    10 -> 12  (9 of 10 were Ready)\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(DecisionBlock, OfAPolicyThatSaysLittleItSaysLittle) {
  runlog::DecisionRecord record;
  record.observation.spec_replicas = record.observation.ready_replicas = record.decision.replicas = 4;
  EXPECT_EQ(decision_block(record, {}),
            "guards      none changed anything\n"
            "replicas    4 -> 4  (4 of 4 were Ready)\n");
}

}  // namespace
}  // namespace mpca::report
