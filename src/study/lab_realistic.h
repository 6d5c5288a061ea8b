// The reference lab's realistic simulator and its grid search: its MPC with the safety rules against its HPA-like rule,
// each in a world with readiness lag and a scrape cadence. Figures and column names are the lab's.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/result.h"
#include "policy/lab_mpc/lab_mpc.h"
#include "policy/policy.h"
#include "sim/realistic_world.h"
#include "trace/demand_trace.h"

namespace mpca::study {

struct LabRealisticSettings {
  policy::LabMpcSettings mpc = policy::lab_mpc_realistic_defaults();
  policy::Workload workload;  // its min_replicas is the HPA's
  int mpc_min_replicas = 2;
  int mpc_max_replicas = 12;
  int initial_replicas = 2;  // of each side, or its minimum if that is greater
  double hpa_target = 0.6;
  int hpa_down_steps = 20;
  double hpa_up_factor = 2.0;
  sim::RealisticSettings world;
};

/// One side's tick.
struct RealisticSide {
  int desired = 0;  // after this tick's decision
  int ready = 0;
  double in_flight = 0.0;  // M/D/1 of the true rate, uncapped
  double p95_ms = 0.0;
  double utilization = 0.0;
  bool violated = false;  // utilization over the target
};

struct RealisticTick {
  int phase = 0;
  double demand_rps = 0.0;
  RealisticSide mpc;
  RealisticSide hpa;
  double demand_proxy_rps = 0.0;
  double forecast_rps = 0.0;
  double backlog = 0.0;  // as the plan of this tick saw it
  int recommended = 0;   // of the plan, before the safety rules
  bool emergency = false;
  bool greedy = false;  // the plan had no solution
};

/// The lab's figures over some of the ticks.
struct RealisticMetrics {
  double mpc_variation = 0.0, hpa_variation = 0.0;  // sum of absolute changes of ready replicas
  double mpc_slo = 0.0, hpa_slo = 0.0;              // share of ticks with utilization over the target
  double mpc_avg = 0.0, hpa_avg = 0.0;              // ready replicas
  double mpc_p95_ms = 0.0, hpa_p95_ms = 0.0;        // 0.95 quantile of the ticks' p95
  int emergencies = 0;

  double delta_variation() const { return mpc_variation - hpa_variation; }
  double delta_slo() const { return mpc_slo - hpa_slo; }
  double delta_avg() const { return mpc_avg - hpa_avg; }
};

/// What realistic_points.json calls them, in its order, with the value of each.
struct NamedMetric {
  const char* name;
  bool is_count;
  double (*value)(const RealisticMetrics&);
};
std::span<const NamedMetric> realistic_metric_columns();

/// The phases that the lab looks at: 2 of spike and step, 2 to 4 of seasonality, none of others.
std::vector<int> focus_phases(const std::string& scenario);

///   trace    phase_idx may be empty (then there is no focus)
///   errors   invalid_argument for settings out of range; interrupted
Result<std::vector<RealisticTick>> simulate_realistic(const trace::DemandTrace& trace,
                                                      const LabRealisticSettings& settings,
                                                      const std::stop_token& stop);

/// Over the ticks of `phases`, or all when empty.
RealisticMetrics realistic_metrics(std::span<const RealisticTick> ticks, std::span<const int> phases);

struct RealisticGridSettings {
  LabRealisticSettings base;
  std::string scenario = "core";  // spike, step, seasonality, core (spike and step, then seasonality for the best), all
  int step_min_replicas = 2;
  int spike_min_replicas = 6;
  int seasonality_min_replicas = 2;
  std::vector<double> alphas = {5, 10, 20, 40, 80};
  std::vector<double> betas = {0.3, 0.5, 1, 2};
  std::vector<double> gammas = {0.02, 0.05, 0.1};
  std::vector<int> horizons = {6, 8, 10};
  std::vector<double> emergency_thresholds = {20, 30, 40, 60};
};

struct ScenarioMetrics {
  RealisticMetrics all;
  RealisticMetrics focus;
};

struct RealisticGridRow {
  double alpha = 0.0, beta = 0.0, gamma = 0.0;
  int horizon = 0;
  double emergency_threshold = 0.0;
  std::optional<ScenarioMetrics> spike, step, seasonality;  // nullopt: not run
  bool feasible = false;

  double score() const;  // J; smaller is better
};

struct RealisticGrid {
  std::vector<RealisticGridRow> rows;  // all, in the order of the parameters
  int feasible = 0;
  std::vector<int> pool;          // indices of rows, best first
  std::vector<int> gold, silver;  // subsets of the pool, in its order
  std::span<const int> finalists() const { return !gold.empty() ? gold : !silver.empty() ? silver : pool; }
};

/// Traces of the three scenarios; those that the chosen scenario does not need may be null.
struct ScenarioTraces {
  const trace::DemandTrace* spike = nullptr;
  const trace::DemandTrace* step = nullptr;
  const trace::DemandTrace* seasonality = nullptr;
};

///   errors   invalid_argument for settings out of range; interrupted
Result<RealisticGrid> search_realistic_grid(const ScenarioTraces& traces, const RealisticGridSettings& settings,
                                            int jobs, const std::stop_token& stop);

std::string realistic_grid_csv(const RealisticGrid& grid);

}  // namespace mpca::study
