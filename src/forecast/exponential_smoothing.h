// Simple exponential smoothing: one level, no trend, so its forecast is flat. The reference lab calls it `es` and
// starts it anew on each window from the window's first value, which is why the window's length matters to the result.
// Brown (1959), Statistical Forecasting for Inventory Control.
#pragma once

#include <algorithm>
#include <span>

#include "core/result.h"

namespace mpca::forecast {

/// The smoothed level at the end of the window: level = first value, then level = smoothing x value + (1 - smoothing) x
/// level for each further one.
///
///   window      values in order of time, at least one (MPCA_CHECK)
///   smoothing   in [0, 1]; 1 holds the last value
///   cost        O(n), no allocation
inline double smoothed_level(std::span<const double> window, double smoothing) {
  MPCA_CHECK(!window.empty(), "a forecast needs at least one value");
  double level = window.front();
  for (const double value : window.subspan(1)) level = smoothing * value + (1.0 - smoothing) * level;
  return level;
}

/// What the reference lab's online controller takes instead: never below the last value, so that a rise is believed at
/// once and a fall slowly; never below zero.
inline double smoothed_level_or_last(std::span<const double> window, double smoothing) {
  return std::max({smoothed_level(window, smoothing), window.back(), 0.0});
}

}  // namespace mpca::forecast
