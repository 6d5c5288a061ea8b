// Every subcommand of the program. Adding one: its cmd_*.cpp, a line here and a line in commands.cpp.
#pragma once

#include <vector>

#include "cli/command.h"

namespace mpca::app {

Command backtest_command();
Command compare_command();
Command lab_command();
Command control_loop_command();
Command run_command();
Command crd_command();
Command experiment_batch_command();
Command experiment_hpa_command();
Command experiment_mpc_command();
Command experiment_restore_command();
Command explain_command();
Command grid_idealised_command();
Command grid_realistic_command();
Command hpa_explain_command();
Command policies_command();
Command prior_command();
Command replay_command();
Command report_costs_command();
Command report_shadow_command();
Command report_summarize_run_command();
Command simulate_idealised_command();
Command study_merge_command();
Command trace_from_phases_command();
Command trace_generate_command();
Command trace_import_command();
Command trace_info_command();
Command trace_transform_command();
Command trace_validate_command();
Command tune_command();

/// In the order of the help page.
std::vector<Command> all_commands();

}  // namespace mpca::app
