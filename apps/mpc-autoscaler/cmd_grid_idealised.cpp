// `study grid idealised`, the reference lab's `mpc-grid-search`.
#include <cstdio>

#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/lab_traces.h"
#include "study/lab_idealised.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-grid-search";
constexpr std::size_t kShownRows = 15;

struct GridOptions {
  std::string trace_dir;
  std::string out_csv = "analysis/out/offline/grid_search_results.csv";
};

SettingsTable settings_of(GridOptions& options) {
  return {
      {"trace-dir", &options.trace_dir,
       "folder of baseline_spike_profile_dt15.csv and baseline_step_profile_dt15.csv; the packaged ones when empty"},
      {"out-csv", &options.out_csv, "all rows, in ranking order"}};
}

std::string table_row(const study::IdealisedGridRow& row) {
  char line[256];
  std::snprintf(line, sizeof line, "%7g %6g %6g %3d %9.0f %11.4f %10.3f %9.0f %11.4f %10.3f\n", row.alpha, row.beta,
                row.gamma, row.horizon, row.spike_delta_variation(),
                row.spike_mpc.slo_violation_ratio - row.spike_hpa.slo_violation_ratio,
                row.spike_mpc.avg_replicas - row.spike_hpa.avg_replicas, row.step_delta_variation(),
                row.step_mpc.slo_violation_ratio - row.step_hpa.slo_violation_ratio,
                row.step_mpc.avg_replicas - row.step_hpa.avg_replicas);
  return line;
}

Result<int> run(const GridOptions& options, Context& context) {
  const std::string directory = options.trace_dir.empty() ? packaged_trace_dir() : options.trace_dir;
  MPCA_TRY(const trace::DemandTrace spike, load_lab_trace(directory, "spike"));
  MPCA_TRY(const trace::DemandTrace step, load_lab_trace(directory, "step"));
  MPCA_TRY(const study::IdealisedGrid grid,
           study::search_idealised_grid(spike, step, os::hardware_jobs(), context.stop));
  MPCA_TRY_VOID(write_result(options.out_csv, study::idealised_grid_csv(grid)));

  context.out << "Configs passing all criteria: " << grid.passing << " / " << grid.rows.size() << "\n\n"
              << "  alpha   beta  gamma   H  spike dV  spike dslo  spike davg   step dV   step dslo   step davg\n";
  const std::size_t ranked = grid.passing > 0 ? static_cast<std::size_t>(grid.passing) : grid.rows.size();
  for (std::size_t i = 0; i < std::min(ranked, kShownRows); ++i) context.out << table_row(grid.rows[i]);
  const study::IdealisedGridRow& best = grid.rows.front();
  context.out << "\nBest: alpha=" << shortest(best.alpha) << " beta=" << shortest(best.beta)
              << " gamma=" << shortest(best.gamma) << " horizon=" << best.horizon
              << (grid.passing > 0 ? "" : " (no configuration passes; best by dV_spike + dV_step)")
              << "\nFull results saved to: " << options.out_csv << '\n';
  return 0;
}

Result<int> grid_idealised(const GridOptions& options, Context& context) {
  const auto code = run(options, context);
  return code ? code : input_failure(code.error(), kLabName, context);
}

}  // namespace

Command grid_idealised_command() {
  Command command;
  command.path = "study grid idealised";
  command.lab_name = kLabName;
  command.sentence =
      "the reference lab's grid search over its idealised simulator: 300 settings of its MPC on spike and step";
  command.examples = {"mpc-autoscaler study grid idealised",
                      "mpc-autoscaler study grid idealised --out-csv out/grid.csv"};
  return make_command<GridOptions>(std::move(command), settings_of, grid_idealised);
}

}  // namespace mpca::app
