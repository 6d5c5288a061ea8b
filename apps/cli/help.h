// Help pages, made from the same tables that validate.
#pragma once

#include <string>

#include "cli/program.h"

namespace mpca::app {

/// `--help` of one command as called by `name`: usage line, sentence, flags with defaults and ranges, examples.
std::string command_help(const Command& command, const std::string& name);

/// The other commands of a program whose help page is that of its command without a word.
std::string further_commands(const Program& program);

/// `--help` of the program, or of a group such as `trace`: its commands, a line each.
std::string overview(const Program& program, const std::string& group);

}  // namespace mpca::app
