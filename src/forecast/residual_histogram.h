// How far a forecast was off, as counts in bins that are narrow around zero and wide in the tails: what quantiles of
// the next error are read from. 16-bit counts that are halved when they have grown to a limit forget the past by
// half-lives and take 66 bytes, so a workload can keep one for every situation it meets.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace mpca::forecast {

/// Bins of an error in log demand. Edge i lies at kReach sinh(kSteepness (2 i / kBins - 1)) / sinh(kSteepness): 2 % of
/// demand wide at zero, and the outermost take everything beyond a factor of 20.
struct ResidualBins {
  static constexpr int kBins = 32;
  static constexpr double kReach = 3.0;
  static constexpr double kSteepness = 5.0;

  static double edge(int i) { return kReach * std::sinh(kSteepness * (2.0 * i / kBins - 1.0)) / std::sinh(kSteepness); }

  /// In [0, kBins); `residual` is finite.
  static int bin_of(double residual) {
    static const double kStretch = std::sinh(kSteepness) / kReach;
    const double position = std::asinh(residual * kStretch) / kSteepness;  // -1 … 1
    return std::clamp(static_cast<int>((position + 1.0) * (kBins / 2.0)), 0, kBins - 1);
  }
};

class ResidualHistogram {
 public:
  /// What one observation adds: small counts survive a few halvings.
  static constexpr int kUnit = 16;
  /// Counts are halved when they stand for this many observations.
  static constexpr int kMemory = 3000;

  void add(int bin) {
    counts_[static_cast<std::size_t>(bin)] = static_cast<std::uint16_t>(counts_[static_cast<std::size_t>(bin)] + kUnit);
    total_ = static_cast<std::uint16_t>(total_ + kUnit);
    if (total_ < kMemory * kUnit) return;
    total_ = 0;
    for (std::uint16_t& count : counts_) {
      count = static_cast<std::uint16_t>(count / 2);
      total_ = static_cast<std::uint16_t>(total_ + count);
    }
  }

  /// In observations; at most kMemory.
  double weight() const { return static_cast<double>(total_) / kUnit; }
  std::span<const std::uint16_t, ResidualBins::kBins> counts() const { return counts_; }

  /// Takes saved counts; false, and nothing changed, when they are more than kMemory observations.
  bool set_counts(std::span<const std::uint16_t, ResidualBins::kBins> counts) {
    int total = 0;
    for (const std::uint16_t count : counts) total += count;
    if (total >= kMemory * kUnit) return false;
    std::copy(counts.begin(), counts.end(), counts_.begin());
    total_ = static_cast<std::uint16_t>(total);
    return true;
  }

 private:
  static_assert(kMemory * kUnit <= 65535);
  std::array<std::uint16_t, ResidualBins::kBins> counts_{};
  std::uint16_t total_ = 0;
};

}  // namespace mpca::forecast
