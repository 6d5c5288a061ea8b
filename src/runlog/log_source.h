// The decisions of one workload, from wherever they were recorded: a decision log of lines, or a flight recorder's
// directory or segment. Who replays, explains or reports reads them here and needs not know.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "runlog/decision_log.h"

namespace mpca::runlog {

struct LogSource {
  LogSource(std::string where, std::string which = {})  // NOLINT: a path alone is a source
      : path(std::move(where)), workload(std::move(which)) {}
  LogSource(const char* where) : path(where) {}  // NOLINT

  std::string path;
  std::string workload;  // NAMESPACE/NAME in a recorder's directory; empty: the only one there is
};

/// Where decisions begin: a log once; a recording at its first record, in each segment, after a gap and with another
/// header.
struct LogBeginning {
  DecisionLogHeader header;
  std::optional<std::string> state;  // of the policy before the next decision; empty: as created; nullopt: not known
  bool goes_on = false;              // after the record before this, without a gap
};

/// Names in a recorder's directory; none in a log of lines.
///   errors   those of FlightRecording
Result<std::vector<std::string>> workloads_in(const std::string& path);

struct LogRead {
  DecisionLogHeader header;           // the first
  std::vector<std::string> findings;  // torn ends, damage, gaps: a sentence each
};

/// All in order. Callbacks return false to stop early.
///   errors   those of read_decision_log and FlightRecording; invalid_argument  several workloads and none named, or a
///            workload named of a log of lines
Result<LogRead> read_log(const LogSource& source, const std::function<bool(const LogBeginning&)>& on_beginning,
                         const std::function<bool(const DecisionRecord&)>& on_record);

}  // namespace mpca::runlog
