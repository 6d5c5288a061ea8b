#include "report/tune_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mpca::report {
namespace {

TuneRule rule(const std::string& kind, const std::string& policy, double bill, double saving) {
  TuneRule rule;
  rule.kind = kind;
  rule.policy = policy;
  rule.settings = 6;
  rule.figures = {
      .bill = bill, .relative_cost = 1.5, .mean_replicas = 20.0, .violation_ratio = 0.004, .churn_per_hour = 12};
  rule.saving = {saving, saving - 0.01, saving + 0.01};
  rule.same_choice = 2;
  rule.blocks = {{policy, bill, 0.004, saving}, {policy, bill, 0.004, saving}, {"other", bill, 0.004, std::nullopt}};
  return rule;
}

TuneReport sample(TuneVerdict verdict, std::size_t chosen) {
  TuneReport report;
  report.verdict = verdict;
  report.trace.name = "web";
  report.trace.file_step_s = report.trace.played_step_s = 15;
  report.trace.seconds = 10'800;
  report.recorded_seconds = 10'800;
  report.late_price = 10.0;
  report.folds = 3;
  report.seeds = 2;
  report.rules = {rule("today", "hpa:target=60,stabilization=300s", 2.0, 0.0),
                  rule("hpa", "hpa:target=75,down-window=60s", 1.8, 0.1),
                  rule("reactive", "reactive:target=0.8", 1.7, 0.15),
                  rule("predictive", "predictive:late-price=10,hold=0s", 1.5, 0.25)};
  report.rules[1].hpa = HpaFields{.average_utilization = 75, .scale_down_window_s = 60};
  report.chosen = chosen;
  report.best_simple = std::min<std::size_t>(chosen, 2);
  report.predictive_saving = {0.012, -0.004, 0.028};
  report.foresight = TuneFigures{.bill = 1.2, .relative_cost = 1.19, .mean_replicas = 16, .violation_ratio = 0.0001};
  report.foresight_saving = 0.4;
  return report;
}

void expect_words(const TuneReport& report, std::initializer_list<std::string_view> all) {
  const std::string text = to_text(report);
  for (const std::string_view words : all) EXPECT_NE(text.find(words), std::string::npos) << words << "\nin\n" << text;
}

TEST(TuneText, PredictiveComesWithTheTextToPasteAndItsInterval) {
  expect_words(sample(TuneVerdict::use_predictive, 3),
               {"Use predictive: it saves 25.0% of today's bill (95 % interval 24.0% to 26.0%).\n",
                "\n  predictive:late-price=10,hold=0s\n",
                "Against the tuned reactive rule, the best without prediction, it saves 1.2%",
                "That is a narrow call: reactive:target=0.8 alone saves 15.0%", "25.0% [24.0%, 26.0%]",
                "How sure: 3 blocks of 1 h, 2 seeds", "2 of 3, from 6"});
}

TEST(TuneText, AnHpaComesAsFieldsOfItsObject) {
  expect_words(sample(TuneVerdict::use_hpa, 1),
               {"Prediction does not pay here: against the tuned HPA it saves 1.2% (95 % interval \xE2\x88\x92"
                "0.4% to 2.8%).\n",
                "Use the HPA like this: it saves 10.0% of today's bill", "averageUtilization: 75}",
                "scaleDown: {stabilizationWindowSeconds: 60}"});
}

TEST(TuneText, TheReactiveRuleComesWithTheHpaThatIsNearest) {
  expect_words(sample(TuneVerdict::use_reactive, 2),
               {"Use the reactive rule: it saves 15.0%", "reactive:target=0.8",
                "If it has to be an HPA, this one saves 10.0%", "averageUtilization: 75}"});
}

TEST(TuneText, WhatIsKeptIsSaidAndWhatCannotBeShownIsNotClaimed) {
  TuneReport report = sample(TuneVerdict::keep_present, 0);
  report.predictive_saving = {0.08, -0.02, 0.18};
  expect_words(report, {"That prediction pays cannot be shown here: against today's rule it saves 8.0%, but the blocks",
                        "Keep what you have"});
  report.predictive_saving = {-0.03, -0.05, -0.01};
  expect_words(report,
               {"Prediction does not pay here: against today's rule it costs 3.0% more (95 % interval 1.0% to 5.0%)"});
}

TEST(TuneText, AShareThatPredictionMissesSpeaksAgainstIt) {
  TuneReport report = sample(TuneVerdict::keep_present, 0);
  report.late_share = 0.003;
  report.rules[3].keeps = false;
  expect_words(report,
               {"Prediction does not pay here: 0.40% late or failed, asked for 0.30%, which is missed.", "cost"});
}

TEST(TuneText, SaysWhatOfTheFileWasPlayedAndHow) {
  TuneReport report = sample(TuneVerdict::keep_present, 0);
  report.recorded_seconds = 2 * 86'400.0;
  report.trace.file_step_s = 150;
  report.trace.scale = 2.5;
  expect_words(report, {"web: the first 3 h of 2 d", "10 times as fast as recorded", "rates times 2.5 (--capacity N"});
}

TEST(TuneText, ANameCannotSpeakToTheTerminal) {
  TuneReport report = sample(TuneVerdict::keep_present, 0);
  report.trace.name = "web\x1b[2J";
  report.rules[0].policy = "hpa:\x1b[2J";
  EXPECT_EQ(to_text(report).find('\x1b'), std::string::npos);
}

TEST(TuneJson, HoldsFormatVersionAndTheWholeReport) {
  const auto json = nlohmann::json::parse(to_json(sample(TuneVerdict::use_hpa, 1)));
  EXPECT_EQ(json.at("format"), "mpca-tune");
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("verdict"), "use-hpa");
  EXPECT_EQ(json.at("recommended"), "hpa:target=75,down-window=60s");
  EXPECT_EQ(json.at("best_without_prediction"), "hpa");
  EXPECT_EQ(json.at("rules").size(), 4u);
  EXPECT_EQ(json.at("rules")[1].at("hpa").at("average_utilization"), 75);
  EXPECT_EQ(json.at("rules")[1].at("saving").at("high"), 0.11);
  EXPECT_TRUE(json.at("rules")[1].at("blocks")[2].at("saving").is_null());
  EXPECT_EQ(json.at("foresight_saving"), 0.4);
  EXPECT_TRUE(json.at("late_share").is_null());
  EXPECT_TRUE(nlohmann::json::parse(to_json({})).at("recommended").is_null()) << "too short";
}

}  // namespace
}  // namespace mpca::report
