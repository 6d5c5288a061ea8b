#include "lab/measured_run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "report/metrics.h"

namespace mpca::lab {
namespace {

using namespace std::chrono_literals;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Two samples of 10 rps with one replica of 20 rps; ten requests, one of them refused.
MeasuredRun run_of(const std::string& scenario, const std::string& label, int repeat, Duration latency) {
  MeasuredRun run;
  run.scenario = scenario;
  run.policy = run.label = label;
  run.repeat = repeat;
  run.seed = 7;
  run.speed = 8.0;
  run.concurrency = 2;
  run.workload.capacity_rps = 20.0;
  run.demand_rps = {10.0, 10.0};
  run.fleet = {{1, 1, 0}, {2, 1, 5}};
  run.latency_p50_ms = {to_seconds(latency) * 1e3, kNan};
  run.latency_p95_ms = run.latency_p50_ms;
  run.latency_p99_ms = run.latency_p50_ms;
  run.failed_ratio = {0.1, kNan};
  run.phases = {{.length_s = 2.0, .rate_rps = 5.0, .due = 10, .failed = 1, .latency_p50_ms = 1.5}};
  run.counts.due = 10;
  run.counts.succeeded = 9;
  run.counts.by_status[200] = 9;
  run.counts.by_error["connection refused"] = 1;
  run.latency.record(latency, 10);
  run.cautions = {"the machine was 99 % busy over the run"};
  return run;
}

TEST(MeasuredRun, ReadsBackWhatWasWritten) {
  const MeasuredRun run = run_of("spike", "reactive:target=0.6", 2, 120ms);
  const auto again = parse_measured_run(to_json(run), "run.json");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(*again), to_json(run));
  EXPECT_EQ(again->counts, run.counts);
  EXPECT_EQ(again->latency, run.latency);
  EXPECT_TRUE(std::isnan(again->latency_p95_ms[1])) << "no request was due: not a latency of 0";
}

TEST(MeasuredRun, WhatIsNoneIsRefusedWithItsName) {
  EXPECT_EQ(parse_measured_run("{\"format\":\"other\"}", "x.json").error().message, "x.json: not a measured run");
  std::string later = to_json(run_of("spike", "a", 1, 1ms));
  later.replace(later.find("\"version\":1"), 11, "\"version\":9");
  EXPECT_EQ(parse_measured_run(later, "x.json").error().message, "x.json: version is 9; this program reads 1");
  MeasuredRun uneven = run_of("spike", "a", 1, 1ms);
  uneven.demand_rps.push_back(1.0);
  EXPECT_EQ(parse_measured_run(to_json(uneven), "x.json").error().message,
            "x.json: its series are empty or of unequal size");
  EXPECT_FALSE(parse_measured_run("", "x.json"));
}

// By hand: 1 of 10 failed; 1 + 2 spec replicas for a second each are 3 / 3600 h; 5 outstanding in the second sample are
// 3 more than the 2 that one replica works on, and at a speed of 8 they stand for 24.
TEST(MeasuredRun, FiguresOfTheReport) {
  const report::Comparison comparison = to_comparison({run_of("spike", "a", 1, 120ms)});
  ASSERT_EQ(comparison.traces.size(), 1u);
  EXPECT_EQ(comparison.traces[0].name, "spike");
  ASSERT_EQ(comparison.traces[0].runs.size(), 1u);
  const report::RunMetrics& metrics = comparison.traces[0].runs[0].metrics;
  EXPECT_DOUBLE_EQ(metrics.failed_ratio.value(), 0.1);
  EXPECT_NEAR(metrics.request_latency_p95_s.value(), 0.120, 0.001);
  EXPECT_DOUBLE_EQ(metrics.replica_hours, 3.0 / 3600.0);
  EXPECT_EQ(metrics.backlog_max_requests, std::optional(24.0));
  EXPECT_DOUBLE_EQ(metrics.utilization_mean, 0.5);
  EXPECT_EQ(comparison.traces[0].runs[0].measured->cautions.size(), 1u);
  EXPECT_TRUE(comparison.repeated.empty());
  EXPECT_EQ(comparison.notes.size(), 2u) << "how a pod works, and that time was fast";
}

TEST(MeasuredRun, ABlockNeedsAllItsPoliciesAndMediansTakeAllRepeats) {
  const report::Comparison comparison = to_comparison({run_of("spike", "a", 1, 100ms), run_of("spike", "b", 1, 300ms),
                                                       run_of("spike", "a", 2, 200ms), run_of("spike", "a", 3, 900ms)});
  ASSERT_EQ(comparison.traces.size(), 1u) << "b has one repeat";
  EXPECT_EQ(comparison.traces[0].name, "spike, repeat 1");
  ASSERT_EQ(comparison.repeated.size(), 2u);
  EXPECT_EQ(comparison.repeated[0].policy, "a");
  EXPECT_EQ(comparison.repeated[0].repeats, 3);
  for (std::size_t i = 0; i < report::metric_table().size(); ++i) {
    if (report::metric_table()[i].key != "request_latency_p95_s") continue;
    const report::RepeatedFigure& figure = comparison.repeated[0].figures[i].value();
    EXPECT_NEAR(figure.median, 0.2, 0.002);
    EXPECT_NEAR(figure.lowest, 0.1, 0.001);
    EXPECT_NEAR(figure.highest, 0.9, 0.008);
  }
}

// 1000 ms x 2 / 17.5 = 114.3 ms.
TEST(MeasuredRun, APodSleepsConcurrencyByCapacity) {
  EXPECT_EQ(sleep_ms_for(17.5, 2), 114);
  EXPECT_EQ(sleep_ms_for(25.0, 1), 40);
}

}  // namespace
}  // namespace mpca::lab
