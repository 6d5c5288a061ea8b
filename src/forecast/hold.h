// The persistence forecast: tomorrow is as today. The reference lab calls it `hold`; it is also the ruler that any
// other point forecast has to beat, since over one period few do.
#pragma once

#include <span>

#include "core/result.h"

namespace mpca::forecast {

/// The last value of the window, the same for every lead time.
///
///   window   values in order of time, at least one (MPCA_CHECK)
inline double held_value(std::span<const double> window) {
  MPCA_CHECK(!window.empty(), "a forecast needs at least one value");
  return window.back();
}

}  // namespace mpca::forecast
