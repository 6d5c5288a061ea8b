// Whether a time may be computed with: within a century of the epoch, so that differences do not overflow.
#pragma once

#include "core/time.h"

namespace mpca::plant::internal {

inline bool is_plausible(TimePoint time) {
  constexpr Duration kCentury = std::chrono::hours(24 * 36525);
  return time.time_since_epoch() <= kCentury && time.time_since_epoch() >= -kCentury;
}

}  // namespace mpca::plant::internal
