// What is usual at each time of a cycle of known length, such as a day: one exponentially smoothed value per bin.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

namespace mpca::forecast::internal {

template <int Bins>
class Profile {
 public:
  static constexpr float kGreatest = 1000.0F;

  Profile() { values_.fill(kUnknown); }

  /// `phase` in [0, 1): where in the cycle; `value` within +-kGreatest. A bin takes the mean of its values when the
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
    float& value = values_[static_cast<std::size_t>(open_bin_)];
    const float mean = static_cast<float>(open_sum_ / open_count_);
    value = value == kUnknown ? mean : value + kSmoothing * (mean - value);
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
    const float before = values_[static_cast<std::size_t>(low)], after = values_[static_cast<std::size_t>(high)];
    if (before == kUnknown || after == kUnknown) return std::nullopt;
    return (1.0 - share) * static_cast<double>(before) + share * static_cast<double>(after);
  }

  template <class Visit>
  void visit(Visit&& visit) {
    visit(values_);
    visit(open_bin_);
    visit(open_sum_);
    visit(open_count_);
  }

  bool is_valid() const {
    const auto is_possible = [](float value) { return value == kUnknown || std::abs(value) <= kGreatest; };
    return open_bin_ >= -1 && open_bin_ < Bins && open_count_ >= 0 &&
           open_count_ < std::numeric_limits<int>::max() / 2 && (open_bin_ >= 0 || open_count_ == 0) &&
           std::abs(open_sum_) <= static_cast<double>(kGreatest) * open_count_ &&
           std::all_of(values_.begin(), values_.end(), is_possible);
  }

 private:
  static constexpr float kSmoothing = 0.35F;  // per cycle
  static constexpr float kUnknown = -1e9F;    // a number, so that it can be saved

  std::array<float, static_cast<std::size_t>(Bins)> values_;
  int open_bin_ = -1;
  double open_sum_ = 0.0;
  int open_count_ = 0;
};

}  // namespace mpca::forecast::internal
