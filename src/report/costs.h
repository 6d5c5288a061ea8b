// What runs would have cost: replicas weighted by the time they were held, times what one replica asks for, times the
// list price of a provider. Comparing two autoscalers by this number is fair only beside what users saw, so every row
// carries the latency of the focus phase, the one that the experiment is about.
//
// The workload, its request of 0.1 vCPU and 64 MiB, and the prices are the reference lab's (docs/reference-lab.md).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "report/vegeta_report.h"
#include "runlog/run_directory.h"

namespace mpca::report {

inline constexpr double kReplicaVcpu = 0.1;
inline constexpr double kReplicaMemoryGib = 64.0 / 1024.0;

struct Provider {
  std::string name;
  std::string currency;
  double vcpu_hour = 0.0;        // price of one vCPU for one hour
  double memory_gib_hour = 0.0;  // of one GiB for one hour
};

/// AWS Fargate and GKE Autopilot; and Yandex when both of its prices are given (> 0), since nobody fixed them for us.
std::vector<Provider> providers(double yandex_vcpu_hour_rub, double yandex_memory_gib_hour_rub);

/// What an hour of one replica of the reference lab costs at AWS Fargate's list price in us-east-1.
double usd_per_replica_hour();

/// Who decided about replicas in a run.
enum class Controller {
  hpa,     // Kubernetes' own autoscaler
  hybrid,  // the predictive controller with its safety rules; `hybrid` is the lab's word in tables
};
std::string_view name(Controller controller);

/// A run as far as its cost needs it.
struct RunUsage {
  Controller controller = Controller::hpa;
  std::string target;  // the HPA's target utilization in per cent, as text; `final` for the hybrid controller
  std::string scenario;
  std::string run_dir;
  double duration_s = 0.0;
  double mean_replicas = 0.0;  // weighted by time
  double max_replicas = 0.0;
  double replica_churn = 0.0;
  std::optional<double> focus_p95_ms;
  std::optional<double> focus_p99_ms;
  std::optional<double> success_pct;

  double replica_hours() const { return mean_replicas * duration_s / 3600.0; }
};

/// Reads a run off its directory.
///
///   duration   the sum of the planned phases, else from start to finish
///   replicas   HPA: `spec_replicas` of the replica watch, `ready_replicas` where that is empty. Hybrid:
///   `applied_replicas` of
///              the control log, else the run's control summary. A sample holds until the next one, the first from time
///              0, the last to the end; samples after the end are dropped
///   scenario   of run-meta.yaml, else the directory's parent
///   target     HPA: of run-meta.yaml, else of the nearest directory called `target_N` above the run, else `unknown`
///   errors     not_enough_data  no duration, no replica sample, or 0 replicas throughout: no row can be made, and the
///              message says why. Such a run is left out, not counted as free
Result<RunUsage> usage_of_run(const runlog::RunDirectory& run, Controller controller);

/// The phase that the experiment is about: of a report with two or more blocks of `step` or `spike` the second, which
/// is the load after the jump (nothing when that block is incomplete). Else the phase with the worst p95, with the
/// smallest success ratio of all phases. nullopt when there is none.
struct FocusPhase {
  double p95_ms = 0.0;
  double p99_ms = 0.0;
  double success_pct = 0.0;
};
std::optional<FocusPhase> focus_phase(const VegetaReport& report, std::string_view scenario);

/// `provider,currency,controller,target,scenario,run_dir,…`: run by run, each with every provider.
std::string cost_rows_csv(std::span<const RunUsage> runs, std::span<const Provider> providers);

/// All runs of one controller with one target. Replicas weighted by duration, latencies the worst, success the
/// smallest; nullopt where no run has one.
struct UsageAggregate {
  Controller controller = Controller::hpa;
  std::string target;
  double duration_s = 0.0;
  double replica_hours = 0.0;
  double replica_churn = 0.0;
  std::optional<double> worst_p95_ms;
  std::optional<double> worst_p99_ms;
  std::optional<double> min_success_pct;
};

/// HPA before hybrid, targets by number and then by text.
std::vector<UsageAggregate> aggregate_usage(std::span<const RunUsage> runs);

/// `provider,currency,controller,target,scenarios,…`: provider by provider.
std::string cost_aggregates_csv(std::span<const UsageAggregate> aggregates, std::span<const Provider> providers);

}  // namespace mpca::report
