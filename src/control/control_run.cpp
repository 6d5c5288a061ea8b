#include "control/control_run.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/text.h"
#include "runlog/control_log.h"

namespace mpca::control {
namespace {

/// A file in which each line is there for all to see as soon as it is written.
class LineFile {
 public:
  static Result<LineFile> create(const std::string& path) {
    LineFile file(path, std::fopen(path.c_str(), "w"));
    if (file.file_ == nullptr) return file.failure();
    return file;
  }
  Result<void> write(std::string_view lines) {
    if (std::fwrite(lines.data(), 1, lines.size(), file_.get()) != lines.size() || std::fflush(file_.get()) != 0)
      return failure();
    return {};
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  LineFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::unexpected<Error> failure() const { return fail(ErrorCode::io, cat(path_, ": ", std::strerror(errno))); }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace

Result<ControlRunResult> control(LiveWorld& world, policy::Policy& policy, const ControlRunSettings& settings,
                                 const std::stop_token& stop, const OnDecision& on_decision) {
  MPCA_TRY(LineFile control_log, LineFile::create(settings.control_log));
  MPCA_TRY_VOID(control_log.write(runlog::control_log_header()));
  std::optional<LineFile> decision_log;
  if (!settings.decision_log.empty()) {
    MPCA_TRY(decision_log, LineFile::create(settings.decision_log));
    MPCA_TRY_VOID(decision_log->write(runlog::header_line(settings.header)));
  }
  runlog::DecisionLogFormatter formatter;
  ControlRunResult result;
  std::string line;
  while (const std::optional<policy::Observation> observation = world.next()) {
    policy::Decision decision = policy.decide(*observation);
    // Before anything is done about it: what was decided is known even if the controller dies in the middle.
    if (decision_log) {
      line.clear();
      formatter.append({*observation, decision}, line);
      MPCA_TRY_VOID(decision_log->write(line));
    }
    world.apply(decision);
    ++result.decisions;
    const Applied& applied = world.applied();
    if (applied.trouble) {
      ++result.failed_writes;
      decision.explanation.status = cat("scale_error:", name_of(*applied.trouble));
    }
    MPCA_TRY_VOID(
        control_log.write(runlog::control_log_row(world.started_at(), *observation, decision, applied.replicas)));
    on_decision(*observation, decision, applied);
  }
  result.was_stopped = stop.stop_requested();
  return result;
}

}  // namespace mpca::control
