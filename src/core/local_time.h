// Time on people's clocks. A workload lives by local time: its load rises at nine in the morning there, on both sides
// of a change to summer time. What is pure knows no time zones; it is given the offsets from UTC (core/os/time_zone.h
// has the names).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mpca {

/// What a wall clock shows; a point of time only together with a zone.
using LocalTime = std::chrono::local_time<Duration>;
using LocalDate = std::chrono::local_days;

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
