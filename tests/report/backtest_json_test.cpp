#include "report/backtest_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "report/sample_backtest.h"

namespace mpca::report {
namespace {

BacktestRow row_of(const std::string& policy, std::uint64_t seed, double cost, double violation_ratio) {
  BacktestRow row;
  row.trace = "a";
  row.policy = policy;
  row.seed = seed;
  row.demand_replica_seconds = 1000.0;
  row.whole.replica_seconds = 1000.0 * cost;
  row.whole.requests = 1000.0;
  row.whole.late = 1000.0 * violation_ratio;
  return row;
}

TEST(BacktestJson, HasTheFormatTheRowsAndTheComparisons) {
  const BacktestReport report = sample_backtest();
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["format"], "mpca-backtest-1");
  EXPECT_EQ(json["preset"], "standard");
  ASSERT_EQ(json["rows"].size(), report.rows.size());
  ASSERT_EQ(json["comparison"].size(), report.comparisons.size());
  for (const char* field : {"trace", "policy", "seed", "replica_seconds", "relative_cost", "violation_ratio", "p95_ms",
                            "p99_ms", "churn", "regret"})
    EXPECT_TRUE(json["rows"][0].contains(field)) << field;
  for (const char* field :
       {"trace", "violation_ratio", "policy_name", "policy_cost", "hpa_hindsight_cost", "hpa_first_half_cost",
        "clairvoyant_cost", "saving_hindsight", "saving_first_half", "gap_closed", "bill"})
    EXPECT_TRUE(json["comparison"][0].contains(field)) << field;
  for (const char* price : {"3", "10", "30", "100"})
    for (const char* field : {"policy", "hpa_hindsight", "hpa_first_half", "hpa60", "clairvoyant"})
      EXPECT_TRUE(json["comparison"][0]["bill"][price].contains(field)) << price << " " << field;
}

TEST(BacktestJson, NumbersReadBackExactly) {
  const BacktestReport report = sample_backtest();
  const auto json = nlohmann::json::parse(to_json(report));
  for (std::size_t i = 0; i < report.rows.size(); i += 17) {
    EXPECT_EQ(json["rows"][i]["relative_cost"].get<double>(), report.rows[i].relative_cost());
    EXPECT_EQ(json["rows"][i]["violation_ratio"].get<double>(), report.rows[i].violation_ratio());
  }
  const LevelComparison& one = report.comparisons[2];
  EXPECT_EQ(json["comparison"][2]["saving_hindsight"].get<double>(), one.saving_hindsight->value);
  EXPECT_EQ(json["comparison"][2]["saving_hindsight_interval"][1].get<double>(), *one.saving_hindsight->high);
}

// J(10): the clairvoyant 1.2 + 10 x 0.01 = 1.3 and 1.4 + 0 = 1.4, so 1.3; reactive 1.6 + 10 x 0.02 = 1.8.
TEST(BacktestJson, RegretIsAgainstTheBestForesightOfTheSameTraceAndSeed) {
  BacktestReport report;
  report.rows = {row_of("reactive", 1, 1.6, 0.02), row_of("clairvoyant:price=3", 1, 1.2, 0.01),
                 row_of("clairvoyant", 1, 1.4, 0.0), row_of("reactive", 2, 1.6, 0.02)};
  const auto regret = regrets(report);
  EXPECT_NEAR(regret[0].value(), 0.5, 1e-12);
  EXPECT_EQ(regret[1], 0.0);
  EXPECT_NEAR(regret[2].value(), 0.1, 1e-12);
  EXPECT_FALSE(regret[3].has_value());
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["rows"][3]["regret"], nullptr);
}

TEST(BacktestJson, WhatIsMissingOrNotANumberIsNull) {
  BacktestReport report = nasty_backtest();
  report.rows[0].p95_ms = std::numeric_limits<double>::infinity();
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["rows"][0]["p95_ms"], nullptr);
  for (const char* field : {"policy_cost", "hpa_hindsight_cost", "hpa_first_half_cost", "clairvoyant_cost",
                            "saving_hindsight", "saving_hindsight_interval", "gap_closed"})
    EXPECT_EQ(json["comparison"][0][field], nullptr) << field;
}

TEST(BacktestJson, NothingIsStillADocument) {
  const auto json = nlohmann::json::parse(to_json(BacktestReport{}));
  EXPECT_TRUE(json["rows"].empty());
  EXPECT_TRUE(json["comparison"].empty());
}

}  // namespace
}  // namespace mpca::report
