// A program of ours: finds the command by its words (or by the reference lab's name that it was called by), reads the
// flags into the command's table, and runs it. program.cpp alone knows the command-line library.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace mpca::app {

struct Program {
  std::string name;
  std::string version;
  std::string sentences;          // what the overview begins with, ends with a line end
  std::vector<Command> commands;  // in the order of the help page; one may have an empty path: it needs no word
};

/// All of main(): returns the exit code (see Command). Messages of what is wrong go to the error stream, a line each.
int run_program(const Program& program, int argc, char** argv);

}  // namespace mpca::app
