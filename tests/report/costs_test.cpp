#include "report/costs.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mpca::report {
namespace {

using runlog::ControlSample;
using runlog::ReplicaSample;
using runlog::RunDirectory;

std::string data(const std::string& path) { return std::string(MPCA_TEST_DATA "/runs/") + path; }

RunUsage usage_of(const std::string& path, Controller controller) {
  const auto run = runlog::read_run_directory(data(path));
  EXPECT_TRUE(run.has_value()) << (run ? "" : run.error().message);
  if (!run) return {};
  const auto usage = usage_of_run(*run, controller);
  EXPECT_TRUE(usage.has_value()) << (usage ? "" : usage.error().message);
  return usage.value_or(RunUsage{});
}

std::string reason_for_leaving_out(const RunDirectory& run, Controller controller) {
  const auto usage = usage_of_run(run, controller);
  if (usage) return "not left out";
  EXPECT_EQ(usage.error().code, ErrorCode::not_enough_data);
  return usage.error().message;
}

RunDirectory hpa_run(std::vector<ReplicaSample> samples, Duration phase) {
  RunDirectory run;
  run.path = "runs/target_70/step/r1";
  run.phases = {{.phase_idx = 0, .duration = phase, .rate_rps = 20.0}};
  run.replica_watch = std::move(samples);
  return run;
}

ControlSample applied(double elapsed_s, double replicas) {
  ControlSample sample;
  sample.elapsed_s = elapsed_s;
  sample.applied_replicas = replicas;
  return sample;
}

std::string block(const std::string& p95, const std::string& p99, const std::string& success) {
  return "Requests [total, rate, throughput] 1, 2, 3\nLatencies [95, 99, max] " + p95 + ", " + p99 +
         ", 9s\nSuccess [ratio] " + success + "\n";
}

// Three phases of 300 s. Samples 4 at 5 s, 5 at 300 s, (nothing at 315 s), 4 at 480 s, 12 at 915 s, which is after the
// end. 4 x 300 + 5 x 180 + 4 x 420 = 3780 replica-seconds over 900 s = 4.2; largest 5; changes 1 + 1. Focus of step is
// the second phase.
TEST(Costs, AnHpaRunIsReadOffItsReplicaWatch) {
  const RunUsage usage = usage_of("hpa/target_60/step/20260101-000000", Controller::hpa);
  EXPECT_EQ(usage.target, "60");
  EXPECT_EQ(usage.scenario, "step");
  EXPECT_EQ(usage.duration_s, 900.0);
  EXPECT_DOUBLE_EQ(usage.mean_replicas, 4.2);
  EXPECT_EQ(usage.max_replicas, 5.0);
  EXPECT_EQ(usage.replica_churn, 2.0);
  EXPECT_EQ(usage.focus_p95_ms, 54.6);
  EXPECT_EQ(usage.focus_p99_ms, 75.9);
  EXPECT_EQ(usage.success_pct, 99.02);
}

// No phases: 06:30 from start to finish. No spec_replicas column: ready 2 for 195 s, 8 for 195 s. The folder says 100
// %.
TEST(Costs, DurationReplicasAndTargetHaveSecondSources) {
  const RunUsage usage = usage_of("hpa/target_100/spike/20260102-000000", Controller::hpa);
  EXPECT_EQ(usage.target, "100");
  EXPECT_EQ(usage.duration_s, 390.0);
  EXPECT_DOUBLE_EQ(usage.mean_replicas, 5.0);
  EXPECT_EQ(usage.max_replicas, 8.0);
  EXPECT_EQ(usage.replica_churn, 6.0);
  EXPECT_FALSE(usage.focus_p95_ms.has_value());
  EXPECT_FALSE(usage.success_pct.has_value());
}

// Two phases of 30 s, applied 4, 6, 6, 5 from 0, 15, 30, 45 s: (4 + 6 + 6 + 5) x 15 / 60 = 5.25.
// Seasonality: the worst p95 is the first phase's, the smallest success ratio the second's.
TEST(Costs, AnMpcRunIsReadOffItsControlLog) {
  const RunUsage usage = usage_of("mpc/seasonality/a", Controller::hybrid);
  EXPECT_EQ(usage.target, "final");
  EXPECT_EQ(usage.duration_s, 60.0);
  EXPECT_DOUBLE_EQ(usage.mean_replicas, 5.25);
  EXPECT_EQ(usage.max_replicas, 6.0);
  EXPECT_EQ(usage.replica_churn, 3.0);
  EXPECT_EQ(usage.focus_p95_ms, 88.0);
  EXPECT_EQ(usage.focus_p99_ms, 101.0);
  EXPECT_EQ(usage.success_pct, 97.25);
}

// The log has a header only. A report of one block covers the whole run, also for step.
TEST(Costs, AnEmptyControlLogFallsBackToTheSummary) {
  const RunUsage usage = usage_of("mpc/step/b", Controller::hybrid);
  EXPECT_EQ(usage.duration_s, 3600.0);
  EXPECT_EQ(usage.mean_replicas, 6.65);
  EXPECT_EQ(usage.max_replicas, 11.0);
  EXPECT_EQ(usage.replica_churn, 18.0);
  EXPECT_EQ(usage.focus_p95_ms, 0.6);
  EXPECT_EQ(usage.focus_p99_ms, 1.5);
}

TEST(Costs, ARunThatCannotBeCostedIsLeftOutWithItsReason) {
  const auto zero = runlog::read_run_directory(data("mpc/spike/zero"));
  ASSERT_TRUE(zero.has_value());
  EXPECT_EQ(reason_for_leaving_out(*zero, Controller::hybrid),
            data("mpc/spike/zero") + " is left out: 0 replicas throughout");
  RunDirectory run;
  run.path = "runs/step/r1";
  EXPECT_EQ(reason_for_leaving_out(run, Controller::hpa),
            "runs/step/r1 is left out: no duration, neither planned phases nor start and finish times");
  run.phases = {{.phase_idx = 0, .duration = std::chrono::seconds(60), .rate_rps = 20.0}};
  EXPECT_EQ(reason_for_leaving_out(run, Controller::hpa),
            "runs/step/r1 is left out: no replica sample within its duration in replica-watch.csv");
  EXPECT_EQ(reason_for_leaving_out(run, Controller::hybrid),
            "runs/step/r1 is left out: no replica sample within its duration in mpc-control-log.csv, and no "
            "control-summary.csv");
}

TEST(Costs, ATimeThatGoesBackwardsFromStartToFinishIsNoDuration) {
  RunDirectory run = hpa_run({{0.0, 2.0, 2.0}}, Duration{0});
  run.phases.clear();
  run.meta.started_at = at_seconds(100);
  run.meta.finished_at = at_seconds(40);
  EXPECT_NE(reason_for_leaving_out(run, Controller::hpa), "not left out");
}

TEST(Costs, SamplesAfterTheEndDoNotCountAtAll) {
  // 2 from 0, 4 from 30 s, to 60 s: mean 3. The 50 at 61 s is over; a sample at the very end still shows in the
  // maximum.
  const auto usage = usage_of_run(hpa_run({{0, 2, 2}, {30, 4, 4}, {60, 5, 5}, {61, 50, 50}}, std::chrono::seconds(60)),
                                  Controller::hpa);
  ASSERT_TRUE(usage.has_value());
  EXPECT_DOUBLE_EQ(usage->mean_replicas, 3.0);
  EXPECT_EQ(usage->max_replicas, 5.0);
  EXPECT_EQ(usage->replica_churn, 3.0);
  EXPECT_NE(reason_for_leaving_out(hpa_run({{61, 50, 50}}, std::chrono::seconds(60)), Controller::hpa), "not left out");
}

TEST(Costs, SamplesOutOfOrderAreSortedByTime) {
  const auto usage = usage_of_run(hpa_run({{30, 4, 4}, {0, 2, 2}}, std::chrono::seconds(60)), Controller::hpa);
  ASSERT_TRUE(usage.has_value());
  EXPECT_DOUBLE_EQ(usage->mean_replicas, 3.0);
  EXPECT_EQ(usage->replica_churn, 2.0);
}

TEST(Costs, AFieldThatIsMissingLetsThePreviousSampleHold) {
  // spec 2 until 40 s; at 20 s nothing is known; at 40 s only ready is: 2 x 40 + 8 x 20 = 240 over 60 s.
  const auto usage = usage_of_run(
      hpa_run({{0, 2, 2}, {20, std::nullopt, std::nullopt}, {40, std::nullopt, 8}}, std::chrono::seconds(60)),
      Controller::hpa);
  ASSERT_TRUE(usage.has_value());
  EXPECT_DOUBLE_EQ(usage->mean_replicas, 4.0);
}

TEST(Costs, TheMetaWinsOverTheFoldersNames) {
  RunDirectory run = hpa_run({{0, 2, 2}}, std::chrono::seconds(60));
  EXPECT_EQ(usage_of_run(run, Controller::hpa)->target, "70");
  EXPECT_EQ(usage_of_run(run, Controller::hpa)->scenario, "step");
  run.meta.hpa_target_average_utilization = "150";
  run.meta.scenario = "spike";
  EXPECT_EQ(usage_of_run(run, Controller::hpa)->target, "150");
  EXPECT_EQ(usage_of_run(run, Controller::hpa)->scenario, "spike");
  run.meta.hpa_target_average_utilization = "";
  run.path = "runs/target_best/step/r1";
  EXPECT_EQ(usage_of_run(run, Controller::hpa)->target, "unknown");
}

TEST(FocusPhase, OfStepAndSpikeIsTheSecondAndNeverAnother) {
  const std::string calm_jump_calm =
      block("10ms", "20ms", "100%") + block("1.5s", "2s", "98%") + block("3s", "4s", "50%");
  for (const std::string scenario : {"step", "spike"}) {
    const auto focus = focus_phase(parse_vegeta_report(calm_jump_calm), scenario);
    ASSERT_TRUE(focus.has_value());
    EXPECT_EQ(focus->p95_ms, 1500.0);
    EXPECT_EQ(focus->success_pct, 98.0);
  }
  // The jump's own block is broken: the calm phases must not answer for it.
  const std::string jump_lost = block("10ms", "20ms", "100%") + block("?", "2s", "98%") + block("3s", "4s", "50%");
  EXPECT_FALSE(focus_phase(parse_vegeta_report(jump_lost), "step").has_value());
}

TEST(FocusPhase, OfOtherScenariosIsTheWorstLatencyWithTheSmallestSuccess) {
  const auto focus = focus_phase(
      parse_vegeta_report(block("10ms", "20ms", "97%") + block("1.5s", "2s", "98%") + block("3ms", "4s", "99%")),
      "seasonality");
  ASSERT_TRUE(focus.has_value());
  EXPECT_EQ(focus->p95_ms, 1500.0);
  EXPECT_EQ(focus->p99_ms, 2000.0);
  EXPECT_EQ(focus->success_pct, 97.0);
  EXPECT_FALSE(focus_phase(parse_vegeta_report("garbage"), "seasonality").has_value());
}

TEST(Costs, YandexNeedsBothItsPrices) {
  EXPECT_EQ(providers(0, 0).size(), 2U);
  EXPECT_EQ(providers(1.2, 0).size(), 2U);
  ASSERT_EQ(providers(1.2, 0.3).size(), 3U);
  EXPECT_EQ(providers(1.2, 0.3)[2].name, "yandex_compute_custom_rub");
  EXPECT_EQ(providers(1.2, 0.3)[2].currency, "RUB");
}

// 4.2 replicas for 900 s: 1.05 replica-hours = 0.105 vCPU-hours, 0.065625 GiB-hours.
// Fargate: 0.000011244 x 3600 = 0.0404784 a vCPU-hour, 0.000001235 x 3600 = 0.004446 a GiB-hour:
//   0.105 x 0.0404784 + 0.065625 x 0.004446 = 0.004250232 + 0.00029176875 = 0.00454200075; x 4 an hour = 0.018168003.
// Autopilot: 0.105 x 0.0445 + 0.065625 x 0.0049225 = 0.0046725 + 0.0003230390625 = 0.0049955390625; x 4 =
// 0.01998215625. Yandex at 1.2 and 0.3: 0.126 + 0.0196875 = 0.1456875; x 4 = 0.58275.
TEST(Costs, RowsHaveEveryProviderAndTheLabsDecimals) {
  RunUsage run = usage_of("hpa/target_60/step/20260101-000000", Controller::hpa);
  run.run_dir = "runs/a, b";
  EXPECT_EQ(
      cost_rows_csv({&run, 1}, providers(1.2, 0.3)),
      "provider,currency,controller,target,scenario,run_dir,duration_s,avg_replicas,max_replicas,replica_variation,"
      "vcpu_hours,mem_gib_hours,cost,cost_per_hour,focus_p95_ms,focus_p99_ms,success_pct\n"
      "aws_fargate_us_east_1,USD,hpa,60,step,\"runs/a, b\",900,4.200,5,2.000,0.105000,0.065625,0.00454200,0.01816800,"
      "54.600,75.900,99.020\n"
      "gke_autopilot_us_central1,USD,hpa,60,step,\"runs/a, b\",900,4.200,5,2.000,0.105000,0.065625,0.00499554,"
      "0.01998216,54.600,75.900,99.020\n"
      "yandex_compute_custom_rub,RUB,hpa,60,step,\"runs/a, b\",900,4.200,5,2.000,0.105000,0.065625,0.14568750,"
      "0.58275000,54.600,75.900,99.020\n");
}

TEST(Costs, WithoutAReportTheLatenciesAreEmpty) {
  const RunUsage run = usage_of("hpa/target_100/spike/20260102-000000", Controller::hpa);
  const std::string csv = cost_rows_csv({&run, 1}, providers(0, 0));
  EXPECT_TRUE(csv.ends_with(",,,\n")) << csv;
}

RunUsage made(Controller controller, std::string target, double duration_s, double replicas) {
  RunUsage run;
  run.controller = controller;
  run.target = std::move(target);
  run.duration_s = duration_s;
  run.mean_replicas = replicas;
  run.replica_churn = 3.0;
  return run;
}

TEST(Costs, AggregatesWeightReplicasByTimeAndKeepTheWorst) {
  std::vector<RunUsage> runs = {made(Controller::hpa, "60", 900, 4), made(Controller::hpa, "60", 2700, 9)};
  runs[0].focus_p95_ms = 50.0;
  runs[0].success_pct = 99.0;
  runs[1].focus_p95_ms = 80.0;
  runs[1].success_pct = 98.0;
  const auto aggregates = aggregate_usage(runs);
  ASSERT_EQ(aggregates.size(), 1U);
  EXPECT_EQ(aggregates[0].duration_s, 3600.0);
  EXPECT_DOUBLE_EQ(aggregates[0].replica_hours, 7.75);  // 4 x 0.25 + 9 x 0.75
  EXPECT_EQ(aggregates[0].replica_churn, 6.0);
  EXPECT_EQ(aggregates[0].worst_p95_ms, 80.0);
  EXPECT_FALSE(aggregates[0].worst_p99_ms.has_value());
  EXPECT_EQ(aggregates[0].min_success_pct, 98.0);
  // 7.75 replica-hours: Fargate 7.75 x (0.00404784 + 0.000277875) = 7.75 x 0.004325715 = 0.03352429125;
  // Autopilot 7.75 x (0.00445 + 0.00030765625) = 7.75 x 0.00475765625 = 0.0368718359375. One hour, so per hour the
  // same.
  EXPECT_EQ(cost_aggregates_csv(aggregates, providers(0, 0)),
            "provider,currency,controller,target,scenarios,duration_s,avg_replicas_weighted,replica_variation_sum,cost,"
            "cost_per_hour,worst_p95_ms,worst_p99_ms,min_success_pct\n"
            "aws_fargate_us_east_1,USD,hpa,60,all,3600,7.750,6.000,0.03352429,0.03352429,80.000,,98.000\n"
            "gke_autopilot_us_central1,USD,hpa,60,all,3600,7.750,6.000,0.03687184,0.03687184,80.000,,98.000\n");
}

TEST(Costs, AggregatesComeInTheOrderOfTargets) {
  std::vector<std::string> order;
  for (const UsageAggregate& aggregate :
       aggregate_usage(std::vector{made(Controller::hybrid, "final", 1, 1), made(Controller::hpa, "unknown", 1, 1),
                                   made(Controller::hpa, "100", 1, 1), made(Controller::hpa, "60", 1, 1)})) {
    order.push_back(std::string(name(aggregate.controller)) + " " + aggregate.target);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"hpa 60", "hpa 100", "hpa unknown", "hybrid final"}));
}

TEST(Costs, AControlLogWithSomeEmptyReplicasIsReadFromTheOthers) {
  RunDirectory run;
  run.path = "runs/step/r1";
  run.phases = {{.phase_idx = 0, .duration = std::chrono::seconds(60), .rate_rps = 20.0}};
  ControlSample unknown;
  unknown.elapsed_s = 15.0;
  run.control_log = {applied(0, 3), unknown, applied(30, 5)};
  const auto usage = usage_of_run(run, Controller::hybrid);
  ASSERT_TRUE(usage.has_value());
  EXPECT_DOUBLE_EQ(usage->mean_replicas, 4.0);
}

// 0.1 x 0.000011244 x 3600 + 0.0625 x 0.000001235 x 3600.
TEST(UsdPerReplicaHour, IsFargatesListPriceOfTheReferenceReplica) {
  EXPECT_NEAR(usd_per_replica_hour(), 0.00404784 + 0.000277875, 1e-12);
}

}  // namespace
}  // namespace mpca::report
