#include "load/load_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/random.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

// 5 due at 0, 1, 2, 3, 4 s: four answers after 10, 20, 30 and 40 ms, one of them a 503, and a timeout after 1 s; the
// last ends at 5 s. By hand: rate 5 / 4 s, throughput 3 / 5 s, mean (0.01 + 0.02 + 0.03 + 0.04 + 1) / 5 = 220 ms.
PhaseResult one_phase() {
  PhaseResult phase;
  phase.planned_length = 5s;
  phase.last_due = 4s;
  phase.last_end = 5s;
  phase.counts.due = 5;
  phase.counts.succeeded = 3;
  phase.counts.by_status = {{200, 3}, {503, 1}};
  phase.counts.by_error = {{"timeout", 1}};
  for (const Duration latency : {Duration(10ms), Duration(20ms), Duration(30ms), Duration(40ms), Duration(1s)}) {
    phase.latency.record(latency);
  }
  phase.bytes_in = 40;
  phase.bytes_out = 10;
  return phase;
}

TEST(LoadReport, TheTextHasVegetasLayout) {
  EXPECT_EQ(text_report({one_phase()}),
            "Requests      [total, rate, throughput]         5, 1.25, 0.60\n"
            "Duration      [total, attack, wait]             5s, 4s, 1s\n"
            "Latencies     [min, mean, 50, 90, 95, 99, max]  10ms, 220ms, 30.015ms, 1s, 1s, 1s, 1s\n"
            "Bytes In      [total, mean]                     40, 8.00\n"
            "Bytes Out     [total, mean]                     10, 2.00\n"
            "Success       [ratio]                           60.00%\n"
            "Status Codes  [code:count]                      0:1  200:3  503:1  \n"
            "Error Set:\n"
            "503 Service Unavailable\n"
            "timeout\n");
}

TEST(LoadReport, EachPhaseIsABlock) {
  const std::string text = text_report({one_phase(), PhaseResult{}});
  EXPECT_NE(text.find("\ntimeout\n\nRequests      [total, rate, throughput]         0, 0.00, 0.00\n"),
            std::string::npos);
  EXPECT_NE(text.find("0s, 0s, 0s, 0s, 0s, 0s, 0s\n"), std::string::npos);
}

// vegeta's own examples of how it prints.
TEST(LoadReport, DurationsAreWrittenAsGoDoes) {
  EXPECT_EQ(go_duration(0s), "0s");
  EXPECT_EQ(go_duration(15ns), "15ns");
  EXPECT_EQ(go_duration(1500ns), "1.5\u00b5s");
  EXPECT_EQ(go_duration(145'082us), "145.082ms");
  EXPECT_EQ(go_duration(10'095ms), "10.095s");
  EXPECT_EQ(go_duration(5min), "5m0s");
  EXPECT_EQ(go_duration(1h + 3s), "1h0m3s");
}

TEST(LoadReport, TheJsonHasVegetasKeysAndTheAccount) {
  SelfAudit audit;
  audit.findings = {"requests were sent late"};
  const auto json = nlohmann::json::parse(json_report({one_phase()}, at_seconds(1'700'000'000), &audit));
  EXPECT_EQ(json["latencies"]["mean"], 220'000'000);
  EXPECT_EQ(json["latencies"]["max"], 1'000'000'000);
  EXPECT_EQ(json["duration"], 4'000'000'000);
  EXPECT_EQ(json["wait"], 1'000'000'000);
  EXPECT_EQ(json["requests"], 5);
  EXPECT_EQ(json["rate"], 1.25);
  EXPECT_EQ(json["throughput"], 0.6);
  EXPECT_EQ(json["success"], 0.6);
  EXPECT_EQ(json["status_codes"], (nlohmann::json{{"0", 1}, {"200", 3}, {"503", 1}}));
  EXPECT_EQ(json["errors"], (nlohmann::json{"503 Service Unavailable", "timeout"}));
  EXPECT_EQ(json["earliest"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json["loadgen"]["failed"], 2);
  EXPECT_EQ(json["loadgen"]["errors"]["timeout"], 1);
  EXPECT_EQ(json["loadgen"]["client_limited"], true);
}

TEST(LoadReport, ThePercentileListingEndsWithAllOfThem) {
  const std::string text = hdr_report({one_phase()});
  EXPECT_TRUE(
      text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
                       "      10.027 0.000000000000          1           1.00\n"))
      << text;
  EXPECT_NE(text.find("    1000.000 1.000000000000          5\n#[Mean    =      220.000, StdDeviation   = "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Total count    =            5]\n"), std::string::npos);
}

TEST(LoadReport, TheSeriesHasARowPerInterval) {
  LoadResult result;
  result.intervals.resize(2);
  result.intervals[0].counts = one_phase().counts;
  result.intervals[0].latency = one_phase().latency;
  result.intervals[1].start = 1s;
  EXPECT_EQ(series_csv(result),
            "start_s,due,succeeded,failed,cancelled,p50_ms,p95_ms,p99_ms,max_ms\n"
            "0,5,3,2,0,30.015,1000.000,1000.000,1000.000\n"
            "1,0,0,0,0,,,,\n");
}

TEST(LoadReport, ResultsReadBackAndMergeAsIfOneClientHadSentThemAll) {
  const std::vector<PhaseResult> one = {one_phase()};
  auto read = parse_results(results_text(one));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(results_text(*read), results_text(one));
  PhaseResult later = one_phase();
  later.first_due = 1s;
  later.last_due = 8s;
  later.last_end = 10s;
  merge_results(*read, {later, one_phase()});
  ASSERT_EQ(read->size(), 2u);
  const PhaseResult& merged = (*read)[0];
  EXPECT_EQ(merged.counts.due, 10u);
  EXPECT_EQ(merged.counts.by_status.at(200), 6u);
  EXPECT_EQ(merged.latency.count(), 10u);
  EXPECT_EQ(merged.first_due, 0s);
  EXPECT_EQ(merged.last_end, 10s);
  EXPECT_EQ(merged.bytes_in, 80u);
}

TEST(LoadReport, ResultsThatDoNotAddUpAreRefusedWithTheirLine) {
  const std::string good = results_text({one_phase()});
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const auto read = parse_results(text);
    return read ? "read" : read.error().message;
  };
  EXPECT_EQ(refusal("results 1", "results 2"), "line 1: must be \"loadgen-results 1\"");
  EXPECT_EQ(refusal("due 5", "due 6"), "line 10: due is not the sum of what became of the requests");
  EXPECT_EQ(refusal("status 3 200", "status 3 2000"), "line 8: a status must be >= 100 and <= 999");
  EXPECT_EQ(refusal("count 5", "count 6"), "in the histogram from line 11 on: line 10: the counts add up to 5, not 6");
  EXPECT_EQ(refusal("\nend\n", "\n"), "line 22: the phase has no `end`");
}

}  // namespace
}  // namespace mpca::load
