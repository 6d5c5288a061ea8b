// One experiment: a policy, a plan of load, real processes, and what came of it. Starts pods, balancer, scrapes and
// load generator, lets the policy run in a LabWorld until the plan is over, ends everything, and leaves a run directory
// in the reference lab's layout.
#pragma once

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/duration_distribution.h"
#include "core/local_time.h"
#include "core/result.h"
#include "core/settings.h"
#include "lab/run_plan.h"
#include "policy/policy.h"

namespace mpca::lab {

/// Something that goes wrong on purpose: `kill-pod@90s`.
struct ChaosEvent {
  std::string what;  // a name as parse_chaos_event() takes it
  Duration at{};     // experiment time
  bool operator==(const ChaosEvent&) const = default;
};
/// `NAME@TIME`, where NAME is one of
///   kill-pod, hang-pod          the oldest ready pod
///   scrape-failures[-end]       scrapes fail
///   stale-metrics[-end]         the policy is shown what it was shown last
///   never-ready[-end]           pods asked for from then on do not become ready
///   restart-balancer            every connection is dropped
///   errors   invalid_argument  not NAME@DURATION with such a name; begins with `where`
Result<ChaosEvent> parse_chaos_event(std::string_view text, std::string_view where);

/// What all runs of a comparison have in common.
struct ExperimentSettings {
  policy::Workload workload;
  double speed = 1.0;  // experiment seconds per real second
  DurationDistribution readiness_lag = DurationDistribution::constant(std::chrono::seconds(40));
  Duration scrape_interval = std::chrono::seconds(15);
  Duration rate_window = std::chrono::minutes(1);
  std::string metrics = "direct";     // or `prometheus`
  std::string balancer = "built-in";  // or `haproxy`
  int initial_replicas = 2;
  int concurrency = 2;                          // of a pod
  Duration timeout = std::chrono::seconds(30);  // of a request; real
  std::string toy_load{};                       // the program
  std::vector<ChaosEvent> chaos{};
  UtcOffsets offsets{};  // of the workload's local time: what policies take for day and night
};

/// The flags of an experiment, without the workload's and those that need more than a table can check.
SettingsTable settings_of(ExperimentSettings& settings);
///   errors   invalid_argument  every problem at once
Result<void> validate(const ExperimentSettings& settings);

/// Runs it; takes about length / speed, and up to the request timeout for the last answers.
///
///   errors   invalid_argument  the policy's text; not_found, io  a process that did not start; already_exists
///            interrupted       nothing is left of the run
Result<MeasuredRun> run_experiment(const ExperimentSettings& settings, const RunPlan& plan, const std::stop_token& stop,
                                   const OnProgress& on_progress);

/// This machine.
class LocalPlace final : public Place {
 public:
  explicit LocalPlace(ExperimentSettings settings) : settings_(std::move(settings)) {}
  Result<void> check(const RunPlan& plan) override;
  Result<MeasuredRun> run(const RunPlan& plan, const std::stop_token& stop, const OnProgress& on_progress) override;
  ConfigurationRows configuration() const override;

 private:
  ExperimentSettings settings_;
};

}  // namespace mpca::lab
