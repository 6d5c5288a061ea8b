// The reference lab's offline simulator and its grid search: its MPC and its HPA-like rule, each in an idealised world
// of its own on the same trace, put together as the lab's one trajectory. The lab's definitions of the summary figures,
// which differ in detail from those of report/metrics.h, live here.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "policy/lab_mpc/lab_mpc.h"
#include "policy/policy.h"
#include "trace/demand_trace.h"

namespace mpca::study {

struct IdealisedSettings {
  policy::LabMpcSettings mpc;
  policy::Workload workload;
  int initial_replicas = 2;
  double hpa_target = 0.6;
  int hpa_hold_steps = 5;
};

/// One step; columns of the lab's trajectory.csv.
struct TrajectoryRow {
  int step = 0;
  double demand_rps = 0.0;
  double forecast_rps = 0.0;  // of the next period
  double mpc_backlog = 0.0;   // as the plan of this step saw it
  int hpa_replicas = 0;       // serving in this step
  int mpc_replicas = 0;
  int hpa_recommended = 0;  // serving in the next
  int mpc_recommended = 0;
  double hpa_utilization = 0.0;  // demand / (capacity x max(replicas, 1))
  double mpc_utilization = 0.0;
  double hpa_overflow = 0.0;  // max(0, demand / (capacity x target) - replicas)
  double mpc_overflow = 0.0;
  bool mpc_fallback = false;  // the plan had no solution, the greedy rule decided
};

struct LabPolicySummary {
  double avg_replicas = 0.0;
  int max_replicas = 0;
  double replica_variation = 0.0;  // sum of absolute changes
  double utilization_mean = 0.0;
  double utilization_p95 = 0.0;
  double slo_violation_ratio = 0.0;  // share of steps with utilization over the target
  double overflow_mean = 0.0;
  double overflow_p95 = 0.0;
};

struct IdealisedRun {
  std::vector<TrajectoryRow> rows;
  LabPolicySummary hpa;
  LabPolicySummary mpc;
  double backlog_mean = 0.0;
  double backlog_p95 = 0.0;
  double backlog_max = 0.0;
};

/// The figures of rows that are there already, such as those of a recorded run.
IdealisedRun summarize_rows(std::vector<TrajectoryRow> rows, double target_utilization);

///   trace    at least one step; negative demand counts as 0. The period is `settings.workload.period`, not the trace's
///   step. errors   invalid_argument for settings out of range; interrupted
Result<IdealisedRun> simulate_idealised(const trace::DemandTrace& trace, const IdealisedSettings& settings,
                                        const std::stop_token& stop);

/// `trajectory.csv`. `time_column` holds the second column's text for each row.
std::string trajectory_csv(const IdealisedRun& run, const std::vector<std::string>& time_column);

/// `summary.json`.
std::string idealised_summary_json(const IdealisedRun& run, const IdealisedSettings& settings);

/// One row of the grid search: the lab's figures of both policies on the spike and on the step trace.
struct IdealisedGridRow {
  double alpha = 0.0, beta = 0.0, gamma = 0.0;
  int horizon = 0;
  LabPolicySummary spike_mpc, spike_hpa, step_mpc, step_hpa;

  double spike_delta_variation() const { return spike_mpc.replica_variation - spike_hpa.replica_variation; }
  double step_delta_variation() const { return step_mpc.replica_variation - step_hpa.replica_variation; }
  /// No more churn, no more violations, at most 15 % more replicas than the HPA-like rule, on both traces.
  bool passes() const;
};

struct IdealisedGrid {
  std::vector<IdealisedGridRow>
      rows;  // 300 in ranking order: those that pass first, each by the sum of both variations' deltas
  int passing = 0;
};

///   errors   interrupted
Result<IdealisedGrid> search_idealised_grid(const trace::DemandTrace& spike, const trace::DemandTrace& step, int jobs,
                                            const std::stop_token& stop);

std::string idealised_grid_csv(const IdealisedGrid& grid);

}  // namespace mpca::study
