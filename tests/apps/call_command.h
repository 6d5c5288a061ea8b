// Calls a command of mpc-autoscaler as main does, within the test's process.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "mpc-autoscaler/commands.h"

namespace mpca::app {

struct Answer {
  int code = 0;  // 2 for an error, as main makes it
  std::string out;
  std::string err;  // what it said, then the error
};

using Flags = std::vector<std::pair<std::string, std::string>>;

struct CallManners {
  bool of_the_lab = false;
  std::stop_token stop{};
};

inline Answer call(Command command, const Flags& flags, CallManners manners = {}) {
  for (const auto& [name, value] : flags) {
    bool is_known = false;
    for (const Setting& setting : command.settings) {
      if (setting.name() != name) continue;
      is_known = true;
      if (const auto set = setting.set(value); !set) return {2, "", set.error().message};
    }
    EXPECT_TRUE(is_known) << command.path << " has no --" << name;
  }
  std::ostringstream out, err;
  Context context{.out = out,
                  .err = err,
                  .stop = std::move(manners.stop),
                  .lab_manners = manners.of_the_lab,
                  .err_is_terminal = false,
                  .command_line = "the command"};
  const Result<int> code = command.run(context);
  return {code.value_or(2), out.str(), code ? err.str() : err.str() + code.error().message};
}

}  // namespace mpca::app
