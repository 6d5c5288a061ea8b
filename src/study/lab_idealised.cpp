#include "study/lab_idealised.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/os/parallel.h"
#include "core/stats.h"
#include "core/text.h"
#include "policy/run_policy.h"
#include "sim/idealised_world.h"

namespace mpca::study {
namespace {

using policy::Decision;
using policy::Observation;
using policy::OnPeriod;
using policy::PeriodOutcome;

double overflow_replicas(const policy::Workload& workload, const PeriodOutcome& outcome) {
  return std::max(0.0,
                  outcome.demand_rps / (workload.capacity_rps * workload.target_utilization) - outcome.ready_replicas);
}

std::string hpa_text(const IdealisedSettings& settings) {
  return cat("lab-hpa:target=", settings.hpa_target, ",hold-steps=", settings.hpa_hold_steps,
             ",max-step=", settings.mpc.max_step);
}

Result<void> run_one(const trace::DemandTrace& trace, const IdealisedSettings& settings, policy::Policy& policy,
                     const std::stop_token& stop, const OnPeriod& on_period) {
  sim::IdealisedWorld world(trace, settings.workload, settings.initial_replicas);
  if (!run_policy(world, policy, stop, on_period)) return fail(ErrorCode::interrupted, "interrupted");
  return {};
}

Result<void> run_hpa(const trace::DemandTrace& trace, const IdealisedSettings& settings, const std::stop_token& stop,
                     std::vector<TrajectoryRow>& rows) {
  MPCA_TRY(const auto policy, policy::create_policy(hpa_text(settings), settings.workload, "hpa"));
  std::size_t step = 0;
  return run_one(trace, settings, *policy, stop,
                 [&](const Observation&, const Decision& decision, const PeriodOutcome& outcome) {
                   TrajectoryRow& row = rows[step++];
                   row.hpa_replicas = outcome.spec_replicas;
                   row.hpa_recommended = decision.replicas;
                   row.hpa_utilization = outcome.utilization;
                   row.hpa_overflow = overflow_replicas(settings.workload, outcome);
                 });
}

Result<void> run_mpc(const trace::DemandTrace& trace, const IdealisedSettings& settings, const std::stop_token& stop,
                     std::vector<TrajectoryRow>& rows) {
  MPCA_TRY(const auto policy, policy::create_lab_mpc(settings.mpc, settings.workload));
  std::size_t step = 0;
  return run_one(trace, settings, *policy, stop,
                 [&](const Observation&, const Decision& decision, const PeriodOutcome& outcome) {
                   TrajectoryRow& row = rows[step];
                   row.step = static_cast<int>(step++);
                   row.demand_rps = outcome.demand_rps;
                   row.forecast_rps = decision.explanation.forecast.front().demand_rps;
                   row.mpc_backlog = named_value(decision.explanation, "backlog_requests").value_or(0.0);
                   row.mpc_replicas = outcome.spec_replicas;
                   row.mpc_recommended = decision.replicas;
                   row.mpc_utilization = outcome.utilization;
                   row.mpc_overflow = overflow_replicas(settings.workload, outcome);
                   row.mpc_fallback = decision.explanation.status != "optimal";
                 });
}

template <class Value>
double column_mean(const std::vector<TrajectoryRow>& rows, Value TrajectoryRow::* column) {
  double sum = 0.0;
  for (const TrajectoryRow& row : rows) sum += static_cast<double>(row.*column);
  return sum / static_cast<double>(rows.size());
}

double column_p95(const std::vector<TrajectoryRow>& rows, double TrajectoryRow::* column) {
  std::vector<double> values;
  values.reserve(rows.size());
  for (const TrajectoryRow& row : rows) values.push_back(row.*column);
  return quantile_linear(values, 0.95);
}

LabPolicySummary summarize(const std::vector<TrajectoryRow>& rows, double target_utilization,
                           int TrajectoryRow::* replicas, double TrajectoryRow::* utilization,
                           double TrajectoryRow::* overflow) {
  LabPolicySummary summary;
  int violations = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    summary.max_replicas = std::max(summary.max_replicas, rows[i].*replicas);
    if (i > 0) summary.replica_variation += std::abs(rows[i].*replicas - rows[i - 1].*replicas);
    if (rows[i].*utilization > target_utilization) ++violations;
  }
  summary.avg_replicas = column_mean(rows, replicas);
  summary.utilization_mean = column_mean(rows, utilization);
  summary.utilization_p95 = column_p95(rows, utilization);
  summary.slo_violation_ratio = violations / static_cast<double>(rows.size());
  summary.overflow_mean = column_mean(rows, overflow);
  summary.overflow_p95 = column_p95(rows, overflow);
  return summary;
}

LabPolicySummary summarize_hpa(const std::vector<TrajectoryRow>& rows, double target) {
  return summarize(rows, target, &TrajectoryRow::hpa_replicas, &TrajectoryRow::hpa_utilization,
                   &TrajectoryRow::hpa_overflow);
}

LabPolicySummary summarize_mpc(const std::vector<TrajectoryRow>& rows, double target) {
  return summarize(rows, target, &TrajectoryRow::mpc_replicas, &TrajectoryRow::mpc_utilization,
                   &TrajectoryRow::mpc_overflow);
}

nlohmann::ordered_json summary_object(const LabPolicySummary& summary) {
  nlohmann::ordered_json object;
  object["avg_replicas"] = summary.avg_replicas;
  object["max_replicas"] = summary.max_replicas;
  object["replica_variation_sum_abs_delta"] = summary.replica_variation;
  object["utilization_mean"] = summary.utilization_mean;
  object["utilization_p95"] = summary.utilization_p95;
  object["slo_violation_ratio"] = summary.slo_violation_ratio;
  object["overflow_mean_replicas"] = summary.overflow_mean;
  object["overflow_p95_replicas"] = summary.overflow_p95;
  return object;
}

constexpr double kGridAlphas[] = {5, 10, 20, 40, 80};
constexpr double kGridBetas[] = {0.1, 0.3, 0.5, 1, 2};
constexpr double kGridGammas[] = {0.02, 0.05, 0.1, 0.2};
constexpr int kGridHorizons[] = {6, 8, 10};
constexpr double kGridSmoothing = 0.45;
constexpr double kGridReplicaAllowance = 0.15;

double rank_key(const IdealisedGridRow& row) { return row.spike_delta_variation() + row.step_delta_variation(); }

bool passes_on(const LabPolicySummary& mpc, const LabPolicySummary& hpa) {
  return mpc.replica_variation <= hpa.replica_variation && mpc.slo_violation_ratio - hpa.slo_violation_ratio <= 1e-6 &&
         mpc.avg_replicas - hpa.avg_replicas <= kGridReplicaAllowance * hpa.avg_replicas;
}

void append_grid_scenario(std::string& line, const LabPolicySummary& mpc, const LabPolicySummary& hpa) {
  for (const double value :
       {mpc.replica_variation - hpa.replica_variation, mpc.slo_violation_ratio - hpa.slo_violation_ratio,
        mpc.avg_replicas - hpa.avg_replicas, mpc.replica_variation, hpa.replica_variation, mpc.slo_violation_ratio,
        hpa.slo_violation_ratio, mpc.avg_replicas, hpa.avg_replicas}) {
    line += "," + python_float(value);
  }
}

}  // namespace

IdealisedRun summarize_rows(std::vector<TrajectoryRow> rows, double target_utilization) {
  IdealisedRun run;
  run.rows = std::move(rows);
  run.hpa = summarize_hpa(run.rows, target_utilization);
  run.mpc = summarize_mpc(run.rows, target_utilization);
  run.backlog_mean = column_mean(run.rows, &TrajectoryRow::mpc_backlog);
  run.backlog_p95 = column_p95(run.rows, &TrajectoryRow::mpc_backlog);
  for (const TrajectoryRow& row : run.rows) run.backlog_max = std::max(run.backlog_max, row.mpc_backlog);
  return run;
}

Result<IdealisedRun> simulate_idealised(const trace::DemandTrace& trace, const IdealisedSettings& settings,
                                        const std::stop_token& stop) {
  MPCA_CHECK(!trace.demand_rps.empty(), "a trace has at least one step");
  std::vector<TrajectoryRow> rows(trace.demand_rps.size());
  MPCA_TRY_VOID(run_hpa(trace, settings, stop, rows));
  MPCA_TRY_VOID(run_mpc(trace, settings, stop, rows));
  return summarize_rows(std::move(rows), settings.workload.target_utilization);
}

std::string trajectory_csv(const IdealisedRun& run, const std::vector<std::string>& time_column) {
  std::string text =
      "step,timestamp_s,demand_rps,forecast_rps_t0,mpc_b0,hpa_replicas,mpc_replicas,hpa_recommended_replicas,"
      "mpc_recommended_replicas,hpa_utilization,mpc_utilization,hpa_overflow_replicas,mpc_overflow_replicas,mpc_"
      "status\n";
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    const TrajectoryRow& row = run.rows[i];
    text += cat(row.step, ",", time_column[i], ",", python_float(row.demand_rps), ",", python_float(row.forecast_rps),
                ",", python_float(row.mpc_backlog), ",", row.hpa_replicas, ",", row.mpc_replicas, ",",
                row.hpa_recommended, ",", row.mpc_recommended, ",", python_float(row.hpa_utilization), ",",
                python_float(row.mpc_utilization), ",", python_float(row.hpa_overflow), ",",
                python_float(row.mpc_overflow), ",", row.mpc_fallback ? "fallback" : "optimal", "\n");
  }
  return text;
}

std::string idealised_summary_json(const IdealisedRun& run, const IdealisedSettings& settings) {
  const double period_s = to_seconds(settings.workload.period);
  nlohmann::ordered_json config;
  config["forecast"] = settings.mpc.forecast;
  config["horizon"] = settings.mpc.horizon_stages;
  config["history_window"] = settings.mpc.history_window;
  config["es_alpha"] = settings.mpc.smoothing;
  config["capacity_per_replica"] = settings.workload.capacity_rps;
  config["rho_star"] = settings.workload.target_utilization;
  config["alpha"] = settings.mpc.alpha;
  config["beta"] = settings.mpc.beta;
  config["gamma"] = settings.mpc.gamma;
  config["min_replicas"] = settings.workload.min_replicas;
  config["max_replicas"] = settings.workload.max_replicas;
  config["max_step"] = settings.mpc.max_step;
  config["initial_replicas"] = settings.initial_replicas;
  config["hpa_target"] = settings.hpa_target;
  config["hpa_scale_down_hold_steps"] = settings.hpa_hold_steps;
  if (period_s == std::floor(period_s)) {
    config["dt_seconds"] = static_cast<std::int64_t>(period_s);
  } else {
    config["dt_seconds"] = period_s;
  }
  config["normalized_objective"] = settings.mpc.normalized_objective;
  config["normalization_reference_replicas"] = settings.mpc.normalization_reference_replicas;

  nlohmann::ordered_json object;
  object["config"] = config;
  object["n_points"] = run.rows.size();
  object["hpa"] = summary_object(run.hpa);
  object["mpc"] = summary_object(run.mpc);
  object["mpc_backlog"] = {{"b0_mean", run.backlog_mean}, {"b0_p95", run.backlog_p95}, {"b0_max", run.backlog_max}};
  object["delta_mpc_minus_hpa"] = {
      {"avg_replicas", run.mpc.avg_replicas - run.hpa.avg_replicas},
      {"replica_variation_sum_abs_delta", run.mpc.replica_variation - run.hpa.replica_variation},
      {"slo_violation_ratio", run.mpc.slo_violation_ratio - run.hpa.slo_violation_ratio},
      {"overflow_mean_replicas", run.mpc.overflow_mean - run.hpa.overflow_mean}};
  return object.dump(2) + "\n";
}

bool IdealisedGridRow::passes() const { return passes_on(spike_mpc, spike_hpa) && passes_on(step_mpc, step_hpa); }

Result<IdealisedGrid> search_idealised_grid(const trace::DemandTrace& spike, const trace::DemandTrace& step, int jobs,
                                            const std::stop_token& stop) {
  IdealisedGrid grid;
  IdealisedSettings settings;
  settings.mpc.smoothing = kGridSmoothing;
  const double target = settings.workload.target_utilization;

  // The HPA-like rule does not depend on the grid: once per trace.
  std::vector<TrajectoryRow> spike_rows(spike.demand_rps.size());
  std::vector<TrajectoryRow> step_rows(step.demand_rps.size());
  MPCA_TRY_VOID(run_hpa(spike, settings, stop, spike_rows));
  MPCA_TRY_VOID(run_hpa(step, settings, stop, step_rows));
  IdealisedGridRow prototype;
  prototype.spike_hpa = summarize_hpa(spike_rows, target);
  prototype.step_hpa = summarize_hpa(step_rows, target);
  for (const double alpha : kGridAlphas) {
    for (const double beta : kGridBetas) {
      for (const double gamma : kGridGammas) {
        for (const int horizon : kGridHorizons) {
          IdealisedGridRow& row = grid.rows.emplace_back(prototype);
          row.alpha = alpha;
          row.beta = beta;
          row.gamma = gamma;
          row.horizon = horizon;
        }
      }
    }
  }

  const int count = static_cast<int>(grid.rows.size());
  std::vector<Result<void>> outcomes(grid.rows.size());
  const int ran = os::parallel_for(count, jobs, stop, [&](int index) {
    const auto i = static_cast<std::size_t>(index);
    IdealisedGridRow& row = grid.rows[i];
    IdealisedSettings own = settings;
    own.mpc.alpha = row.alpha;
    own.mpc.beta = row.beta;
    own.mpc.gamma = row.gamma;
    own.mpc.horizon_stages = row.horizon;
    const auto run_on = [&](const trace::DemandTrace& trace, LabPolicySummary& summary) {
      std::vector<TrajectoryRow> rows(trace.demand_rps.size());
      if (outcomes[i]) outcomes[i] = run_mpc(trace, own, stop, rows);
      summary = summarize_mpc(rows, target);
    };
    run_on(spike, row.spike_mpc);
    run_on(step, row.step_mpc);
  });
  if (ran < count)
    return fail(ErrorCode::interrupted,
                cat("interrupted after ", ran, " of ", count, " configurations; nothing written"));
  for (const Result<void>& outcome : outcomes) MPCA_TRY_VOID(outcome);

  std::stable_sort(grid.rows.begin(), grid.rows.end(), [](const IdealisedGridRow& a, const IdealisedGridRow& b) {
    if (a.passes() != b.passes()) return a.passes();
    return rank_key(a) < rank_key(b);
  });
  grid.passing = static_cast<int>(
      std::count_if(grid.rows.begin(), grid.rows.end(), [](const IdealisedGridRow& row) { return row.passes(); }));
  return grid;
}

std::string idealised_grid_csv(const IdealisedGrid& grid) {
  std::string text = "alpha,beta,gamma,horizon";
  for (const char* scenario : {"spike", "step"}) {
    for (const char* column :
         {"delta_V", "delta_slo", "delta_avg_rep", "mpc_V", "hpa_V", "mpc_slo", "hpa_slo", "mpc_avg", "hpa_avg"}) {
      text += cat(",", scenario, "_", column);
    }
  }
  text += '\n';
  for (const IdealisedGridRow& row : grid.rows) {
    text += cat(python_float(row.alpha), ",", python_float(row.beta), ",", python_float(row.gamma), ",", row.horizon);
    append_grid_scenario(text, row.spike_mpc, row.spike_hpa);
    append_grid_scenario(text, row.step_mpc, row.step_hpa);
    text += '\n';
  }
  return text;
}

}  // namespace mpca::study
