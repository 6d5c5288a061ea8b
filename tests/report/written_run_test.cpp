// A run directory of our own making, from the first byte to its costs: what mpc-summarize-run and mpc-summarize-costs
// do with it.
#include <gtest/gtest.h>

#include <string>

#include "core/os/file.h"
#include "policy/policy.h"
#include "report/costs.h"
#include "report/run_summary.h"
#include "runlog/control_log.h"
#include "runlog/replica_watch.h"
#include "runlog/run_directory.h"
#include "runlog/run_meta.h"
#include "support/temporary_directory.h"
#include "trace/phases.h"

namespace mpca::report {
namespace {

using namespace std::chrono_literals;
using policy::Observation;
using policy::Signal;

// 2026-01-01T00:00:00Z.
const TimePoint kStart = at_seconds(1767225600);

void write(const std::string& directory, std::string_view name, std::string_view text) {
  const auto written = os::write_file(directory + "/" + std::string(name), text);
  EXPECT_TRUE(written.has_value()) << written.error().message;
}

Observation observed(Duration elapsed, int replicas, double in_flight) {
  Observation observation;
  observation.now = kStart + elapsed;
  observation.spec_replicas = observation.ready_replicas = replicas;
  observation.served_rate_rps = Signal::fresh(60);
  observation.in_flight_requests = Signal::fresh(in_flight);
  return observation;
}

// One minute. At 0 s nothing in flight, demand 60: the rule asks for ceil(60 / 17.5) = 4, as there are. At 15 s 40 in
// flight, an emergency: 8, held to the end. Replicas: 4 for 15 s and 8 for 45 s, 7 on average.
TEST(WrittenRun, IsSummarizedAndCostedLikeOneOfTheLab) {
  const test::TemporaryDirectory root;
  const std::string directory = root.file("spike/run-1");
  ASSERT_TRUE(os::make_directories(directory));
  write(directory, runlog::kPhasesFile,
        trace::phases_csv(
            {{.phase_idx = 0, .duration = 30s, .rate_rps = 60}, {.phase_idx = 1, .duration = 30s, .rate_rps = 60}}));

  const auto policy =
      policy::create_policy("lab-online:control-mode=no_qp_reactive", policy::Workload{}, "test").value();
  std::string log = runlog::control_log_header();
  std::string watch = runlog::replica_watch_header();
  int replicas = 4;
  for (const int second : {0, 15}) {
    const Observation observation = observed(std::chrono::seconds(second), replicas, second == 15 ? 40 : 0);
    watch += runlog::replica_watch_row(observation.now, second, {replicas, replicas, replicas});
    const policy::Decision decision = policy->decide(observation);
    replicas = decision.replicas;
    log += runlog::control_log_row(kStart, observation, decision, replicas);
  }
  write(directory, runlog::kControlLogFile, log);
  write(directory, runlog::kReplicaWatchFile, watch);

  runlog::RunMetaDocument meta;
  meta.set("scenario", "spike");
  meta.set("mode", "mpc-online");
  meta.set("run_id", "run-1");
  meta.set("started_at_utc", runlog::run_meta_time(kStart));
  meta.set("finished_at_utc", runlog::run_meta_time(kStart + 60s));
  write(directory, runlog::kRunMetaFile, run_meta_yaml(meta));

  ASSERT_EQ(runlog::find_run_directories(root.path(), 2).value().finished.size(), 1u);
  const auto run = runlog::read_run_directory(directory);
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_EQ(control_summary_csv(summarize_control(*run->control_log)),
            "samples,avg_replicas,max_replicas,replica_variation_sum_abs_delta,max_observed_rps,avg_observed_rps,"
            "avg_cpu_cores,max_observed_inflight,avg_demand_proxy_rps,emergency_scale_events,solver_status_unique\n"
            "2,6.000,8,4.000,60.000,60.000,,40.000,140.000,1,no_qp_reactive\n");
  const auto usage = usage_of_run(*run, Controller::hybrid);
  ASSERT_TRUE(usage.has_value()) << usage.error().message;
  EXPECT_EQ(usage->scenario, "spike");
  EXPECT_EQ(usage->duration_s, 60.0);
  EXPECT_DOUBLE_EQ(usage->mean_replicas, 7.0);
  EXPECT_EQ(usage->replica_churn, 4.0);
  const auto as_hpa = usage_of_run(*run, Controller::hpa);  // the watch saw only what was before each decision
  ASSERT_TRUE(as_hpa.has_value()) << as_hpa.error().message;
  EXPECT_DOUBLE_EQ(as_hpa->mean_replicas, 4.0);
}

}  // namespace
}  // namespace mpca::report
