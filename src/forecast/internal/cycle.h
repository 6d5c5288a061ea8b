// A cycle of any length, found in the load itself: jobs that come every two hours, a test that repeats, a day that a
// replay has made shorter. Looks for the distance at which the rises of demand repeat best, and answers what followed
// at the same place of the last few cycles.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mpca::forecast::internal {

class Cycle {
 public:
  static constexpr int kHistory = 1024;      // bins: 17 hours
  static constexpr double kBinSeconds = 60;  // cycles from 10 minutes to half of the history
  static constexpr int kShortest = 10;
  static constexpr int kLongest = kHistory / 2;

  /// `log_demand` in (-32, 32). O(1) but once per bin, when a few lengths are tried (8 x kHistory operations).
  void observe(double now_s, double log_demand);

  /// Bins; 0: none is known.
  int length() const { return length_; }

  /// How far the greatest value within [from, to] seconds ahead lay above the value of now, at this place of the last
  /// up to eight cycles, in the mean; 0 without a cycle.
  double rise(double now_s, double from_s, double to_s) const;

  template <class Visit>
  void visit(Visit&& visit) {
    visit(history_);
    visit(count_);
    visit(head_);
    visit(bin_start_s_);
    visit(bin_sum_);
    visit(bin_count_);
    visit(length_);
    visit(scanned_);
    visit(best_length_);
    visit(best_score_);
  }

  bool is_valid() const {
    return count_ >= 0 && count_ <= kHistory && head_ >= 0 && head_ < kHistory && bin_count_ >= 0 &&
           bin_count_ < std::numeric_limits<int>::max() / 2 && std::abs(bin_sum_) <= 32.0 * bin_count_ &&
           std::abs(bin_start_s_) < 1e11 && length_ >= 0 && length_ <= kLongest && scanned_ >= kShortest &&
           scanned_ <= kLongest + 1 && best_length_ >= 0 && best_length_ <= kLongest;
  }

 private:
  static constexpr double kScale = 1000.0;  // history is kept in thousandths

  double back(int bins) const {
    return history_[static_cast<std::size_t>((head_ - bins + kHistory) % kHistory)] / kScale;
  }
  double at(double time_s) const;
  double score_of(int length) const;
  void close_bins(int bins, double log_demand);
  void scan();
  void begin_scan();

  std::array<std::int16_t, kHistory> history_{};
  int count_ = 0, head_ = 0;
  double bin_start_s_ = 0.0, bin_sum_ = 0.0;
  int bin_count_ = 0;
  int length_ = 0;
  int scanned_ = kShortest, best_length_ = 0;
  double best_score_ = 0.0;
};

}  // namespace mpca::forecast::internal
