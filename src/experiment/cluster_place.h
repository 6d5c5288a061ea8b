// Experiments in a cluster: a Deployment, its HPA or one of our policies, load from a Job, and what came of it. Each
// run sets aside how the Deployment was scaled and puts it back (scaling_guard.h), whatever happens to us (guardian.h).
//
// A policy `cluster-hpa` stands for the HPA that the Deployment has, `cluster-hpa:target=150` for the same at another
// CPU target; any other is asked by the loop of `run-one`, and the HPA is away meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/live_metrics.h"
#include "core/clock.h"
#include "core/local_time.h"
#include "core/result.h"
#include "experiment/load_job.h"
#include "experiment/scaling_guard.h"
#include "experiment/target.h"
#include "kube/access.h"
#include "kube/client.h"
#include "lab/batch.h"
#include "lab/run_plan.h"
#include "policy/policy.h"

namespace mpca::experiment {

/// What all runs have in common. Where something is not given, it is that of the scenario's preset of lab-online, and
/// of a scenario without one the default of `run-one`.
struct ClusterSettings {
  Target target;
  std::string context;  // of the cluster, for people
  double capacity_rps = policy::Workload{}.capacity_rps;
  double target_utilization = policy::Workload{}.target_utilization;
  std::optional<int> min_replicas{};
  std::optional<int> max_replicas{};
  std::optional<Duration> period{};
  std::optional<Duration> rate_window{};
  std::optional<int> initial_replicas{};             // not given: the least of who scales, HPA or policy
  Duration settle_limit = std::chrono::minutes(10);  // until exactly those are ready
  Duration guard_every = kGuardEvery;
  LoadJobSettings load;
  std::optional<kube::Right> metrics_right{};  // to ask for metrics; none: not asked through the API server
  UtcOffsets offsets{};                        // of the workload's local time
  std::string guardian_program{};
  std::vector<std::string> guardian_arguments{};  // before `--run RUN`
};

/// How it reaches the cluster.
struct ClusterTools {
  /// One per thread.
  std::function<kube::Client(const kube::ClientSettings&)> make_client;
  std::function<Result<std::unique_ptr<control::LiveMetrics>>(Duration rate_window)> make_metrics;
  Clock& clock;
  OnWord say;  // any thread
};

/// `cluster-hpa` and what follows it, taken apart.
struct ClusterHpa {
  std::optional<int> target_percent{};
};
///   returns  nullopt when the text is another policy
///   errors   invalid_argument  a target that is none
Result<std::optional<ClusterHpa>> parse_cluster_hpa(const std::string& policy);
/// The batch entry of the cluster's own HPA.
lab::BatchEntry cluster_hpa_entry(std::optional<int> target_percent);

/// Whether a policy decides by what it is shown of the load: all but `static` do.
bool reads_metrics(const std::string& policy);

/// What a policy is told in a scenario, and the window of its rates.
struct Tuning {
  policy::Workload workload;
  Duration rate_window{};
};
Tuning tuning_of(const ClusterSettings& settings, const std::string& scenario);

/// Exactly what a run asks the API server for: deploy/optional/experiments.yaml grants it.
std::vector<kube::Right> needed_rights(const Target& target);

class ClusterPlace final : public lab::Place {
 public:
  ClusterPlace(ClusterSettings settings, ClusterTools tools)
      : settings_(std::move(settings)), tools_(std::move(tools)) {}

  /// With the cluster, once for each kind of run: rights that are missing, a Deployment that is not there, an HPA that
  /// is not what the run needs, and for a policy that reads them metrics that nobody answers for.
  Result<void> check(const lab::RunPlan& plan) override;
  Result<lab::MeasuredRun> run(const lab::RunPlan& plan, const std::stop_token& stop,
                               const lab::OnProgress& on_progress) override;
  lab::ConfigurationRows configuration() const override;

 private:
  Result<void> check_cluster(const std::optional<ClusterHpa>& hpa, bool needs_metrics, Duration rate_window);
  Result<void> check_metrics(int ready_replicas, Duration rate_window);

  ClusterSettings settings_;
  ClusterTools tools_;
  std::set<std::string> checked_;  // kinds of runs that the cluster was asked about
};

}  // namespace mpca::experiment
