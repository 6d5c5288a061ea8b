#include "mpc-autoscaler/lab_traces.h"

#include <filesystem>

#include "config/trace_files.h"
#include "core/text.h"

namespace mpca::app {
namespace {

constexpr const char kProbe[] = "baseline_spike_profile_dt15.csv";

}  // namespace

std::string packaged_trace_dir() {
  namespace fs = std::filesystem;
  std::error_code error;
  // Walking up from the program finds a build folder's checkout; ../share is where `cmake --install` puts them.
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<fs::path> candidates = {"data/traces",
                                      program.parent_path() / ".." / "share" / "mpc-autoscaler" / "traces"};
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path())
    candidates.push_back(folder / "data" / "traces");
  for (const fs::path& candidate : candidates) {
    if (fs::exists(candidate / kProbe, error)) return candidate.lexically_normal().string();
  }
  return "data/traces";
}

Result<trace::DemandTrace> load_lab_trace(const std::string& directory, const std::string& scenario) {
  trace::TraceCsvOptions options;
  options.manners = trace::Manners::lab;
  const std::string path = cat(directory, "/baseline_", scenario, "_profile_dt15.csv");
  auto content = config::load_trace_csv(path, options);
  if (!content && content.error().code != ErrorCode::not_found)
    return invalid(cat(path, ": ", content.error().message));
  if (!content) return std::unexpected(content.error());
  return std::move(content->trace);
}

}  // namespace mpca::app
