#include "report/backtest_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "report/sample_backtest.h"

namespace mpca::report {
namespace {

TEST(BacktestTable, BeginsWithTheVerdictAndEndsWithTheMedians) {
  const std::string text = to_text(sample_backtest());
  EXPECT_LT(text.find("against the HPA tuned in hindsight at 1% violations.\n"), text.find("nasa-http: "));
  EXPECT_LT(text.find("azure-functions: "), text.find("Medians over 4 traces"));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(text.find(" \n"), std::string::npos);
}

TEST(BacktestTable, SavingsHaveTheirIntervals) {
  BacktestReport report = sample_backtest({1, {"reactive:sweep", "hpa:sweep"}, 13, 5});
  report.comparisons[1].saving_hindsight = Interval{0.0912, 0.08, 0.1};
  EXPECT_NE(to_text(report).find("9.1% [8.0%, 10.0%]"), std::string::npos) << to_text(report);
}

TEST(BacktestTable, WhatIsNotReachedIsSaidAndNamesCannotDrive) {
  BacktestReport report = nasty_backtest();
  report.traces[1].name = "esc\x1b[31m";
  const std::string text = to_text(report);
  EXPECT_NE(text.find("not reached"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(BacktestTable, NothingComparedIsSaid) {
  BacktestReport report;
  report.traces.emplace_back().name = "a";
  EXPECT_NE(to_text(report).find("nothing to compare with"), std::string::npos);
}

TEST(BacktestTable, RowsAsCsvHaveALinePerRunAndAColumnPerHeading) {
  const BacktestReport report = sample_backtest({1, {"reactive:sweep", "clairvoyant"}, 3, 2});
  const std::string csv = rows_csv(report);
  ASSERT_EQ(std::count(csv.begin(), csv.end(), '\n'), 13);  // 2 families x 3 members x 2 seeds, and the head
  const std::string head = csv.substr(0, csv.find('\n'));
  const std::string last = csv.substr(csv.rfind('\n', csv.size() - 2) + 1);
  EXPECT_EQ(std::count(head.begin(), head.end(), ','), std::count(last.begin(), last.end(), ','));
  EXPECT_EQ(head.find("trace,policy,seed,"), 0u);
}

}  // namespace
}  // namespace mpca::report
