#include "mpc-autoscaler/commands.h"

namespace mpca::app {

std::vector<Command> all_commands() {
  std::vector<Command> commands;
  for (Command (*make)() : {compare_command,
                            backtest_command,
                            tune_command,
                            prior_command,
                            study_merge_command,
                            lab_command,
                            experiment_hpa_command,
                            experiment_mpc_command,
                            experiment_batch_command,
                            experiment_restore_command,
                            policies_command,
                            explain_command,
                            hpa_explain_command,
                            crd_command,
                            replay_command,
                            trace_generate_command,
                            trace_from_phases_command,
                            trace_validate_command,
                            trace_import_command,
                            trace_transform_command,
                            trace_info_command,
                            simulate_idealised_command,
                            grid_idealised_command,
                            grid_realistic_command,
                            report_summarize_run_command,
                            report_costs_command,
                            report_shadow_command,
                            control_loop_command,
                            run_command}) {
    commands.push_back(make());
  }
  return commands;
}

}  // namespace mpca::app
