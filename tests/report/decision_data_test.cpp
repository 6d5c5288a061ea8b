#include "report/internal/decision_data.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/comparison_html.h"
#include "report/sample_comparison.h"

namespace mpca::report::internal {
namespace {

using Json = nlohmann::json;

ToldDecision told(double time_s, const std::string& demand, const std::string& candidate, const std::string& weight) {
  return {.time_s = time_s,
          .sentence = "demand " + demand + " rps: stay at 4 replicas",
          .parts = {{.label = "demand", .words = demand + " rps"},
                    {.label = "candidates",
                     .columns = {{AccountColumn::Kind::name}, {AccountColumn::Kind::number, 0, "weight"}},
                     .rows = {{candidate, weight + " %"}},
                     .note = "the others 5 %"}}};
}

// What the page's script does.
std::string filled(std::string phrase, std::vector<std::string>& numbers) {
  std::string text;
  for (const char c : phrase) {
    if (c != '0') {
      text += c;
      continue;
    }
    text += numbers.front();
    numbers.erase(numbers.begin());
  }
  return text;
}

TEST(WithoutNumbers, EachNumberGivesWayToAZeroAndIsKeptAsWritten) {
  std::string numbers;
  EXPECT_EQ(without_numbers("demand 118.90 rps, q 0.97 within 1m17s; 3. at v1.", numbers),
            "demand 0 rps, q 0 within 0m0s; 0. at v0.");
  EXPECT_EQ(numbers, ",118.90,0.97,1,17,3,1");
  EXPECT_EQ(without_numbers("", numbers), "");
}

// Two decisions that differ in numbers only: four phrases (sentence, two parts, a row), each in the file once.
TEST(DecisionPacker, WhatIsTheSameStandsInTheFileOnce) {
  DecisionPacker packer;
  const RunDecisions decisions{
      .made = 5, .every = 3, .kept = {told(0, "80.5", "level x1.4", "12"), told(45, "91.2", "level x1.6", "7")}};
  const Json packed = Json::parse(packer.packed(decisions));
  EXPECT_EQ(packed, Json::parse(R"({"made":5,"every":3,"time":"0,45","told":[
      [0,1,2,3,"80.5,4,80.5,5,1.4,12"],[0,1,2,3,"91.2,4,91.2,5,1.6,7"]]})"));
  EXPECT_EQ(Json::parse(packer.phrases_json()), Json::parse(R"(["demand 0 rps: stay at 0 replicas",
      {"label":"demand","words":"0 rps","note":"","kinds":[],"heads":[]},
      {"label":"candidates","words":"","note":"the others 0 %","kinds":["name","number"],"heads":["","weight"]},
      ["level x0","0 %"]])"));
}

TEST(DecisionPacker, TextsComeBackAsTheyWere) {
  const std::string sentence = "0 of 10 at 00:05, \"level x1.4 held 6m40s\" weighs 007.50 % -> 3..4 and 1.2.3";
  DecisionPacker packer;
  const Json packed =
      Json::parse(packer.packed({.made = 1, .every = 1, .kept = {{.time_s = 0, .sentence = sentence, .parts = {}}}}));
  std::vector<std::string> numbers;
  const std::string all = packed["told"][0].back().get<std::string>();
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find(',', at), all.size());
    numbers.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  EXPECT_EQ(filled(Json::parse(packer.phrases_json())[0], numbers), sentence);
  EXPECT_TRUE(numbers.empty());
}

TEST(DecisionPacker, ARunWithoutDecisionsIsNull) { EXPECT_EQ(DecisionPacker().packed(RunDecisions{}), "null"); }

// Names come from users: a candidate's, an event's, a guard's. The page has three elements of script, all its own.
TEST(DecisionPacker, NoLabelCanCloseItsScript) {
  Comparison comparison = sample_comparison();
  ToldDecision hostile = told(0, "</script><img src=x onerror=alert(1)>", "<!--<script>", "&\"\xFF");
  hostile.sentence = "</script><script>alert(2)</script>";
  comparison.traces[0].runs[0].decisions = {.made = 1, .every = 1, .kept = {hostile}};
  const std::string html = to_html(comparison);
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = html.find(part); at != std::string::npos; at = html.find(part, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<script"), 3u);
  EXPECT_EQ(count("</script"), 3u);
  EXPECT_EQ(count("<img"), 0u);
  EXPECT_EQ(count("<!--"), 0u);
  EXPECT_NE(html.find("\\u003c/script\\u003e\\u003cimg src=x onerror=alert(0)\\u003e rps"), std::string::npos);
}

}  // namespace
}  // namespace mpca::report::internal
