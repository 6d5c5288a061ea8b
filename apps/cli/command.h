// What a subcommand is to the program: its names, its table of settings, and the function that does the work. One file
// per subcommand (cmd_*.cpp) holds all of it; commands.cpp lists them; only cli/program.cpp knows the command-line
// library.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"

namespace mpca::app {

/// What a command gets from the process, so that a test can call it with string streams.
struct Context {
  std::ostream& out;     // the result
  std::ostream& err;     // talk: progress, warnings
  std::stop_token stop;  // asked for by Ctrl-C; a command then keeps what is finished and returns 130
  bool lab_manners =
      false;  // called by a name of the reference lab: its messages and exit codes (docs/reference-lab.md)
  bool err_is_terminal = false;  // progress bars and colour only then
  std::string command_line;      // as typed, for `the command that repeats it`
};

/// Exit codes: 0 done, 1 ran and the answer is no, 2 bad usage or input and nothing written, 130 interrupted.
struct Command {
  std::string path;                      // `trace generate`: what is typed after the program's name; may be nothing
  std::string lab_name;                  // the reference lab's name for it, or empty
  std::string sentence;                  // one line of help
  std::vector<std::string> examples;     // two that work, as typed
  std::vector<std::string> positionals;  // settings given without their flag, in order; a list takes all that follow
  SettingsTable settings;
  std::function<Result<int>(Context&)> run;
};

/// Binds a table and a run function to one options object. The object is shared between the table's places and `run`,
/// which both outlive this call inside the Command.
template <class Options>
Command make_command(Command names, SettingsTable (*table)(Options&), Result<int> (*run)(const Options&, Context&)) {
  auto options = std::make_shared<Options>();
  names.settings = table(*options);
  names.run = [options, run](Context& context) { return run(*options, context); };
  return names;
}

}  // namespace mpca::app
