// Logs with one line per request, counted into steps: access logs in the Common or Combined Log Format (Apache, nginx,
// the public traces of the 1990s), and files with one time stamp per line.
//
// The trace begins with the first request and ends with the last whole step, as nothing is known about the rest of a
// step that the log does not cover. Lines of a log are written when a request ends but carry the time of its begin, so
// times go back a little all the time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "trace/demand_trace.h"
#include "trace/problem_list.h"
#include "trace/timestamps.h"

namespace mpca::trace {

/// A trace from foreign data and what happened on the way, for people.
struct Imported {
  DemandTrace trace;
  std::vector<std::string> notes;  // `3 of 1000 lines could not be read`, …
  bool operator==(const Imported&) const = default;
};

enum class EventLogFormat { access_log, timestamps };

struct EventLogOptions {
  EventLogFormat format = EventLogFormat::access_log;
  Duration step = std::chrono::seconds(15);  // > 0
  Duration late = std::chrono::minutes(5);   // a line this far behind the newest one is still counted
  double max_unusable_share = 0.01;          // of lines that cannot be read or are later than that
  EpochUnit unit = EpochUnit::detect;        // of `timestamps`
  std::int64_t max_steps = 20'000'000;       // a line that would need more is unusable
};

struct EventCounts {
  std::int64_t lines = 0;  // blank ones not counted
  std::int64_t counted = 0;
  std::int64_t unreadable = 0;
  std::int64_t too_late = 0;      // behind the newest line by more than `late`
  std::int64_t before_begin = 0;  // before the first line's time, but not too late
  std::int64_t in_last_step = 0;  // in the last, unfinished step, which is dropped
};

/// Fed in pieces; needs 8 bytes per step and the memory of a line.
class EventLogReader {
 public:
  explicit EventLogReader(EventLogOptions options);

  void feed(std::string_view piece);

  /// errors   not_enough_data   no line could be counted, or not one whole step
  ///          invalid_argument  too many unusable lines (the first 20 are shown); a bad step
  Result<Imported> finish(std::string name);

  /// Complete after finish().
  const EventCounts& counts() const { return counts_; }

 private:
  void take_line(std::string_view line);
  void unreadable(std::string_view what);

  EventLogOptions options_;
  EventCounts counts_;
  ProblemList problems_;
  std::string pending_;  // the beginning of a line whose end has not come yet
  bool skips_line_ = false;
  std::int64_t line_ = 0;
  std::optional<TimePoint> begin_;
  TimePoint newest_{};
  std::vector<double> requests_;  // per step
};

/// The time of a line `host ident user [time] "request" status bytes …`; nullopt when it is none.
std::optional<TimePoint> access_log_time(std::string_view line);

}  // namespace mpca::trace
