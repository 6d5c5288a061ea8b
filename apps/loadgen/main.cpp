#include "cli/program.h"
#include "loadgen/commands.h"
#include "mpca_version.h"

int main(int argc, char** argv) {
  return mpca::app::run_program(
      {.name = "loadgen",
       .version = mpca::kVersionText,
       .sentences =
           "An open-loop HTTP load generator: requests are sent when they are due, whatever the server does.\n",
       .commands = {mpca::app::attack_command(), mpca::app::merge_command()}},
      argc, argv);
}
