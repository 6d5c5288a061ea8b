// Time stamps as logs and monitoring systems write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace mpca::trace {

/// What a bare number of an epoch time counts.
enum class EpochUnit {
  detect,  // by its size: below 10^11 seconds, below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds
  seconds,
  milliseconds,
  microseconds,
  nanoseconds,
};

/// A number since the Unix epoch, fractions allowed, >= 0 and before the year 2261.
std::optional<TimePoint> parse_epoch(std::string_view text, EpochUnit unit = EpochUnit::detect);

/// RFC 3339 (`2024-05-01T12:00:00.5+02:00`), with a space for the `T` and without a zone (then UTC) too. Years 1970 to
/// 2260.
std::optional<TimePoint> parse_rfc3339(std::string_view text);

/// The time of the Common Log Format, without its brackets: `10/Oct/2000:13:55:36 -0700`.
std::optional<TimePoint> parse_log_time(std::string_view text);

/// parse_epoch() or else parse_rfc3339().
std::optional<TimePoint> parse_timestamp(std::string_view text, EpochUnit unit = EpochUnit::detect);

/// `2024-05-01T10:00:00Z`, with as many decimals as needed.
std::string format_rfc3339(TimePoint time);

}  // namespace mpca::trace
