// Help pages, made from the same tables that validate.
#pragma once

#include <span>
#include <string>

#include "mpc-autoscaler/command.h"

namespace mpca::app {

/// `--help` of one command as called by `name`: usage line, sentence, flags with defaults and ranges, examples.
std::string command_help(const Command& command, const std::string& name);

/// `--help` of the program, or of a group such as `trace`: its commands, a line each.
std::string overview(std::span<const Command> commands, const std::string& program, const std::string& group);

}  // namespace mpca::app
