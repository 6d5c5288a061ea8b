#include "runlog/control_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/csv.h"
#include "core/os/file.h"
#include "policy/policy.h"
#include "runlog/run_directory.h"
#include "support/temporary_directory.h"

namespace mpca::runlog {
namespace {

using policy::Decision;
using policy::Observation;
using policy::Signal;

// 2026-01-01T00:00:00Z.
const TimePoint kStart = at_seconds(1767225600);

Observation observed(double elapsed_s, int desired, int ready, double rps, double in_flight) {
  Observation observation;
  observation.now = kStart + from_seconds(elapsed_s);
  observation.spec_replicas = desired;
  observation.ready_replicas = ready;
  observation.served_rate_rps = Signal::fresh(rps);
  observation.in_flight_requests = Signal::fresh(in_flight);
  observation.cpu_cores = Signal::fresh(1.5);
  return observation;
}

Decision decided(const std::string& policy, const Observation& observation) {
  return policy::create_policy(policy, policy::Workload{}, "test").value()->decide(observation);
}

std::vector<std::string> fields_of(const std::string& row) {
  std::vector<std::string> all;
  CsvParser parser([&](std::int64_t, std::span<const std::string_view> fields) {
    all.assign(fields.begin(), fields.end());
    return true;
  });
  EXPECT_TRUE(parser.feed(row) && parser.finish()) << row;
  return all;
}

/// The field of `column` in a row.
std::string field(const std::string& row, std::string_view column) {
  const auto names = fields_of(control_log_header()), fields = fields_of(row);
  EXPECT_EQ(names.size(), fields.size()) << row;
  const auto at = static_cast<std::size_t>(std::ranges::find(names, column) - names.begin());
  return at < fields.size() ? fields[at] : "no such column";
}

TEST(ControlLog, HasTheColumnsOfTheLabInItsOrder) {
  EXPECT_EQ(control_log_header(), os::read_file(MPCA_TEST_DATA "/runs/mpc/seasonality/a/mpc-control-log.csv")
                                      .value()
                                      .substr(0, control_log_header().size()));
  EXPECT_EQ(fields_of(control_log_header()).size(), 24u);
}

// Demand 60 + 4 x 40 = 220; backlog 15 (220 - 17.5 x 4) = 2250; the plan may rise by max_step 2, the emergency adds 4.
TEST(ControlLog, AnEmergencyOfTheOnlineControllerReadsAsInTheLab) {
  const Observation observation = observed(15.04, 4, 4, 60, 40);
  EXPECT_EQ(
      control_log_row(kStart, observation, decided("lab-online", observation), 8),
      "2026-01-01T00:00:15Z,qp,15.0,60.000000,1.500000,40.000000,0,0,0,220.000000,2250.000000,4,4,4,6,8,8,1,0,0,0,"
      "0,1,optimal\n");
}

TEST(ControlLog, TheFlagsOfScaleDownAreThoseOfItsGuards) {
  const Observation low = observed(0, 10, 10, 10, 5);
  const std::string blocked = control_log_row(
      kStart, low, decided("lab-online:control-mode=no_qp_reactive,downscale-inflight-threshold=4", low), 10);
  EXPECT_EQ(field(blocked, "control_mode"), "no_qp_reactive");
  EXPECT_EQ(field(blocked, "qp_recommended_replicas"), "8");
  EXPECT_EQ(field(blocked, "recommended_replicas"), "10");
  EXPECT_EQ(field(blocked, "downscale_blocked"), "1");
  EXPECT_EQ(field(blocked, "downscale_limited"), "0");
  EXPECT_EQ(field(blocked, "safety_raised"), "1") << "the final count is above the rule's";
  const std::string limited =
      control_log_row(kStart, low, decided("lab-online:control-mode=no_qp_reactive,max-downscale-step=1", low), 9);
  EXPECT_EQ(field(limited, "recommended_replicas"), "9");
  EXPECT_EQ(field(limited, "downscale_blocked"), "0");
  EXPECT_EQ(field(limited, "downscale_limited"), "1");
}

TEST(ControlLog, AFailedQueryShowsItsLastValueAndAFlagAndANeverKnownOneNothing) {
  Observation observation = observed(30, 4, 4, 60, 0);
  observation.served_rate_rps = Signal::stale(60, std::chrono::seconds(30));
  observation.cpu_cores = Signal{};
  const std::string row = control_log_row(kStart, observation, decided("lab-online", observation), 4);
  EXPECT_EQ(field(row, "observed_rps"), "60.000000");
  EXPECT_EQ(field(row, "rps_query_failed"), "1");
  EXPECT_EQ(field(row, "observed_cpu_cores"), "");
  EXPECT_EQ(field(row, "cpu_query_failed"), "1");
  EXPECT_EQ(field(row, "inflight_query_failed"), "0");
}

TEST(ControlLog, WithoutAnyRateTheControllerHoldsAndSaysSo) {
  Observation observation = observed(30, 4, 4, 60, 0);
  observation.served_rate_rps = Signal{};
  const std::string row = control_log_row(kStart, observation, decided("lab-online", observation), 4);
  EXPECT_EQ(field(row, "demand_proxy_rps"), "");
  EXPECT_EQ(field(row, "backlog_state"), "");
  EXPECT_EQ(field(row, "qp_recommended_replicas"), "4");
  EXPECT_EQ(field(row, "recommended_replicas"), "4");
  EXPECT_EQ(field(row, "solver_status"), "hold: the served rate is missing");
}

// 80 / 17.5 = 4.57: the rule asks for 5, nothing restrains it.
TEST(ControlLog, AnyPolicyHasARow) {
  const Observation observation = observed(0, 2, 2, 80, 0);
  const std::string row = control_log_row(kStart, observation, decided("reactive", observation), 5);
  EXPECT_EQ(field(row, "control_mode"), "ceil(demand / (capacity x target))");
  EXPECT_EQ(field(row, "qp_recommended_replicas"), "5");
  EXPECT_EQ(field(row, "recommended_replicas"), "5");
  EXPECT_EQ(field(row, "safety_raised"), "0");
  for (const policy::PolicyKind& kind : policy::policy_kinds()) {
    const std::string text = kind.name == "static" ? "static:5" : std::string(kind.name);
    const std::string any = control_log_row(kStart, observation, decided(text, observation), 2);
    EXPECT_EQ(field(any, "applied_replicas"), "2") << any;
  }
}

TEST(ControlLog, ItsRowsAreReadBack) {
  const test::TemporaryDirectory directory;
  const auto policy = policy::create_policy("lab-online", policy::Workload{}, "test").value();
  std::string csv = control_log_header();
  int replicas = 4;
  for (int i = 0; i < 3; ++i) {
    Observation observation = observed(15.0 * i, replicas, replicas, 60, i == 1 ? 40 : 0);
    if (i == 2) observation.cpu_cores = Signal{};
    Decision decision = policy->decide(observation);
    if (i == 2) decision.explanation.status = "scale_error:Forbidden";
    if (i < 2) replicas = decision.replicas;
    csv += control_log_row(kStart, observation, decision, replicas);
  }
  ASSERT_TRUE(os::write_file(directory.file("log.csv"), csv));
  const auto samples = read_control_log(directory.file("log.csv"));
  ASSERT_TRUE(samples.has_value()) << samples.error().message;
  ASSERT_EQ(samples->size(), 3u);
  EXPECT_EQ((*samples)[1].elapsed_s, 15.0);
  EXPECT_EQ((*samples)[1].observed_inflight, 40.0);
  EXPECT_EQ((*samples)[1].demand_proxy_rps, 220.0);
  EXPECT_TRUE((*samples)[1].emergency_scale_up);
  EXPECT_FALSE((*samples)[2].observed_cpu_cores.has_value());
  EXPECT_EQ((*samples)[2].solver_status, "scale_error:Forbidden");
}

}  // namespace
}  // namespace mpca::runlog
