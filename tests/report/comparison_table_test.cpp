#include "report/comparison_table.h"

#include <gtest/gtest.h>

#include "report/sample_measured.h"

namespace mpca::report {
namespace {

Comparison step_with_two_policies() {
  Comparison comparison;
  TraceComparison& trace = comparison.traces.emplace_back();
  trace.name = "step";
  trace.runs.reserve(2);  // `mpc` below stays where it is
  PolicyRun& mpc = trace.runs.emplace_back();
  mpc.policy = "lab-mpc";
  mpc.metrics.duration_s = 900;
  mpc.metrics.replica_hours = 0.75;
  mpc.metrics.mean_replicas = 3;
  mpc.metrics.max_replicas = 5;
  mpc.metrics.replica_churn = 6;
  mpc.metrics.violation_ratio = 0.05;
  PolicyRun& hpa = trace.runs.emplace_back();
  hpa.policy = "lab-hpa";
  hpa.metrics = mpc.metrics;
  hpa.metrics.replica_hours = 1.0;
  hpa.metrics.mean_replicas = 4;
  hpa.metrics.violation_ratio = 0.025;
  return comparison;
}

std::string line_with(const std::string& text, const std::string& start) {
  const std::size_t at = text.find("\n" + start);
  if (at == std::string::npos) return "(no such line)";
  return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

TEST(ComparisonText, AlignsValuesAndMarksTheBest) {
  const std::string text = to_text(step_with_two_policies());
  EXPECT_EQ(line_with(text, "step"), "step                          lab-mpc    lab-hpa");
  EXPECT_EQ(line_with(text, "time over"), "time over target [%]             5.00       2.50 *");
  EXPECT_EQ(line_with(text, "replica-h"), "replica-hours [h]                0.75 *     1.00");
  EXPECT_EQ(line_with(text, "replica c"), "replica churn                       6          6");
}

TEST(ComparisonText, BeginsWithTheVerdict) {
  EXPECT_EQ(to_text(step_with_two_policies()).find("On step, it is a trade-off: lab-hpa"), 0u);
}

TEST(ComparisonText, LeavesOutWhatTheWorldDoesNotKnow) {
  Comparison comparison = step_with_two_policies();
  EXPECT_EQ(to_text(comparison).find("latency"), std::string::npos);
  comparison.traces[0].runs[0].metrics.latency_p95_s = 0.0546;
  EXPECT_EQ(line_with(to_text(comparison), "p95 latency"), "p95 latency by period [ms]       54.6        n/a");
}

TEST(ComparisonText, ControlCharactersOfANameDoNotReachTheTerminal) {
  Comparison comparison = step_with_two_policies();
  comparison.traces[0].name = "st\x1b[31mep";
  EXPECT_EQ(to_text(comparison).find('\x1b'), std::string::npos);
}

TEST(ComparisonText, AMeasuredRunHasItsRequestsAndPhases) {
  const std::string text = to_text(sample_measured());
  EXPECT_EQ(text.find("Note: Measured, not simulated: every pod is a process, every request was sent.\n"), 0u);
  EXPECT_EQ(line_with(text, "requests failed"), "requests failed [%]              0.10 *     3.20");
  EXPECT_EQ(line_with(text, "p95 latency"), "p95 latency [ms]               2425.0 *   3775.0");
  EXPECT_EQ(text.find("by period"), std::string::npos);
  EXPECT_EQ(line_with(text, "from 2 min,"),
            "from 2 min, 1 min at 200 requests/s  2.42 s / 3.40 s, 0.2% failed *  3.77 s / 5.29 s, 6.4% failed");
  EXPECT_EQ(text.find("CAUTION"), std::string::npos);
}

TEST(ComparisonText, CautionsStandUnderTheirVerdict) {
  const std::string text = to_text(sample_measured(1, true));
  EXPECT_NE(text.find("\nNot to be trusted, see the cautions on lab-hpa. On spike, "), std::string::npos);
  EXPECT_EQ(line_with(text, "CAUTION").find("CAUTION, lab-hpa: The load generator was late"), 0u);
}

TEST(ComparisonText, RepeatsComeBeforeTheSingleRuns) {
  const std::string text = to_text(sample_measured(3));
  EXPECT_LT(text.find("Medians of 3 repeats"), text.find("On spike, repeat 1,"));
  EXPECT_EQ(line_with(text, "p95 latency"),
            "p95 latency [ms]                 2605.0 (2425.0–2785.0) *     3955.0 (3775.0–4135.0)");
  EXPECT_NE(text.find("\nIn the medians of 3 repeats, it is a trade-off: lab-mpc served users better ("),
            std::string::npos);
}

TEST(SummaryCsv, HasARowPerTraceAndPolicyWithExactValues) {
  EXPECT_EQ(summary_csv(step_with_two_policies()),
            "trace,policy,violation_ratio,unserved_ratio,shortfall_replicas_mean,backlog_max_requests,latency_p95_s,"
            "replica_hours,mean_replicas,max_replicas,replica_churn,utilization_mean,utilization_p95,duration_s\n"
            "step,lab-mpc,0.05,0,0,0,,0.75,3,5,6,0,0,900\n"
            "step,lab-hpa,0.025,0,0,0,,1,4,5,6,0,0,900\n");
}

TEST(SummaryCsv, QuotesWhatNeedsIt) {
  Comparison comparison = step_with_two_policies();
  comparison.traces[0].runs[0].policy = "reactive:target=0.7,hold=120s";
  comparison.traces[0].name = "a \"b\"";
  EXPECT_NE(summary_csv(comparison).find("\n\"a \"\"b\"\"\",\"reactive:target=0.7,hold=120s\",0.05,"),
            std::string::npos);
}

}  // namespace
}  // namespace mpca::report
