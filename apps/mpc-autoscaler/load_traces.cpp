#include "mpc-autoscaler/load_traces.h"

#include <algorithm>
#include <filesystem>

#include "config/trace_files.h"
#include "core/text.h"

namespace mpca::app {
namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> files_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code no_status;  // a dangling link is no file
    const bool is_hidden = entry->path().filename().string().starts_with('.');
    if (!is_hidden && entry->is_regular_file(no_status)) files.push_back(entry->path().string());
  }
  if (error) return fail(ErrorCode::io, cat(folder, ": ", error.message()));
  if (files.empty()) return invalid(cat("--trace: there are no files in ", folder));
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<std::vector<std::string>> trace_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      MPCA_TRY(const std::vector<std::string> found, files_in(path));
      files.insert(files.end(), found.begin(), found.end());
    } else {
      files.push_back(path);
    }
  }
  return files;
}

Result<std::vector<trace::DemandTrace>> load_traces(const std::vector<std::string>& paths,
                                                    const std::stop_token& stop) {
  std::vector<trace::DemandTrace> traces;
  Problems problems;
  config::LoadOptions load;
  load.stop = stop;
  for (const std::string& path : paths) {
    auto trace = config::load_trace(path, load);
    if (trace) {
      traces.push_back(*std::move(trace));
    } else if (trace.error().code == ErrorCode::interrupted) {
      return std::unexpected(trace.error());
    } else {
      problems.add(trace.error().message);
    }
  }
  MPCA_TRY_VOID(problems.to_result());
  return traces;
}

}  // namespace mpca::app
