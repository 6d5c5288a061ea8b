#include "cli/help.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::app {
namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string placeholder(const Setting& setting) {
  if (setting.is_flag()) return "";
  const std::string& unit = setting.info().unit;
  return unit.empty() ? upper(setting.name()) : upper(unit);
}

std::string flag_text(const Setting& setting) {
  if (!setting.is_flag()) return cat("--", setting.name(), " ", placeholder(setting));
  return setting.info().default_text == "true" ? cat("--[no-]", setting.name()) : cat("--", setting.name());
}

// Words of `text` in lines of at most `width`, the later ones indented.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string all;
  std::size_t column = indent;
  for (const std::string_view word : split(text, ' ')) {
    if (column > indent && column + 1 + word.size() > width) {
      all += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      all += ' ';
      ++column;
    }
    all += word;
    column += word.size();
  }
  return all;
}

std::string setting_help(const Setting& setting) {
  constexpr std::size_t kIndent = 30;
  constexpr std::size_t kWidth = 110;
  const SettingInfo& info = setting.info();
  std::string details;
  if (setting.is_required()) {
    details = "required";
  } else if (!setting.is_flag() && !info.default_text.empty()) {
    details = cat("default ", info.default_text);
  }
  const bool is_any_number = info.kind == SettingKind::number && !info.range.has_low() && !info.range.has_high();
  if (!setting.is_flag() && !info.takes_any_text() && !is_any_number) {
    details += cat(details.empty() ? "" : "; ", info.accepts);
  }
  std::string line = "  " + flag_text(setting);
  line += line.size() + 1 < kIndent ? std::string(kIndent - line.size(), ' ') : "\n" + std::string(kIndent, ' ');
  return line + wrapped(cat(info.sentence, details.empty() ? "" : cat(" (", details, ")")), kIndent, kWidth) + "\n";
}

}  // namespace

std::string command_help(const Command& command, const std::string& name) {
  std::string text = cat("usage: ", name);
  for (const std::string& positional : command.positionals) {
    const auto setting = std::find_if(command.settings.begin(), command.settings.end(),
                                      [&](const Setting& row) { return row.name() == positional; });
    text += cat(" ", upper(positional), setting != command.settings.end() && setting->is_list() ? "..." : "");
  }
  for (const Setting& setting : command.settings) {
    const bool is_positional =
        std::find(command.positionals.begin(), command.positionals.end(), setting.name()) != command.positionals.end();
    if (setting.is_required() && !is_positional) text += cat(" ", flag_text(setting));
  }
  text += cat(" [options]\n\n", wrapped(command.sentence, 0, 110), "\n\noptions:\n");
  for (const Setting& setting : command.settings) text += setting_help(setting);
  text += "  -h, --help                  this page\n";
  if (!command.examples.empty()) text += "\nexamples:\n";
  for (const std::string& example : command.examples) text += cat("  ", example, "\n");
  return text;
}

namespace {

std::string command_lines(const Program& program, const std::string& group) {
  std::string text = "commands:\n";
  for (const Command& command : program.commands) {
    if (command.path.empty() || (!group.empty() && !command.path.starts_with(group + " "))) continue;
    const std::string line = cat("  ", command.path);
    text +=
        line + std::string(line.size() < 28 ? 28 - line.size() : 1, ' ') + wrapped(command.sentence, 28, 110) + "\n";
  }
  return text +
         cat("\n`", program.name, " COMMAND --help` shows a command's options with defaults, ranges and examples.\n");
}

}  // namespace

std::string overview(const Program& program, const std::string& group) {
  std::string text = cat("usage: ", program.name, group.empty() ? "" : cat(" ", group), " COMMAND [options]\n\n");
  if (group.empty()) text += cat(program.sentences, "\n");
  text += command_lines(program, group);
  if (group.empty()) text += cat("`", program.name, " --version` prints the version.\n");
  return text;
}

std::string further_commands(const Program& program) {
  return cat("\n", command_lines(program, ""), "`", program.name, " --version` prints the version.\n");
}

}  // namespace mpca::app
