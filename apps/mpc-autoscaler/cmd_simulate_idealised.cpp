// `simulate idealised`, the reference lab's `mpc-offline-sim`: its MPC and its HPA-like rule on one trace.
#include <algorithm>
#include <cmath>
#include <functional>

#include "config/trace_files.h"
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "report/trajectory_figure.h"
#include "study/lab_idealised.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-offline-sim";

struct SimulateOptions {
  std::string trace_csv;
  std::string out_dir;
  std::string rps_column = "rps";
  std::string time_column;
  study::IdealisedSettings settings;
  double period_s = 15.0;
};

SettingsTable settings_of(SimulateOptions& options) {
  study::IdealisedSettings& settings = options.settings;
  return {
      Setting("trace-csv", &options.trace_csv, "the demand, a row per step").require(),
      Setting("out-dir", &options.out_dir, "where trajectory.csv, summary.json and trajectory.png go").require(),
      {"rps-column", &options.rps_column, "column with the demand in requests per second"},
      {"time-column", &options.time_column,
       "column for the trajectory's timestamp_s; else timestamp_s if there, else step x dt"},
      {"forecast", &settings.mpc.forecast, "exponential smoothing or Holt's damped trend", {"es", "hw"}},
      {"horizon", &settings.mpc.horizon_stages, "steps", Range::between(1, 512), "how far the plan looks"},
      {"history-window", &settings.mpc.history_window, "steps", Range::between(1, 100'000),
       "how many past values the forecast sees"},
      {"es-alpha", &settings.mpc.smoothing, "", Range::between(0, 1), "smoothing: the weight of the newest value"},
      {"capacity-per-replica", &settings.workload.capacity_rps, "rps", Range::above(0),
       "requests per second that one replica serves"},
      {"rho-star",
       &settings.workload.target_utilization,
       "fraction",
       {.low = 0, .high = 1, .low_open = true},
       "target utilization"},
      {"alpha", &settings.mpc.alpha, "", Range::at_least(0), "weight of the squared backlog"},
      {"beta", &settings.mpc.beta, "", Range::at_least(0), "weight of squared replica changes"},
      {"gamma", &settings.mpc.gamma, "", Range::at_least(0), "price of a replica"},
      {"min-replicas", &settings.workload.min_replicas, "replicas", Range::at_least(0), "lower bound"},
      {"max-replicas", &settings.workload.max_replicas, "replicas", Range::at_least(1), "upper bound"},
      {"max-step", &settings.mpc.max_step, "replicas", Range::at_least(1), "largest change in one step"},
      {"initial-replicas", &settings.initial_replicas, "replicas", Range::at_least(0), "of both sides at the start"},
      {"hpa-target", &settings.hpa_target, "fraction", Range::above(0), "utilization that the HPA-like rule runs at"},
      {"hpa-scale-down-hold-steps", &settings.hpa_hold_steps, "steps", Range::at_least(0),
       "steps in a row that must ask for less before it scales down"},
      {"dt-seconds", &options.period_s, "s", {.low = 0, .high = 1e7, .low_open = true}, "length of a step"},
      {"normalized-objective", &settings.mpc.normalized_objective,
       "scale the terms of the objective to comparable size"},
      {"normalization-reference-replicas", &settings.mpc.normalization_reference_replicas, "replicas", Range{},
       "scale of the normalized objective; <= 0 means --max-replicas"},
  };
}

/// Whole numbers as whole numbers, unless one of the column is not whole: then all as floats.
std::vector<std::string> time_texts(const std::vector<double>& seconds) {
  bool all_whole = true;
  for (const double value : seconds) all_whole = all_whole && value == std::floor(value);
  std::vector<std::string> texts;
  for (const double value : seconds) texts.push_back(all_whole ? shortest(value) : python_float(value));
  return texts;
}

/// The time axis of the picture: the time column, or step x dt when that goes back or stands still (the lab accepts
/// both).
std::vector<double> time_axis(std::vector<double> seconds, double period_s) {
  const auto goes_on = [](double a, double b) { return a < b; };
  if (std::adjacent_find(seconds.begin(), seconds.end(), std::not_fn(goes_on)) == seconds.end()) return seconds;
  for (std::size_t i = 0; i < seconds.size(); ++i) seconds[i] = static_cast<double>(i) * period_s;
  return seconds;
}

report::TrajectoryFigure figure_of(const study::IdealisedRun& run, const std::vector<double>& time_s,
                                   const SimulateOptions& options, const std::string& title) {
  report::TrajectoryFigure figure;
  figure.title = title;
  figure.target_utilization = options.settings.workload.target_utilization;
  figure.time_s = time_s;
  for (const study::TrajectoryRow& row : run.rows) {
    figure.demand_rps.push_back(row.demand_rps);
    figure.forecast_rps.push_back(row.forecast_rps);
    figure.hpa_replicas.push_back(row.hpa_replicas);
    figure.mpc_replicas.push_back(row.mpc_replicas);
    figure.hpa_utilization.push_back(row.hpa_utilization);
    figure.mpc_utilization.push_back(row.mpc_utilization);
    figure.mpc_backlog_requests.push_back(row.mpc_backlog);
  }
  return figure;
}

Result<int> run(const SimulateOptions& options, Context& context) {
  study::IdealisedSettings settings = options.settings;
  settings.workload.period = from_seconds(options.period_s);
  MPCA_TRY_VOID(policy::validate(settings.workload));
  trace::TraceCsvOptions columns;
  columns.manners = trace::Manners::lab;
  columns.fallback_step = settings.workload.period;
  columns.rps_column = options.rps_column;
  columns.needs_step_and_time = false;
  if (!options.time_column.empty()) columns.time_column = options.time_column;
  MPCA_TRY(const trace::TraceCsvContent content, config::load_trace_csv(options.trace_csv, columns));
  for (const std::string& warning : content.warnings)
    context.err << "warning: " << options.trace_csv << ": " << warning << '\n';
  MPCA_TRY(const study::IdealisedRun result, study::simulate_idealised(content.trace, settings, context.stop));
  MPCA_TRY(const std::string picture,
           report::trajectory_png(
               figure_of(result, time_axis(content.timestamp_s, options.period_s), options, content.trace.name)));
  MPCA_TRY_VOID(os::make_directories(options.out_dir));
  const std::string trajectory = options.out_dir + "/trajectory.csv";
  const std::string summary = options.out_dir + "/summary.json";
  const std::string plot = options.out_dir + "/trajectory.png";
  MPCA_TRY_VOID(os::write_file(trajectory, study::trajectory_csv(result, time_texts(content.timestamp_s))));
  MPCA_TRY_VOID(os::write_file(summary, study::idealised_summary_json(result, settings)));
  MPCA_TRY_VOID(os::write_file(plot, picture));
  context.out << "Input trace: " << options.trace_csv << "\nSaved trajectory: " << trajectory
              << "\nSaved summary: " << summary << "\nSaved plot: " << plot << '\n';
  return 0;
}

Result<int> simulate_idealised(const SimulateOptions& options, Context& context) {
  const auto code = run(options, context);
  return code ? code : input_failure(code.error(), kLabName, context);
}

}  // namespace

Command simulate_idealised_command() {
  Command command;
  command.path = "simulate idealised";
  command.lab_name = kLabName;
  command.sentence =
      "the reference lab's offline simulator: its MPC and its HPA-like rule on one trace, with a picture";
  command.examples = {
      "mpc-autoscaler simulate idealised --trace-csv data/traces/baseline_spike_profile_dt15.csv --out-dir out/sim",
      "mpc-autoscaler simulate idealised --trace-csv demand.csv --forecast hw --horizon 10 --out-dir out/holt"};
  return make_command<SimulateOptions>(std::move(command), settings_of, simulate_idealised);
}

}  // namespace mpca::app
