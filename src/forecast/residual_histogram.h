// How far a forecast was off, as counts in bins that are narrow around zero and wide in the tails: what quantiles of
// the next error are read from. 16-bit counts that are halved when they have grown to a limit forget the past by
// half-lives and take 64 bytes, so a workload can keep one for every situation it meets.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

namespace mpca::forecast {

/// Bins of an error in log demand. Edge i lies at kReach sinh(kSteepness (2 i / kBins - 1)) / sinh(kSteepness): 1.3 %
/// of demand wide at zero, and the outermost, from a factor of 9 on, take everything beyond a factor of 20 too.
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
    if (sum_of(counts_) < kMemory * kUnit) return;
    for (std::uint16_t& count : counts_) count = static_cast<std::uint16_t>(count / 2);
  }

  /// In observations; less than kMemory.
  double weight() const { return static_cast<double>(sum_of(counts_)) / kUnit; }
  std::span<const std::uint16_t, ResidualBins::kBins> counts() const { return counts_; }

  /// Takes saved counts; false, and nothing changed, when they are kMemory observations or more.
  bool set_counts(std::span<const std::uint16_t, ResidualBins::kBins> counts) {
    if (sum_of(counts) >= kMemory * kUnit) return false;
    std::copy(counts.begin(), counts.end(), counts_.begin());
    return true;
  }

 private:
  static_assert(kMemory * kUnit <= 65535);
  static int sum_of(std::span<const std::uint16_t, ResidualBins::kBins> counts) {
    return std::accumulate(counts.begin(), counts.end(), 0);
  }

  std::array<std::uint16_t, ResidualBins::kBins> counts_{};
};

/// The same in a byte per bin, for situations of which there are many. Counts are halved when one of them is full, odd
/// ones up or down by turns of the bins, so that what is rare is not lost.
class SmallResidualHistogram {
 public:
  void add(int bin) {
    std::uint8_t& count = counts_[static_cast<std::size_t>(bin)];
    if (count == kFull) halve();
    ++count;
  }

  /// In observations; at most kBins x 255.
  int weight() const { return std::accumulate(counts_.begin(), counts_.end(), 0); }
  std::span<const std::uint8_t, ResidualBins::kBins> counts() const { return counts_; }

  template <class Visit>
  void visit(Visit&& visit) {
    visit(counts_);
  }

 private:
  static constexpr std::uint8_t kFull = 255;

  void halve() {
    int turn = weight();
    for (std::uint8_t& count : counts_) count = static_cast<std::uint8_t>((count + (++turn & 1)) / 2);
  }

  std::array<std::uint8_t, ResidualBins::kBins> counts_{};
};

}  // namespace mpca::forecast
