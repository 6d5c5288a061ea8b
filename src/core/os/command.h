// A program run to its end, with a time limit: for helpers that print their answer (credential plugins), not for what
// runs beside us.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::os {

struct Command {
  std::string program;  // a path, or a name on PATH
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};  // added to ours
  Duration time_limit = std::chrono::seconds(30);
  std::size_t max_output_bytes = std::size_t{1} << 20;  // of each of the two
};

struct CommandOutput {
  int exit_code = 0;  // 128 + the signal that ended it
  std::string out, err;
};

/// Its input is empty. At the time limit it is killed with all that it has started in its process group.
///   errors   not_found  no such program
///            io         `PROGRAM did not end within 30s`, printed more than allowed, or the system's reason
Result<CommandOutput> run_command(const Command& command);

}  // namespace mpca::os
