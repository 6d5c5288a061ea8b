#include "study/lab_realistic.h"

#include <algorithm>
#include <cmath>

#include "core/os/parallel.h"
#include "core/stats.h"
#include "core/text.h"
#include "policy/run_policy.h"

namespace mpca::study {
namespace {

using policy::Decision;
using policy::Observation;
using policy::OnPeriod;
using policy::PeriodOutcome;

RealisticSide side_of(const policy::Workload& workload, const Decision& decision, const PeriodOutcome& outcome) {
  return {.desired = decision.replicas,
          .ready = outcome.ready_replicas,
          .in_flight = sim::md1_in_flight(outcome.demand_rps, workload.capacity_rps, outcome.ready_replicas),
          .p95_ms = outcome.latency_p95_s.value_or(0.0) * 1e3,
          .utilization = outcome.utilization,
          .violated = outcome.utilization > workload.target_utilization};
}

Result<void> run_side(const trace::DemandTrace& trace, const LabRealisticSettings& settings,
                      const policy::Workload& workload, policy::Policy& policy, const std::stop_token& stop,
                      const OnPeriod& on_period) {
  sim::RealisticWorld world(trace, workload, std::max(settings.initial_replicas, workload.min_replicas),
                            settings.world);
  if (!run_policy(world, policy, stop, on_period)) return fail(ErrorCode::interrupted, "interrupted");
  return {};
}

Result<void> run_hpa(const trace::DemandTrace& trace, const LabRealisticSettings& settings, const std::stop_token& stop,
                     std::vector<RealisticTick>& ticks) {
  MPCA_TRY(const auto policy,
           policy::create_policy(cat("lab-hpa-realistic:target=", settings.hpa_target,
                                     ",down-steps=", settings.hpa_down_steps, ",up-factor=", settings.hpa_up_factor),
                                 settings.workload, "hpa"));
  std::size_t step = 0;
  return run_side(trace, settings, settings.workload, *policy, stop,
                  [&](const Observation&, const Decision& decision, const PeriodOutcome& outcome) {
                    ticks[step++].hpa = side_of(settings.workload, decision, outcome);
                  });
}

Result<void> run_mpc(const trace::DemandTrace& trace, const LabRealisticSettings& settings, const std::stop_token& stop,
                     std::vector<RealisticTick>& ticks) {
  policy::Workload workload = settings.workload;
  workload.min_replicas = settings.mpc_min_replicas;
  workload.max_replicas = settings.mpc_max_replicas;
  MPCA_TRY(const auto policy, policy::create_lab_mpc(settings.mpc, workload));
  std::size_t step = 0;
  return run_side(trace, settings, workload, *policy, stop,
                  [&](const Observation&, const Decision& decision, const PeriodOutcome& outcome) {
                    RealisticTick& tick = ticks[step];
                    tick.phase = trace.phase_idx.empty() ? 0 : trace.phase_idx[step];
                    ++step;
                    tick.demand_rps = outcome.demand_rps;
                    tick.mpc = side_of(workload, decision, outcome);
                    tick.demand_proxy_rps = decision.explanation.demand_rps.value_or(0.0);
                    tick.forecast_rps = decision.explanation.forecast.front().demand_rps;
                    const policy::Explanation& why = decision.explanation;
                    tick.backlog = named_value(why, "backlog_requests").value_or(0.0);
                    tick.recommended = static_cast<int>(named_value(why, "plan_replicas").value_or(0.0));
                    tick.emergency = named_value(why, "emergency").has_value();
                    tick.greedy = decision.explanation.status == "greedy";
                  });
}

constexpr NamedMetric kColumns[] = {
    {"mpc_V", true, [](const RealisticMetrics& m) { return m.mpc_variation; }},
    {"hpa_V", true, [](const RealisticMetrics& m) { return m.hpa_variation; }},
    {"delta_V", true, [](const RealisticMetrics& m) { return m.delta_variation(); }},
    {"mpc_slo", false, [](const RealisticMetrics& m) { return m.mpc_slo; }},
    {"hpa_slo", false, [](const RealisticMetrics& m) { return m.hpa_slo; }},
    {"delta_slo", false, [](const RealisticMetrics& m) { return m.delta_slo(); }},
    {"mpc_avg_rep", false, [](const RealisticMetrics& m) { return m.mpc_avg; }},
    {"hpa_avg_rep", false, [](const RealisticMetrics& m) { return m.hpa_avg; }},
    {"delta_avg_rep", false, [](const RealisticMetrics& m) { return m.delta_avg(); }},
    {"mpc_p95", false, [](const RealisticMetrics& m) { return m.mpc_p95_ms; }},
    {"hpa_p95", false, [](const RealisticMetrics& m) { return m.hpa_p95_ms; }},
    {"delta_p95", false, [](const RealisticMetrics& m) { return m.mpc_p95_ms - m.hpa_p95_ms; }},
    {"mpc_emergency_count", true, [](const RealisticMetrics& m) { return static_cast<double>(m.emergencies); }},
};

constexpr double kReplicaAllowance = 0.15;  // of the HPA's average
constexpr double kSpikeSloAllowance = 0.01;
constexpr double kStepSloAllowance = 0.02;
constexpr double kStepVariationAllowance = 2.0;
constexpr std::size_t kSeasonalityFinalists = 30;

bool within_replica_allowance(const RealisticMetrics& metrics) {
  return metrics.delta_avg() <= kReplicaAllowance * metrics.hpa_avg;
}

bool is_feasible(const RealisticGridRow& row) {
  if (row.spike && !(row.spike->focus.delta_slo() <= kSpikeSloAllowance && within_replica_allowance(row.spike->focus)))
    return false;
  return !row.step || (row.step->focus.delta_slo() <= kStepSloAllowance && within_replica_allowance(row.step->focus));
}

double step_score(const RealisticGridRow& row) {
  if (!row.step) return 0.0;
  const RealisticMetrics& step = row.step->focus;
  return 6.0 * step.delta_slo() + step.delta_variation() + 2.0 * step.delta_avg();
}

bool is_gold(const RealisticGridRow& row) {
  return (!row.spike || row.spike->focus.delta_slo() <= 0.0) &&
         (!row.step || (row.step->focus.delta_variation() <= kStepVariationAllowance &&
                        within_replica_allowance(row.step->focus))) &&
         (!row.seasonality || row.seasonality->focus.delta_slo() < 0.0);
}

bool is_silver(const RealisticGridRow& row) {
  return (row.step && row.step->focus.delta_variation() <= kStepVariationAllowance) ||
         (row.seasonality && row.seasonality->focus.delta_slo() < 0.0);
}

}  // namespace

std::span<const NamedMetric> realistic_metric_columns() { return kColumns; }

std::vector<int> focus_phases(const std::string& scenario) {
  if (scenario == "spike" || scenario == "step") return {2};
  if (scenario == "seasonality") return {2, 3, 4};
  return {};
}

Result<std::vector<RealisticTick>> simulate_realistic(const trace::DemandTrace& trace,
                                                      const LabRealisticSettings& settings,
                                                      const std::stop_token& stop) {
  std::vector<RealisticTick> ticks(trace.demand_rps.size());
  MPCA_TRY_VOID(run_hpa(trace, settings, stop, ticks));
  MPCA_TRY_VOID(run_mpc(trace, settings, stop, ticks));
  return ticks;
}

RealisticMetrics realistic_metrics(std::span<const RealisticTick> ticks, std::span<const int> phases) {
  RealisticMetrics metrics;
  std::vector<double> mpc_p95, hpa_p95;
  const RealisticTick* previous = nullptr;
  for (const RealisticTick& tick : ticks) {
    if (!phases.empty() && std::find(phases.begin(), phases.end(), tick.phase) == phases.end()) continue;
    if (previous != nullptr) {
      metrics.mpc_variation += std::abs(tick.mpc.ready - previous->mpc.ready);
      metrics.hpa_variation += std::abs(tick.hpa.ready - previous->hpa.ready);
    }
    previous = &tick;
    metrics.mpc_slo += tick.mpc.violated ? 1.0 : 0.0;
    metrics.hpa_slo += tick.hpa.violated ? 1.0 : 0.0;
    metrics.mpc_avg += tick.mpc.ready;
    metrics.hpa_avg += tick.hpa.ready;
    mpc_p95.push_back(tick.mpc.p95_ms);
    hpa_p95.push_back(tick.hpa.p95_ms);
    metrics.emergencies += tick.emergency ? 1 : 0;
  }
  if (mpc_p95.empty()) return metrics;
  const auto count = static_cast<double>(mpc_p95.size());
  metrics.mpc_slo /= count;
  metrics.hpa_slo /= count;
  metrics.mpc_avg /= count;
  metrics.hpa_avg /= count;
  metrics.mpc_p95_ms = quantile_linear(mpc_p95, 0.95);
  metrics.hpa_p95_ms = quantile_linear(hpa_p95, 0.95);
  return metrics;
}

double RealisticGridRow::score() const {
  double total = step_score(*this);
  if (seasonality) total += 10.0 * seasonality->focus.delta_slo() + seasonality->focus.delta_variation();
  return total;
}

namespace {

// One scenario of the search: its trace and what does not depend on the grid, computed once.
class Scenario {
 public:
  static Result<Scenario> create(const char* name, const trace::DemandTrace* trace, int min_replicas,
                                 const RealisticGridSettings& settings, const std::stop_token& stop) {
    MPCA_CHECK(trace != nullptr, "the chosen scenario needs this trace");
    Scenario scenario(trace, focus_phases(name), settings.base);
    scenario.settings_.mpc_min_replicas = min_replicas;
    scenario.ticks_.resize(trace->demand_rps.size());
    MPCA_TRY_VOID(run_hpa(*trace, scenario.settings_, stop, scenario.ticks_));
    if (!trace->phase_idx.empty() || scenario.focus_.empty()) return scenario;
    scenario.focus_.clear();  // a trace without phases has no focus: all of it counts
    return scenario;
  }

  Result<ScenarioMetrics> run(const RealisticGridRow& row, const std::stop_token& stop) const {
    LabRealisticSettings settings = settings_;
    settings.mpc.alpha = row.alpha;
    settings.mpc.beta = row.beta;
    settings.mpc.gamma = row.gamma;
    settings.mpc.horizon_stages = row.horizon;
    settings.mpc.emergency_in_flight = row.emergency_threshold;
    std::vector<RealisticTick> ticks = ticks_;
    MPCA_TRY_VOID(run_mpc(*trace_, settings, stop, ticks));
    return ScenarioMetrics{realistic_metrics(ticks, {}), realistic_metrics(ticks, focus_)};
  }

 private:
  Scenario(const trace::DemandTrace* trace, std::vector<int> focus, const LabRealisticSettings& settings)
      : trace_(trace), focus_(std::move(focus)), settings_(settings) {}

  const trace::DemandTrace* trace_;
  std::vector<int> focus_;
  LabRealisticSettings settings_;
  std::vector<RealisticTick> ticks_;  // the HPA's side filled in
};

/// Runs `scenario` for the rows named by `indices`, into `member` of each.
Result<void> run_rows(const Scenario& scenario, std::vector<RealisticGridRow>& rows, std::span<const int> indices,
                      std::optional<ScenarioMetrics> RealisticGridRow::* member, int jobs,
                      const std::stop_token& stop) {
  std::vector<Result<void>> outcomes(indices.size());
  const int count = static_cast<int>(indices.size());
  const int ran = os::parallel_for(count, jobs, stop, [&](int i) {
    RealisticGridRow& row = rows[static_cast<std::size_t>(indices[static_cast<std::size_t>(i)])];
    auto metrics = scenario.run(row, stop);
    if (metrics) {
      row.*member = *metrics;
    } else {
      outcomes[static_cast<std::size_t>(i)] = std::unexpected(metrics.error());
    }
  });
  for (const Result<void>& outcome : outcomes) MPCA_TRY_VOID(outcome);
  if (ran < count)
    return fail(ErrorCode::interrupted,
                cat("interrupted after ", ran, " of ", count, " configurations; nothing written"));
  return {};
}

}  // namespace

Result<RealisticGrid> search_realistic_grid(const ScenarioTraces& traces, const RealisticGridSettings& settings,
                                            int jobs, const std::stop_token& stop) {
  RealisticGrid grid;
  for (const double alpha : settings.alphas) {
    for (const double beta : settings.betas) {
      for (const double gamma : settings.gammas) {
        for (const int horizon : settings.horizons) {
          for (const double threshold : settings.emergency_thresholds) {
            RealisticGridRow& row = grid.rows.emplace_back();
            row.alpha = alpha;
            row.beta = beta;
            row.gamma = gamma;
            row.horizon = horizon;
            row.emergency_threshold = threshold;
          }
        }
      }
    }
  }
  std::vector<int> all_rows(grid.rows.size());
  for (std::size_t i = 0; i < all_rows.size(); ++i) all_rows[i] = static_cast<int>(i);

  const auto run_scenario = [&](const char* name, const trace::DemandTrace* trace, int min_replicas,
                                std::optional<ScenarioMetrics> RealisticGridRow::* member,
                                std::span<const int> indices) -> Result<void> {
    MPCA_TRY(const Scenario scenario, Scenario::create(name, trace, min_replicas, settings, stop));
    return run_rows(scenario, grid.rows, indices, member, jobs, stop);
  };
  const bool is_core = settings.scenario == "core";
  const bool is_all = settings.scenario == "all";
  if (is_core || is_all || settings.scenario == "spike") {
    MPCA_TRY_VOID(run_scenario("spike", traces.spike, settings.spike_min_replicas, &RealisticGridRow::spike, all_rows));
  }
  if (is_core || is_all || settings.scenario == "step") {
    MPCA_TRY_VOID(run_scenario("step", traces.step, settings.step_min_replicas, &RealisticGridRow::step, all_rows));
  }
  if (is_all || settings.scenario == "seasonality") {
    MPCA_TRY_VOID(run_scenario("seasonality", traces.seasonality, settings.seasonality_min_replicas,
                               &RealisticGridRow::seasonality, all_rows));
  }

  for (RealisticGridRow& row : grid.rows) {
    row.feasible = is_feasible(row);
    if (row.feasible) ++grid.feasible;
  }
  for (const int index : all_rows) {
    if (grid.feasible == 0 || grid.rows[static_cast<std::size_t>(index)].feasible) grid.pool.push_back(index);
  }
  const auto sort_pool = [&] {
    std::stable_sort(grid.pool.begin(), grid.pool.end(), [&](int a, int b) {
      return grid.rows[static_cast<std::size_t>(a)].score() < grid.rows[static_cast<std::size_t>(b)].score();
    });
  };
  sort_pool();
  if (is_core) {
    grid.pool.resize(std::min(grid.pool.size(), kSeasonalityFinalists));
    MPCA_TRY_VOID(run_scenario("seasonality", traces.seasonality, settings.seasonality_min_replicas,
                               &RealisticGridRow::seasonality, grid.pool));
    sort_pool();
  }
  for (const int index : grid.pool) {
    const RealisticGridRow& row = grid.rows[static_cast<std::size_t>(index)];
    if (is_gold(row)) grid.gold.push_back(index);
    if (is_silver(row)) grid.silver.push_back(index);
  }
  return grid;
}

std::string realistic_grid_csv(const RealisticGrid& grid) {
  struct Column {
    const char* name;
    std::optional<ScenarioMetrics> RealisticGridRow::* member;
  };
  std::vector<Column> scenarios;
  for (const Column& column : {Column{"spike", &RealisticGridRow::spike}, Column{"step", &RealisticGridRow::step},
                               Column{"seasonality", &RealisticGridRow::seasonality}}) {
    if (std::any_of(grid.rows.begin(), grid.rows.end(),
                    [&](const RealisticGridRow& row) { return (row.*column.member).has_value(); })) {
      scenarios.push_back(column);
    }
  }
  std::string text = "alpha,beta,gamma,horizon,emerg_thresh";
  for (const Column& scenario : scenarios) {
    for (const char* part : {"all", "focus"}) {
      for (const NamedMetric& metric : kColumns) text += cat(",", scenario.name, "_", part, "_", metric.name);
    }
  }
  text += '\n';
  const auto append = [&](const std::optional<ScenarioMetrics>& metrics, RealisticMetrics ScenarioMetrics::* part) {
    for (const NamedMetric& metric : kColumns) {
      text += ',';
      if (!metrics) continue;
      const double value = metric.value((*metrics).*part);
      text += metric.is_count ? shortest(value) : python_float(value);
    }
  };
  for (const RealisticGridRow& row : grid.rows) {
    text += cat(python_float(row.alpha), ",", python_float(row.beta), ",", python_float(row.gamma), ",", row.horizon,
                ",", python_float(row.emergency_threshold));
    for (const Column& scenario : scenarios) {
      append(row.*scenario.member, &ScenarioMetrics::all);
      append(row.*scenario.member, &ScenarioMetrics::focus);
    }
    text += '\n';
  }
  return text;
}

}  // namespace mpca::study
