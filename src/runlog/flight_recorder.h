// The decision log of a process that controls many workloads for months: every observation and decision without loss,
// in files of one directory that are bounded, survive a kill at any byte, and from any of which decisions can be
// replayed bit for bit. docs/reference/flight-recorder.md has the format and what it costs.
//
// A segment stands alone: before a workload's first record in it stand the policy's text and the policy's memory as it
// was before that decision. So the oldest segments can go. Memories are large (tens of kB): after a new segment begins,
// workloads move into it one by one over a tenth of its life, each at a moment of its own, and until then go on in the
// segment before; and a segment is not left before its records outweigh its memories.
//
// What happens when the disk is full or gone: records are dropped, counted and told, and the loop goes on. A workload
// whose record was dropped begins anew, with its memory, so that what is there can still be replayed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"
#include "runlog/decision_log.h"

namespace mpca::runlog {

struct FlightRecorderSettings {
  int segment_mib = 64;
  int total_mib = 1024;
  Duration segment_age = std::chrono::hours(4);
  Duration sync_every = std::chrono::seconds(5);
  Duration retry_after = std::chrono::seconds(10);
};
SettingsTable settings_of(FlightRecorderSettings& settings);

class FlightRecorder {
 public:
  /// One process at a time records in a directory; it is made when there is none. What an earlier process left torn at
  /// the end is cut off, and said in repairs().
  ///   errors   already_exists  another process records here
  ///            io
  static Result<FlightRecorder> open(const std::string& directory, const FlightRecorderSettings& settings);
  FlightRecorder(FlightRecorder&&) noexcept;
  FlightRecorder& operator=(FlightRecorder&&) noexcept;
  ~FlightRecorder();

  /// Whether the record of the decision that comes now needs the policy's memory. Ask before decide():
  ///
  ///   std::string memory;
  ///   if (recorder.wants_state(name, header, now)) memory = policy.save_state();
  ///   const Decision decision = policy.decide(observation);
  ///   recorder.record(name, header, memory, {observation, decision});
  ///
  /// True at a workload's first decision, once per segment, after a drop, and when the header is another one.
  bool wants_state(std::string_view workload, const DecisionLogHeader& header, TimePoint now);

  /// Appends one decision. It is with the operating system when this returns, and on the disk after `sync_every`.
  /// A disk error costs that record and is counted; until `retry_after` has passed the next ones are dropped unwritten.
  ///
  ///   workload      `NAMESPACE/NAME`, or what names it
  ///   state_before  of save_state(), when wants_state() said so; else it may be empty
  ///   errors        io  the record is dropped
  ///   cost          some 5 us, of which a third is one write(2); thread safe, one at a time
  Result<void> record(std::string_view workload, const DecisionLogHeader& header, std::string_view state_before,
                      const DecisionRecord& record);

  struct Figures {
    std::int64_t recorded = 0;       // records
    std::int64_t dropped = 0;        // records
    std::int64_t bytes = 0;          // of the directory's segments
    std::int64_t written_bytes = 0;  // by this process, of which
    std::int64_t state_bytes = 0;    // memories and what else begins a workload
    std::optional<std::string> last_failure;
  };
  Figures figures() const;

  /// What open() found and did, a sentence each.
  const std::vector<std::string>& repairs() const;

  /// Everything so far is on the disk. Also done on destruction.
  Result<void> sync();

 private:
  struct Impl;
  explicit FlightRecorder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::runlog
