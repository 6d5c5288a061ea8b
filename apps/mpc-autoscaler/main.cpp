#include "cli/program.h"
#include "mpc-autoscaler/commands.h"
#include "mpca_version.h"

int main(int argc, char** argv) {
  return mpca::app::run_program({.name = "mpc-autoscaler",
                                 .version = mpca::kVersionText,
                                 .sentences = "A predictive autoscaler for Kubernetes, and the laboratory that proves "
                                              "it: policies decide about replicas,\n"
                                              "worlds show what comes of it, reports compare.\n",
                                 .commands = mpca::app::all_commands()},
                                argc, argv);
}
