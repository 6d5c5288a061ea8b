// Logarithms of demand in 16 bits: memories of many values that need no more than 0.025 % of demand.
#pragma once

#include <cmath>
#include <cstdint>

namespace mpca::forecast::internal {

inline constexpr double kShortLogsPerUnit = 2000.0;
inline constexpr double kGreatestShortLog = 32.0;

/// `value` in [0, kGreatestShortLog].
inline std::uint16_t to_short_log(double value) {
  return static_cast<std::uint16_t>(std::lround(value * kShortLogsPerUnit));
}
inline double from_short_log(std::uint16_t value) { return value / kShortLogsPerUnit; }

}  // namespace mpca::forecast::internal
