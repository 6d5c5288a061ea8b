// The files of a run directory that the reference lab's users know, beside our own decision log: written when the run
// is over, run-meta.yaml last.
#pragma once

#include <string>

#include "core/result.h"
#include "core/time.h"
#include "lab/run_plan.h"
#include "load/load_run.h"
#include "runlog/run_meta.h"

namespace mpca::lab {

/// What only the place knows of a run.
struct RunFacts {
  std::string url;  // that the load went to
  TimePoint started_at{};
  TimePoint finished_at{};
  std::string replica_watch;       // of runlog/replica_watch.h
  std::string control_log{};       // of runlog/control_log.h; empty: none of our policies decided, and there is none
  runlog::RunMetaDocument meta{};  // what only this place has to say
};

/// Every setting of the policy with the value it ran with, as `mpc_…`, and the workload's.
void add_policy_settings(const std::string& policy, const policy::Workload& workload, runlog::RunMetaDocument& meta);

/// Writes into `directory`, which exists.
Result<void> write_run_files(const std::string& directory, const RunPlan& plan, const RunFacts& facts,
                             const MeasuredRun& run, const load::LoadResult& load);

}  // namespace mpca::lab
