#include "report/vegeta_report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mpca::report {
namespace {

// As vegeta 12 prints it, one phase.
const std::string kBlock =
    "Requests      [total, rate, throughput]         6000, 20.00, 19.99\n"
    "Duration      [total, attack, wait]             5m0s, 5m0s, 21.4ms\n"
    "Latencies     [min, mean, 50, 90, 95, 99, max]  20.1ms, 23.4ms, 23.2ms, 25.8ms, 26.6ms, 31ms, 90.2ms\n"
    "Bytes In      [total, mean]                     234000, 39.00\n"
    "Bytes Out     [total, mean]                     0, 0.00\n"
    "Success       [ratio]                           98.50%\n"
    "Status Codes  [code:count]                      200:5910  500:90\n"
    "Error Set:\n"
    "500 Internal Server Error\n";

const VegetaPhase kFirst = {.phase = 1,
                            .throughput_rps = "19.99",
                            .p95 = "26.6ms",
                            .p99 = "31ms",
                            .max = "90.2ms",
                            .success_ratio_pct = "98.50"};

VegetaPhase numbered(VegetaPhase phase, int number) {
  phase.phase = number;
  return phase;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(VegetaReport, ABlockIsReadByTheLabelsAboveItsValues) {
  const VegetaReport report = parse_vegeta_report(kBlock);
  EXPECT_EQ(report.blocks, 1);
  EXPECT_EQ(report.phases, std::vector{kFirst});
}

TEST(VegetaReport, BlocksAreCountedFromOne) {
  const VegetaReport report = parse_vegeta_report(kBlock + "\n" + kBlock + kBlock);
  EXPECT_EQ(report.blocks, 3);
  EXPECT_EQ(report.phases, (std::vector{kFirst, numbered(kFirst, 2), numbered(kFirst, 3)}));
}

TEST(VegetaReport, ABlockWithoutAllThreeLinesIsSkippedAndStillCounted) {
  for (const std::string line : {"Latencies ", "Success "}) {
    const VegetaReport report = parse_vegeta_report(replaced(kBlock, line, "Nothing ") + kBlock);
    EXPECT_EQ(report.blocks, 2) << line;
    EXPECT_EQ(report.phases, std::vector{numbered(kFirst, 2)}) << line;
  }
}

TEST(VegetaReport, ValuesThatAreNoNumbersMakeABlockIncomplete) {
  for (const auto& [from, to] :
       {std::pair{"19.99", "NaN"}, {"26.6ms", "26.6 parsecs"}, {"31ms", ""}, {"98.50%", "98.50"}, {"98.50%", "inf%"}}) {
    const VegetaReport report = parse_vegeta_report(replaced(kBlock, from, to));
    EXPECT_EQ(report.blocks, 1) << to;
    EXPECT_TRUE(report.phases.empty()) << from << " -> " << to;
  }
}

TEST(VegetaReport, ALineOfALaterBlockDoesNotCompleteAnEarlierOne) {
  const std::string requests_only = kBlock.substr(0, kBlock.find('\n') + 1);
  EXPECT_EQ(parse_vegeta_report(requests_only + kBlock).phases, std::vector{numbered(kFirst, 2)});
}

TEST(VegetaReport, FurtherColumnsAndOtherOrdersDoNoHarm) {
  std::string text = replaced(kBlock, "[total, rate, throughput]         6000, 20.00, 19.99",
                              "[rate, throughput, total, shape] 20.00, 19.99, 6000, flat");
  text = replaced(text, "[min, mean, 50, 90, 95, 99, max]  20.1ms, 23.4ms, 23.2ms, 25.8ms, 26.6ms, 31ms, 90.2ms",
                  "[mean, 50, 95, 99, 99.9, max] 23.4ms, 23.2ms, 26.6ms, 31ms, 60ms, 90.2ms");
  EXPECT_EQ(parse_vegeta_report(text).phases, std::vector{kFirst});
}

TEST(VegetaReport, WindowsLineEndsAndIndentationAreFine) {
  std::string text;
  for (const char c : kBlock) text += c == '\n' ? std::string("\r\n  ") : std::string(1, c);
  EXPECT_EQ(parse_vegeta_report(text).phases, std::vector{kFirst});
}

TEST(VegetaReport, TextBeforeTheFirstBlockIsIgnored) {
  EXPECT_EQ(parse_vegeta_report("Success [ratio] 1%\nstarting phase 0\n" + kBlock).phases, std::vector{kFirst});
}

TEST(VegetaReport, NothingAndGarbageGiveNoPhases) {
  EXPECT_EQ(parse_vegeta_report("").blocks, 0);
  EXPECT_EQ(parse_vegeta_report("Requests\nRequests [\nRequests ]\nLatencies [95] 3ms").blocks, 0);
  EXPECT_EQ(parse_vegeta_report(std::string("\0\xFF[,]\nRequests [,,]", 19)).blocks, 1);
}

TEST(VegetaReport, ATornLastLineDoesNotSpoilTheBlocksBefore) {
  const std::string torn = kBlock + kBlock.substr(0, 150);
  EXPECT_EQ(parse_vegeta_report(torn).phases, std::vector{kFirst});
}

TEST(LatencyMs, GoPrintsEveryUnitAndCombinations) {
  EXPECT_EQ(latency_ms("25.3ms"), 25.3);
  EXPECT_EQ(latency_ms("600us"), 0.6);
  EXPECT_EQ(latency_ms("600\u00B5s"), 0.6);  // micro sign
  EXPECT_EQ(latency_ms("600\u03BCs"), 0.6);  // Greek mu
  EXPECT_EQ(latency_ms("950ns"), 0.00095);
  EXPECT_EQ(latency_ms("1.204s"), 1204.0);
  EXPECT_EQ(latency_ms("2m"), 120'000.0);
  EXPECT_EQ(latency_ms("1m2.5s"), 62'500.0);
  EXPECT_EQ(latency_ms("1h0m3s"), 3'603'000.0);
  EXPECT_EQ(latency_ms(" 0s "), 0.0);
}

TEST(LatencyMs, AnythingElseIsNoLatency) {
  for (const std::string text :
       {"", "ms", "5", "-5ms", "1.2.3ms", "5 ms", "5msx", "nan", "infs", "5parsecs", "1e3ms"}) {
    EXPECT_FALSE(latency_ms(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace mpca::report
