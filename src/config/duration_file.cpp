#include "config/duration_file.h"

#include <vector>

#include "core/os/file.h"
#include "core/text.h"
#include "core/time.h"

namespace mpca::config {
namespace {

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

}  // namespace

Result<std::string> resolve_duration_text(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (!trimmed.starts_with('@')) return std::string(text);
  const std::string path(trimmed.substr(1));
  MPCA_TRY(const std::string content, os::read_file(path, kLargestFile));
  std::vector<std::string> durations;
  std::vector<std::string> problems;
  int line_number = 0;
  for (const std::string_view line : split(content, '\n')) {
    ++line_number;
    const std::string_view value = trim(line.substr(0, line.find('#')));
    if (value.empty()) continue;
    if (const auto duration = parse_duration(value)) {
      durations.push_back(format_duration(*duration));
    } else {
      problems.push_back(cat(path, ": line ", line_number, ": ", duration.error().message));
    }
  }
  if (!problems.empty()) return invalid(join(problems, "\n"));
  if (durations.empty()) return invalid(cat(path, ": holds no duration; one a line is needed, like 40s"));
  return cat("samples(", join(durations, ";"), ")");
}

}  // namespace mpca::config
