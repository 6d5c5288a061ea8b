// replica-watch.csv: how many replicas there were during a run, sampled by who watched it. read_replica_watch() of
// run_directory.h reads it back.
#pragma once

#include <optional>
#include <string>

#include "core/time.h"

namespace mpca::runlog {

/// The seven columns in the lab's order, with a line end.
std::string replica_watch_header();

/// One sample, with a line end. Without an HPA its two fields are empty. ts_utc has whole seconds, elapsed_s (since the
/// start of the run) one decimal.
std::string replica_watch_row(TimePoint now, double elapsed_s, int spec_replicas, int ready_replicas,
                              int available_replicas, std::optional<int> hpa_current_replicas,
                              std::optional<int> hpa_desired_replicas);

}  // namespace mpca::runlog
