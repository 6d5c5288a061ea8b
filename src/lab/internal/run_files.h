// The files of a run directory that the reference lab's users know, beside our own decision log: collected while the
// run goes on, written when it is over, run-meta.yaml last.
#pragma once

#include <string>

#include "core/result.h"
#include "lab/experiment.h"
#include "load/load_run.h"
#include "runlog/run_recorder.h"

namespace mpca::lab::internal {

class RunFiles {
 public:
  /// `settings` and `plan` must outlive it.
  RunFiles(const ExperimentSettings& settings, const RunPlan& plan, std::string url, TimePoint started_at);

  void add_decision(const policy::Observation& observation, const policy::Decision& decision);
  Result<void> write(const MeasuredRun& run, const load::LoadResult& load, runlog::RunRecorder& recorder) const;

 private:
  std::string meta(const MeasuredRun& run) const;
  std::string replica_watch(const MeasuredRun& run) const;

  const ExperimentSettings& settings_;
  const RunPlan& plan_;
  std::string url_;
  TimePoint started_at_;
  std::string control_log_;
};

}  // namespace mpca::lab::internal
