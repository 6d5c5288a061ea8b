// The standard normal distribution: density, distribution, and the moments of what lies within an interval.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace mpca::plant::internal {

inline double normal_density(double z) {
  return std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);  // 0 for infinite z
}

inline double normal_share_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

struct Moments {
  double mean = 0.0;
  double square = 0.0;  // of the value, not of its distance to the mean
};

/// Of z given low < z < high; low <= high, either may be infinite.
inline Moments moments_within(double low, double high) {
  if (const double width = high - low; width < 0.3) {
    // The density's logarithm is nearly a straight line of slope -z here: the first terms in the width.
    const double middle = 0.5 * (low + high);
    const double mean = std::clamp(middle * (1.0 - width * width / 12.0), low, high);
    return {mean, mean * mean + width * width / 12.0};
  }
  // On the side of the smaller tail, so that no digits cancel.
  const double share = low > 0.0 ? normal_share_below(-low) - normal_share_below(-high)
                                 : normal_share_below(high) - normal_share_below(low);
  if (share < 1e-14) {
    const double nearest = low > 0.0 ? low : high;
    return {nearest, nearest * nearest};
  }
  const auto times_density = [](double z) { return std::isinf(z) ? 0.0 : z * normal_density(z); };
  const double mean = std::clamp((normal_density(low) - normal_density(high)) / share, low, high);
  const double square = 1.0 + (times_density(low) - times_density(high)) / share;
  return {mean, std::max(square, mean * mean)};
}

}  // namespace mpca::plant::internal
