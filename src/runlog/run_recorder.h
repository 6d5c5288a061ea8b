// Writes one run of one policy as a directory: `decisions.jsonl` (the lossless log), `decisions.csv` (a rounded view
// for people and spreadsheets, never replayed), and whatever the caller adds. The directory appears when it is
// complete.
#pragma once

#include <string>

#include "core/os/file.h"
#include "core/result.h"
#include "policy/world.h"
#include "runlog/decision_log.h"

namespace mpca::runlog {

inline constexpr const char kDecisionLogName[] = "decisions.jsonl";

class RunRecorder {
 public:
  ///   replace  an existing directory of that name gives way when this one is complete
  ///   errors   already_exists, io
  static Result<RunRecorder> create(const std::string& directory, const DecisionLogHeader& header, bool replace);

  void record(const policy::Observation& observation, const policy::Decision& decision,
              const policy::PeriodOutcome& outcome);

  /// A further file of the run, such as `summary.json`.
  Result<void> add_file(const std::string& name, std::string_view content);

  /// Where the files are until then.
  const std::string& path() const { return directory_.path(); }

  /// Makes the directory appear. Without it nothing remains.
  Result<void> commit();

 private:
  RunRecorder(os::AtomicDirectory directory, os::AtomicFile log, os::AtomicFile csv);

  os::AtomicDirectory directory_;
  os::AtomicFile log_;
  os::AtomicFile csv_;
  DecisionLogFormatter formatter_;
  DecisionRecord record_;  // kept to reuse its memory
  std::string buffer_;
  std::int64_t step_ = 0;
  TimePoint first_start_;  // the view counts its time from here
};

}  // namespace mpca::runlog
