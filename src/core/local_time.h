// Time on people's clocks. A workload lives by local time: its load rises at nine in the morning there, on both sides
// of a change to summer time. What is pure knows no time zones; it is given the offsets from UTC (core/os/time_zone.h
// has the names).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mpca {

/// What a wall clock shows; a point of time only together with a zone.
using LocalTime = std::chrono::local_time<Duration>;
using LocalDate = std::chrono::local_days;

/// A date and a time at the beginning of a text, as ISO 8601 and RFC 3339 write them, and what stands after it.
struct LeadingDateTime {
  LocalDate date;
  char separator = 'T';          // `T`, `t` or a space
  int hour = 0, minute = 0;      // below 24, below 60
  std::optional<int> second{};   // up to 60, a leap second
  std::size_t decimals = 0;      // of the second
  std::int64_t nanoseconds = 0;  // by them; more than nine are cut
  std::string_view rest{};       // of the text that was given
};
/// Years 1700 to 2261. What the whole text may be is the caller's.
std::optional<LeadingDateTime> read_date_time(std::string_view text);

/// `2026-11-27T08:00`, seconds and their decimals may follow; a space instead of the T. Years 1700 to 2261. Nothing
/// else: no zone, no date alone.
std::optional<LocalTime> parse_local_time(std::string_view text);
/// `2026-11-27`.
std::optional<LocalDate> parse_local_date(std::string_view text);
std::string format_local_date(LocalDate date);

/// Local time minus UTC, as it changes over time.
class UtcOffsets {
 public:
  struct Change {
    TimePoint from;
    Duration offset{};
    bool operator==(const Change&) const = default;
  };

  UtcOffsets() = default;  // UTC
  ///   changes   in order of time (checked); the first one's offset holds before it, too
  explicit UtcOffsets(std::vector<Change> changes);

  Duration at(TimePoint time) const;
  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
};

}  // namespace mpca
