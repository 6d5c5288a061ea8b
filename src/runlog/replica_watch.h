// replica-watch.csv: how many replicas there were during a run, sampled by who watched it. read_replica_watch() of
// run_directory.h reads it back.
#pragma once

#include <optional>
#include <string>

#include "core/time.h"

namespace mpca::runlog {

/// The seven columns in the lab's order, with a line end.
std::string replica_watch_header();

/// What was seen at one moment. What could not be asked, or is not there, is nullopt and an empty field, never 0.
struct ReplicaWatchSample {
  std::optional<int> spec_replicas{};
  std::optional<int> ready_replicas{};
  std::optional<int> available_replicas{};
  std::optional<int> hpa_current_replicas{};
  std::optional<int> hpa_desired_replicas{};
};

/// One sample, with a line end. ts_utc has whole seconds, elapsed_s (since the start of the run) one decimal.
std::string replica_watch_row(TimePoint now, double elapsed_s, const ReplicaWatchSample& sample);

}  // namespace mpca::runlog
