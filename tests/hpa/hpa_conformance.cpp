// hpa_conformance FILE|DIR...: plays scenarios against the twin of the HPA and prints every disagreement. A .json file
// is one scenario, a .jsonl file one per line, a directory all of both below it. Ends with `N passed, M failed`.
// Exit codes: 0 all passed, 1 some failed or could not be read, 2 bad usage.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/os/file.h"
#include "hpa/scenario_run.h"

namespace mpca {
namespace {

namespace fs = std::filesystem;

struct Tally {
  std::size_t passed = 0;
  std::size_t failed = 0;
};

void play(std::string_view text, const std::string& where, Tally& tally) {
  const auto scenario = config::parse_json(text);
  auto disagreements = scenario ? test::ScenarioRun::play(*scenario) : std::unexpected(scenario.error());
  if (!disagreements) {
    for (const std::string_view line : split(disagreements.error().message, '\n'))
      std::printf("%s: cannot be read: %.*s\n", where.c_str(), static_cast<int>(line.size()), line.data());
    ++tally.failed;
    return;
  }
  for (const std::string& line : *disagreements) std::printf("%s: %s\n", where.c_str(), line.c_str());
  ++(disagreements->empty() ? tally.passed : tally.failed);
}

void play_file(const std::string& path, Tally& tally) {
  const auto text = os::read_file(path);
  if (!text) {
    std::printf("%s: cannot be read: %s\n", path.c_str(), text.error().message.c_str());
    ++tally.failed;
    return;
  }
  if (!path.ends_with(".jsonl")) {
    play(*text, path, tally);
    return;
  }
  std::size_t number = 0;
  for (const std::string_view line : split(*text, '\n')) {
    ++number;
    if (!trim(line).empty()) play(line, cat(path, ":", number), tally);
  }
}

/// The scenario files below `path`, in the order of their names. An empty directory is no success.
std::vector<std::string> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string extension = at->path().extension().string();
    if (at->is_regular_file(error) && (extension == ".json" || extension == ".jsonl"))
      files.push_back(at->path().string());
  }
  std::ranges::sort(files);
  return files;
}

int run(const std::vector<std::string>& paths) {
  Tally tally;
  for (const std::string& path : paths) {
    const std::vector<std::string> files = files_of(path);
    if (files.empty()) {
      std::printf("%s: cannot be read: holds no .json or .jsonl file\n", path.c_str());
      ++tally.failed;
    }
    for (const std::string& file : files) play_file(file, tally);
  }
  std::printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
  return tally.failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace mpca

int main(int argc, char** argv) {
  const std::vector<std::string> paths(argv + 1, argv + argc);
  const bool wants_help = std::ranges::any_of(paths, [](const auto& path) { return path == "--help" || path == "-h"; });
  const bool has_flag = std::ranges::any_of(paths, [](const auto& path) { return path.starts_with("-"); });
  if (paths.empty() || has_flag) {
    std::fputs(
        "usage: hpa_conformance FILE|DIR...\n\nPlays scenarios of the upstream HPA (.json: one, .jsonl: one per line) "
        "against the twin.\n\nexamples:\n  hpa_conformance tests/data/hpa/scenarios\n"
        "  hpa_conformance tests/data/hpa/scenarios/legacy-window-over-time.json\n",
        wants_help ? stdout : stderr);
    return wants_help ? 0 : 2;
  }
  return mpca::run(paths);
}
