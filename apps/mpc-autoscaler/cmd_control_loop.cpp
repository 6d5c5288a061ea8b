// `run-one`, the reference lab's `mpc-control-loop`: one workload under live control. Not there yet; the name is, and
// says so.
#include "mpc-autoscaler/commands.h"

namespace mpca::app {
namespace {

struct ControlLoopOptions {};

SettingsTable settings_of(ControlLoopOptions&) { return {}; }

Result<int> control_loop(const ControlLoopOptions&, Context&) {
  return fail(ErrorCode::unsupported,
              "the live control loop comes with a later version; this one simulates, compares and reports");
}

}  // namespace

Command control_loop_command() {
  Command command;
  command.path = "run-one";
  command.lab_name = "mpc-control-loop";
  command.sentence = "control one live workload (comes later)";
  command.takes_any_flags = true;
  return make_command<ControlLoopOptions>(std::move(command), settings_of, control_loop);
}

}  // namespace mpca::app
