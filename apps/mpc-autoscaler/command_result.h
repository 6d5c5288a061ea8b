// How commands end, said once: failures in the manners that they were called with, results written whole.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "core/os/file.h"
#include "core/text.h"

namespace mpca::app {

/// A failure of bad input in the manners that the command was called with: ours leaves it to main (exit code 2); the
/// lab's name says it itself and ends with 1.
inline Result<int> input_failure(const Error& error, std::string_view lab_name, Context& context) {
  if (!context.lab_manners || error.code == ErrorCode::interrupted) return std::unexpected(error);
  for (const std::string_view line : split(error.message, '\n')) context.err << lab_name << ": error: " << line << '\n';
  return 1;
}

/// Writes `path` whole or not at all; makes its directory, since results go to fresh ones.
inline Result<void> write_result(const std::string& path, std::string_view content) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (!directory.empty()) MPCA_TRY_VOID(os::make_directories(directory));
  return os::write_file(path, content);
}

/// The same, and `-` is the standard output.
inline Result<void> write_or_print(const std::string& path, std::string_view content, Context& context) {
  if (path != "-") return write_result(path, content);
  context.out << content;
  return {};
}

/// Where to say what is not the result: not in the middle of it.
inline std::ostream& talk(const std::string& out_path, Context& context) {
  return out_path == "-" ? context.err : context.out;
}

}  // namespace mpca::app
