#include "cli/program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>

#include "cli/help.h"
#include "core/os/interrupt.h"
#include "core/text.h"

namespace mpca::app {
namespace {

constexpr int kUsageError = 2;
constexpr int kInterrupted = 130;

struct Call {
  const Command* command = nullptr;
  std::string name;  // as help and messages show it
  std::vector<std::string> arguments;
};

struct Parsed {
  bool wants_help = false;
  Problems problems;
};

/// Reads `call.arguments` into the table of its command, collecting every problem.
Parsed parse(const Call& call) {
  const SettingsTable& table = call.command->settings;
  CLI::App parser;
  parser.set_help_flag();
  parser.allow_extras();
  Parsed parsed;
  parser.add_flag("-h,--help", parsed.wants_help);
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, bool> switches;
  std::vector<std::string> flags = {"--help"};
  for (const Setting& setting : table) {
    const std::string flag = "--" + setting.name();
    flags.push_back(flag);
    if (setting.is_flag()) {
      std::string names = flag;
      if (setting.info().default_text == "true") {
        names += ",!--no-" + setting.name();
        flags.push_back("--no-" + setting.name());
      }
      parser.add_flag(names, switches[setting.name()])->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      continue;
    }
    CLI::Option* option = parser.add_option(flag, texts[setting.name()]);
    // Lists of texts: `--trace A B --trace C`. Everything else takes one value, the last one given, as argparse does.
    const bool is_text_list = std::holds_alternative<std::vector<std::string>*>(setting.place());
    option->expected(1, is_text_list ? CLI::detail::expected_max_vector_size : 1);
    option->allow_extra_args(is_text_list);  // else a positional after `--report hdr` would be a second value of it
    option->multi_option_policy(is_text_list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
  }
  std::vector<std::string> reversed(call.arguments.rbegin(), call.arguments.rend());
  try {
    parser.parse(reversed);
  } catch (const CLI::ParseError& error) {
    parsed.problems.add(error.what());
    return parsed;
  }
  if (parsed.wants_help) return parsed;

  std::size_t position = 0;
  const std::vector<std::string_view> known(flags.begin(), flags.end());
  for (const std::string& extra : parser.remaining()) {
    if (extra.size() > 1 && extra[0] == '-') {
      const std::string flag = extra.substr(0, extra.find('='));
      parsed.problems.add(cat("unknown flag ", flag, did_you_mean(flag, known)));
    } else if (position < call.command->positionals.size()) {
      const std::string& name = call.command->positionals[position];
      texts[name].push_back(extra);
      const auto setting =
          std::find_if(table.begin(), table.end(), [&](const Setting& row) { return row.name() == name; });
      MPCA_CHECK(setting != table.end(), "a positional that is not in the table");
      if (!setting->is_list()) ++position;
    } else {
      parsed.problems.add(cat("unexpected argument \"", extra, "\""));
    }
  }
  for (const Setting& setting : table) {
    if (setting.is_flag()) {
      const std::string flag = "--" + setting.name();
      if (parser.get_option(flag)->count() > 0) {
        MPCA_CHECK(setting.set(switches[setting.name()] ? "true" : "false"), "a switch is true or false");
      }
      continue;
    }
    const std::vector<std::string>& values = texts[setting.name()];
    if (values.empty() && setting.is_required()) {
      const auto& positionals = call.command->positionals;
      const bool is_positional = std::find(positionals.begin(), positionals.end(), setting.name()) != positionals.end();
      parsed.problems.add(is_positional ? cat("missing argument: ", setting.name(), ": ", setting.info().sentence)
                                        : cat("--", setting.name(), " is required: ", setting.info().sentence));
    }
    for (const std::string& value : values) {
      if (const auto done = setting.set(value); !done) parsed.problems.add(cat("--", done.error().message));
    }
  }
  return parsed;
}

void print_problems(const std::string& name, std::string_view text) {
  for (const std::string_view line : split(text, '\n')) std::cerr << name << ": error: " << line << '\n';
}

int run(const Program& program, const Call& call, const std::string& command_line, bool lab_manners) {
  const Parsed parsed = parse(call);
  if (parsed.wants_help) {
    std::cout << command_help(*call.command, call.name);
    if (call.command->path.empty() && program.commands.size() > 1) std::cout << further_commands(program);
    return 0;
  }
  if (!parsed.problems.empty()) {
    for (const std::string& message : parsed.problems.messages()) print_problems(call.name, message);
    std::cerr << "See `" << call.name << " --help`.\n";
    return kUsageError;
  }
  os::InterruptWatch interrupt;
  Context context{.out = std::cout,
                  .err = std::cerr,
                  .stop = interrupt.token(),
                  .lab_manners = lab_manners,
                  .err_is_terminal = isatty(STDERR_FILENO) == 1,
                  .command_line = command_line};
  const Result<int> code = call.command->run(context);
  std::cout.flush();
  if (!code) {
    print_problems(call.name, code.error().message);
    return code.error().code == ErrorCode::interrupted ? kInterrupted : kUsageError;
  }
  if (!std::cout) {
    print_problems(call.name, "cannot write to standard output");
    return kUsageError;
  }
  return *code;
}

/// A word as a shell would need it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string all = "'";
  for (const char character : word) {
    if (character == '\'')
      all += "'\\''";
    else
      all += character;
  }
  return all + "'";
}

int dispatch(const Program& all, const std::vector<std::string>& words) {
  const std::vector<Command>& commands = all.commands;
  const std::string& program = all.name;
  const std::string called_by = std::filesystem::path(words[0]).filename();
  Call call;
  call.arguments.assign(words.begin() + 1, words.end());
  for (const Command& command : commands) {
    if (command.lab_name.empty() || command.lab_name != called_by) continue;
    call.command = &command;
    call.name = called_by;
    std::string line = called_by;
    for (const std::string& argument : call.arguments) line += " " + quoted(argument);
    return run(all, call, line, true);
  }

  const auto is_help = [](const std::string& word) { return word == "--help" || word == "-h" || word == "help"; };
  std::string typed;
  std::size_t taken = 0;
  while (taken < call.arguments.size() && !call.arguments[taken].starts_with("-")) {
    const std::string longer = typed.empty() ? call.arguments[taken] : typed + " " + call.arguments[taken];
    const bool leads_on = std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
      return command.path == longer || command.path.starts_with(longer + " ");
    });
    if (!leads_on) break;
    typed = longer;
    ++taken;
    const auto found =
        std::find_if(commands.begin(), commands.end(), [&](const Command& command) { return command.path == typed; });
    if (found != commands.end()) {
      call.command = &*found;
      break;
    }
  }
  const bool asks_for_version = taken < call.arguments.size() && call.arguments[taken] == "--version";
  if (call.command == nullptr && taken == 0 && !call.arguments.empty() && !asks_for_version) {
    // The command without a word, if the program has one: `loadgen --url …`.
    const auto found =
        std::find_if(commands.begin(), commands.end(), [](const Command& command) { return command.path.empty(); });
    if (found != commands.end()) call.command = &*found;
  }
  if (call.command != nullptr) {
    call.name = call.command->path.empty() ? program : program + " " + call.command->path;
    std::string line = call.name;
    call.arguments.erase(call.arguments.begin(), call.arguments.begin() + static_cast<std::ptrdiff_t>(taken));
    for (const std::string& argument : call.arguments) line += " " + quoted(argument);
    return run(all, call, line, false);
  }
  if (asks_for_version) {
    std::cout << program << ' ' << all.version << '\n';
    return 0;
  }
  if (taken < call.arguments.size() && is_help(call.arguments[taken])) {
    std::cout << overview(all, typed);
    return 0;
  }
  if (taken < call.arguments.size()) {
    std::vector<std::string_view> nexts;
    for (const Command& command : commands) {
      if (!typed.empty() && !command.path.starts_with(typed + " ")) continue;
      const std::string_view rest = std::string_view(command.path).substr(typed.empty() ? 0 : typed.size() + 1);
      nexts.push_back(rest.substr(0, rest.find(' ')));
    }
    print_problems(program, cat("unknown command \"", typed.empty() ? "" : typed + " ", call.arguments[taken], "\"",
                                did_you_mean(call.arguments[taken], nexts)));
  }
  std::cerr << overview(all, typed);
  return kUsageError;
}

}  // namespace
int run_program(const Program& program, int argc, char** argv) {
  try {
    return dispatch(program, std::vector<std::string>(argv, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << program.name << ": internal error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace mpca::app
