// What demand usually is at each time of a cycle of known length, such as a day: one exponentially smoothed logarithm
// per bin, in 16 bits.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "forecast/internal/short_log.h"

namespace mpca::forecast::internal {

template <int Bins>
class Profile {
 public:
  static constexpr double kGreatest = kGreatestShortLog;

  Profile() { values_.fill(kUnknown); }

  /// `phase` in [0, 1): where in the cycle; `value` in [0, kGreatest]. A bin takes the mean of its values when the
  /// next one begins.
  void observe(double phase, double value) {
    const int bin = std::min(static_cast<int>(phase * Bins), Bins - 1);
    if (bin != open_bin_) {
      finish();
      open_bin_ = bin;
    }
    open_sum_ += value;
    ++open_count_;
  }

  /// Nothing comes for a while: the last bin takes the mean of what it has.
  void finish() {
    if (open_count_ == 0) return;
    std::uint16_t& value = values_[static_cast<std::size_t>(open_bin_)];
    const double mean = open_sum_ / open_count_;
    const double before = value == kUnknown ? mean : from_short_log(value);
    value = to_short_log(before + kSmoothing * (mean - before));
    open_sum_ = 0.0;
    open_count_ = 0;
  }

  /// Interpolated between the middles of bins; nullopt while one of the two was never seen. Any finite phase.
  std::optional<double> at(double phase) const {
    const double position = (phase - std::floor(phase)) * Bins - 0.5;
    const double whole = std::floor(position);
    const int low = (static_cast<int>(whole) + Bins) % Bins;
    const int high = (low + 1) % Bins;
    const double share = position - whole;
    const std::uint16_t before = values_[static_cast<std::size_t>(low)],
                        after = values_[static_cast<std::size_t>(high)];
    if (before == kUnknown || after == kUnknown) return std::nullopt;
    return (1.0 - share) * from_short_log(before) + share * from_short_log(after);
  }

  template <class Visit>
  void visit(Visit&& visit) {
    visit(values_);
    visit(open_bin_);
    visit(open_sum_);
    visit(open_count_);
  }

  bool is_valid() const {
    const auto is_possible = [](std::uint16_t value) {
      return value == kUnknown || from_short_log(value) <= kGreatest;
    };
    return open_bin_ >= -1 && open_bin_ < Bins && open_count_ >= 0 &&
           open_count_ < std::numeric_limits<int>::max() / 2 && (open_bin_ >= 0 || open_count_ == 0) &&
           open_sum_ >= 0.0 && open_sum_ <= kGreatest * open_count_ &&
           std::all_of(values_.begin(), values_.end(), is_possible);
  }

 private:
  static constexpr double kSmoothing = 0.35;  // per cycle
  static constexpr std::uint16_t kUnknown = 0xffff;

  std::array<std::uint16_t, static_cast<std::size_t>(Bins)> values_;
  int open_bin_ = -1;
  double open_sum_ = 0.0;
  int open_count_ = 0;
};

}  // namespace mpca::forecast::internal
