// `study grid realistic`, the reference lab's `mpc-realistic-grid`.
#include <cstdio>
#include <optional>

#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/lab_traces.h"
#include "study/lab_realistic.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-realistic-grid";
constexpr std::size_t kShownRows = 15;

struct GridOptions {
  study::RealisticGridSettings grid;
  double service_time_ms = 23.0;
  double control_step_s = 15.0;
  double scrape_interval_s = 30.0;
  std::string trace_dir;
  std::string out_csv = "analysis/out/offline/realistic_grid_results.csv";
};

SettingsTable settings_of(GridOptions& options) {
  study::RealisticGridSettings& grid = options.grid;
  study::LabRealisticSettings& base = grid.base;
  const Range seconds{.low = 0, .high = 1e7, .low_open = true};
  return {
      {"scenario",
       &grid.scenario,
       "traces to run; core is spike and step for all, then seasonality for the best 30",
       {"spike", "step", "seasonality", "core", "all"}},
      {"mu", &base.workload.capacity_rps, "rps", Range::above(0), "requests per second that one replica serves"},
      {"rho-star",
       &base.workload.target_utilization,
       "fraction",
       {.low = 0, .high = 1, .low_open = true},
       "target utilization"},
      {"inflight-gain", &base.mpc.in_flight_gain, "rps per request", Range::at_least(0),
       "demand that one request in flight stands for"},
      {"inflight-cap-per-replica", &base.world.in_flight_cap_per_replica, "requests", Range::at_least(0),
       "most in-flight requests that a scrape shows, per ready replica"},
      {"demand-cap-rps", &base.mpc.demand_cap_rps, "rps", Range::above(0), "largest believed demand"},
      {"service-time-ms", &options.service_time_ms, "ms", Range::above(0), "mean service time"},
      {"control-step", &options.control_step_s, "s", seconds, "length of a step"},
      {"scrape-interval", &options.scrape_interval_s, "s", seconds, "between two looks at the metrics"},
      {"ready-delay-steps", &base.world.ready_delay_periods, "steps", Range::between(0, 10'000),
       "from asking for a replica until it serves"},
      {"initial-replicas", &base.initial_replicas, "replicas", Range::at_least(0), "of both sides at the start"},
      {"step-min-replicas", &grid.step_min_replicas, "replicas", Range::at_least(0), "the MPC's minimum on step"},
      {"spike-min-replicas", &grid.spike_min_replicas, "replicas", Range::at_least(0), "the MPC's minimum on spike"},
      {"seasonality-min-replicas", &grid.seasonality_min_replicas, "replicas", Range::at_least(0),
       "the MPC's minimum on seasonality"},
      {"mpc-max-replicas", &base.mpc_max_replicas, "replicas", Range::at_least(1), "the MPC's maximum"},
      {"hpa-max-replicas", &base.workload.max_replicas, "replicas", Range::at_least(1), "the HPA's maximum"},
      {"normalized-objective", &base.mpc.normalized_objective, "scale the terms of the objective to comparable size"},
      {"normalization-reference-replicas", &base.mpc.normalization_reference_replicas, "replicas", Range{},
       "scale of the normalized objective; <= 0 means --mpc-max-replicas"},
      {"trace-dir", &options.trace_dir,
       "folder of the three baseline_*_profile_dt15.csv; the packaged ones when empty"},
      {"out-csv", &options.out_csv, "all rows"},
      {"alpha-vals", &grid.alphas, "list", Range::at_least(0), "weights of the squared backlog"},
      {"beta-vals", &grid.betas, "list", Range::at_least(0), "weights of squared replica changes"},
      {"gamma-vals", &grid.gammas, "list", Range::at_least(0), "prices of a replica"},
      {"horizon-vals", &grid.horizons, "list", Range::between(1, 512), "horizons in steps"},
      {"emerg-thresh-vals", &grid.emergency_thresholds, "list", Range::above(0),
       "in-flight thresholds of the emergency rule"},
  };
}

void print_row(std::ostream& out, const study::RealisticGridRow& row) {
  const auto part = [](const std::optional<study::ScenarioMetrics>& metrics) {
    if (!metrics) return std::string("       -       -       -");
    char text[64];
    std::snprintf(text, sizeof text, " %7.4f %7.0f %7.3f", metrics->focus.delta_slo(), metrics->focus.delta_variation(),
                  metrics->focus.delta_avg());
    return std::string(text);
  };
  char head[96];
  std::snprintf(head, sizeof head, "%7g %6g %6g %3d %6g %9.4f", row.alpha, row.beta, row.gamma, row.horizon,
                row.emergency_threshold, row.score());
  out << head << " |" << part(row.spike) << " |" << part(row.step) << " |" << part(row.seasonality) << '\n';
}

Result<int> run(const GridOptions& options, Context& context) {
  study::RealisticGridSettings settings = options.grid;
  settings.base.workload.period = from_seconds(options.control_step_s);
  settings.base.world.service_time = from_seconds(options.service_time_ms / 1e3);
  // The lab never scrapes more often than it decides.
  settings.base.world.scrape_interval = from_seconds(std::max(options.scrape_interval_s, options.control_step_s));
  MPCA_TRY_VOID(policy::validate(settings.base.workload));
  Problems problems;
  for (const auto& [flag, minimum] : {std::pair{"--step-min-replicas", settings.step_min_replicas},
                                      std::pair{"--spike-min-replicas", settings.spike_min_replicas},
                                      std::pair{"--seasonality-min-replicas", settings.seasonality_min_replicas}}) {
    if (minimum > settings.base.mpc_max_replicas)
      problems.add(cat(flag, " is ", minimum, "; must be <= --mpc-max-replicas, ", settings.base.mpc_max_replicas));
  }
  MPCA_TRY_VOID(problems.to_result());

  const std::string directory = options.trace_dir.empty() ? packaged_trace_dir() : options.trace_dir;
  std::optional<trace::DemandTrace> spike, step, seasonality;
  const std::string& scenario = settings.scenario;
  const bool is_wide = scenario == "core" || scenario == "all";
  if (is_wide || scenario == "spike") {
    MPCA_TRY(spike, load_lab_trace(directory, "spike"));
  }
  if (is_wide || scenario == "step") {
    MPCA_TRY(step, load_lab_trace(directory, "step"));
  }
  if (is_wide || scenario == "seasonality") {
    MPCA_TRY(seasonality, load_lab_trace(directory, "seasonality"));
  }
  const study::ScenarioTraces traces{spike ? &*spike : nullptr, step ? &*step : nullptr,
                                     seasonality ? &*seasonality : nullptr};
  MPCA_TRY(const study::RealisticGrid grid,
           study::search_realistic_grid(traces, settings, os::hardware_jobs(), context.stop));
  MPCA_TRY_VOID(write_result(options.out_csv, study::realistic_grid_csv(grid)));

  const std::span<const int> finalists = grid.finalists();
  context.out << "Configs passing feasibility filter: " << grid.feasible << " / " << grid.rows.size()
              << "\nPool: " << grid.pool.size() << ", gold: " << grid.gold.size() << ", silver: " << grid.silver.size()
              << "\n\n"
              << "  alpha   beta  gamma   H  emerg         J |        spike: dslo, dV, davg |  step: dslo, dV, davg  | "
                 "seasonality: dslo, dV, davg\n";
  for (std::size_t i = 0; i < std::min(finalists.size(), kShownRows); ++i)
    print_row(context.out, grid.rows[static_cast<std::size_t>(finalists[i])]);
  if (!finalists.empty()) {
    const study::RealisticGridRow& best = grid.rows[static_cast<std::size_t>(finalists.front())];
    context.out << "\nBest: alpha=" << shortest(best.alpha) << " beta=" << shortest(best.beta)
                << " gamma=" << shortest(best.gamma) << " horizon=" << best.horizon
                << " emerg_thresh=" << shortest(best.emergency_threshold) << '\n';
  }
  context.out << "Results saved: " << options.out_csv << '\n';
  return 0;
}

Result<int> grid_realistic(const GridOptions& options, Context& context) {
  const auto code = run(options, context);
  return code ? code : input_failure(code.error(), kLabName, context);
}

}  // namespace

Command grid_realistic_command() {
  Command command;
  command.path = "study grid realistic";
  command.lab_name = kLabName;
  command.sentence =
      "the reference lab's grid search over its realistic simulator: readiness lag, scrape cadence, safety rules";
  command.examples = {"mpc-autoscaler study grid realistic",
                      "mpc-autoscaler study grid realistic --scenario all --alpha-vals 5,10 --out-csv out/grid.csv"};
  return make_command<GridOptions>(std::move(command), settings_of, grid_realistic);
}

}  // namespace mpca::app
