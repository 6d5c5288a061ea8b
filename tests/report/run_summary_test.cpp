#include "report/run_summary.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/os/file.h"

namespace mpca::report {
namespace {

using runlog::ControlSample;

const std::string kControlHeader =
    "samples,avg_replicas,max_replicas,replica_variation_sum_abs_delta,max_observed_rps,avg_observed_rps,avg_cpu_cores,"
    "max_observed_inflight,avg_demand_proxy_rps,emergency_scale_events,solver_status_unique\n";

ControlSample sample(double replicas, double rps, std::string status) {
  ControlSample made;
  made.applied_replicas = replicas;
  made.observed_rps = rps;
  made.solver_status = std::move(status);
  return made;
}

TEST(PhaseSummary, LatenciesStayTheTextThatVegetaPrinted) {
  const auto text = os::read_file(MPCA_TEST_DATA "/runs/hpa/target_60/step/20260101-000000/incluster-report.txt");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(phase_summary_csv(parse_vegeta_report(*text)),
            "phase,throughput_rps,p95,p99,max,success_ratio_pct\n"
            "1,20.00,26.6ms,31ms,90.2ms,100.00\n"
            "2,79.21,54.6ms,75.9ms,1.204s,99.02\n"
            "3,39.99,27.1ms,1m2.5s,1m3s,98.50\n");
}

TEST(PhaseSummary, OfNoBlockTheHeaderIsLeft) {
  EXPECT_EQ(phase_summary_csv(parse_vegeta_report("")), "phase,throughput_rps,p95,p99,max,success_ratio_pct\n");
}

// By hand from the file's four rows: applied 4, 6, 6, 5: mean 21 / 4 = 5.25, max 6, changes 2 + 0 + 1 = 3.
// rps 70, 71, 84, 85: max 85, mean 310 / 4 = 77.5. CPU 1.5 + 1.6 + 1.8 + 1.9 = 6.8, mean 1.7. In flight at most 5.
// Demand 82 + 91 + 92 + 89 = 354, mean 88.5. One emergency. Statuses: optimal, optimal, greedy, optimal.
TEST(ControlSummary, MeansMaximaAndChurnOfALog) {
  const auto log = runlog::read_control_log(MPCA_TEST_DATA "/runs/mpc/seasonality/a/mpc-control-log.csv");
  ASSERT_TRUE(log.has_value());
  EXPECT_EQ(control_summary_csv(summarize_control(*log)),
            kControlHeader + "4,5.250,6,3.000,85.000,77.500,1.700,5.000,88.500,1,greedy;optimal\n");
}

TEST(ControlSummary, AnEmptyLogGivesNoSamplesAndEmptyFields) {
  EXPECT_EQ(control_summary_csv(summarize_control({})), kControlHeader + "0,,,,,,,,,,\n");
}

TEST(ControlSummary, AMissingValueIsLeftOutAndNotCountedAsZero) {
  std::vector<ControlSample> log = {sample(2, 20, "optimal"), sample(4, 40, ""), sample(9, 60, "optimal")};
  log[1].applied_replicas.reset();
  log[1].observed_rps.reset();
  const ControlSummary summary = summarize_control(log);
  EXPECT_EQ(summary.samples, 3);
  EXPECT_EQ(summary.mean_replicas, 5.5);
  EXPECT_EQ(summary.replica_churn, 7.0);  // from 2 to 9 across the gap
  EXPECT_EQ(summary.mean_observed_rps, 40.0);
  EXPECT_FALSE(summary.mean_cpu_cores.has_value());
  EXPECT_EQ(summary.solver_statuses, std::vector<std::string>{"optimal"});
}

TEST(ControlSummary, StatusesAreSortedAndQuotedWhereTheyHoldCommas) {
  const std::vector<ControlSample> log = {sample(2, 20, "scale_error:a, b"), sample(2, 20, "greedy"),
                                          sample(2, 20, "greedy")};
  EXPECT_EQ(control_summary_csv(summarize_control(log)),
            kControlHeader + "3,2.000,2,0.000,20.000,20.000,,,,0,\"greedy;scale_error:a, b\"\n");
}

}  // namespace
}  // namespace mpca::report
