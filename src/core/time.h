// Time as integer nanoseconds: sums are exact, so a simulated day ends where it should and a replay meets the same
// instants.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mpca {

using Duration = std::chrono::nanoseconds;

/// Nanoseconds since the Unix epoch (UTC). Simulators start at the epoch.
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;

inline double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// The nearest nanosecond; `seconds` must be finite and within +-292 years (MPCA_CHECK).
Duration from_seconds(double seconds);

inline double seconds_since_epoch(TimePoint time) { return to_seconds(time.time_since_epoch()); }
inline TimePoint at_seconds(double seconds) { return TimePoint(from_seconds(seconds)); }

/// Go's duration grammar: `45s`, `1m30s`, `150ms`, `1.5h`; units h, m, s, ms, us, ns; `0` needs no unit.
///
///   errors   invalid_argument  anything else, negative values included
Result<Duration> parse_duration(std::string_view text);

/// The shortest text of that grammar: `45s`, `1m30s`, `1.5s`, `0s`.
std::string format_duration(Duration duration);

}  // namespace mpca
