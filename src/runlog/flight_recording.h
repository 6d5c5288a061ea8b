// What a FlightRecorder wrote, read back: a directory of segments, or one segment. It may be written to meanwhile.
//
// A reader never invents. A record is given out only when its checksum is right and every record of its workload before
// it was read; after damage a workload goes on where it begins anew, in the next segment at the latest, and what was
// left out is said.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "runlog/decision_log.h"
#include "runlog/log_source.h"

namespace mpca::runlog {

struct RecordedWorkload {
  std::string name;
  TimePoint first, last;
  std::int64_t decisions = 0;
};

class FlightRecording {
 public:
  /// Takes the names and sizes of what is there now.
  ///   errors   not_found; invalid_argument  neither a recorder's directory nor a segment
  static Result<FlightRecording> open(const std::string& path);

  struct Inventory {
    std::vector<RecordedWorkload> workloads;  // by name
    std::vector<std::string> findings;        // torn ends, damage: a sentence each
  };
  /// Reads everything once. errors   io
  Result<Inventory> inventory() const;

  /// One workload in order. Callbacks return false to stop early. The findings are those of what was read.
  ///   errors   not_found  no such workload, those that are there are named; io
  Result<std::vector<std::string>> read(std::string_view workload,
                                        const std::function<bool(const LogBeginning&)>& on_beginning,
                                        const std::function<bool(const DecisionRecord&)>& on_record) const;

 private:
  std::vector<std::string> segments_;
};

/// `shop/web, shop/api and 3 more`: as many names as `most`.
std::string names_of(std::span<const RecordedWorkload> workloads, std::size_t most);

/// Whether `path` is for FlightRecording and not a decision log of lines.
bool is_flight_recording(const std::string& path);

}  // namespace mpca::runlog
