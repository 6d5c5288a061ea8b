#include "forecast/internal/cycle.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mpca::forecast::internal {
namespace {

constexpr int kScansPerBin = 8;
constexpr int kCyclesUsed = 8;
constexpr int kLongestGap = 60;  // bins that are filled; more, and the history begins anew
constexpr double kLeastCorrelation = 0.1;
constexpr int kLeastPairs = 60;
// In standard deviations of what noise gives: the best of 500 lengths is looked for, every hour. Rises of white noise
// correlate by -1/2 with their neighbours, which makes that deviation sqrt(1.5 / pairs) (Bartlett (1946), On the
// theoretical specification and sampling properties of autocorrelated time-series, J. R. Stat. Soc. Suppl. 8, 27-41).
constexpr double kLeastScore = 5.0;

}  // namespace

void Cycle::observe(double now_s, double log_demand) {
  if (count_ == 0 && bin_count_ == 0) bin_start_s_ = now_s;
  const double bins = std::floor((now_s - bin_start_s_) / kBinSeconds);
  if (bins > kLongestGap) {
    count_ = 0;
    bin_sum_ = bin_count_ = 0;
    bin_start_s_ = now_s;
    length_ = 0;
    begin_scan();
  } else if (bins >= 1.0) {
    close_bins(static_cast<int>(bins), log_demand);
    bin_start_s_ += bins * kBinSeconds;
    scan();
  }
  bin_sum_ += log_demand;
  ++bin_count_;
}

void Cycle::close_bins(int bins, double log_demand) {
  const double mean = bin_count_ > 0 ? bin_sum_ / bin_count_ : log_demand;
  for (int i = 0; i < bins; ++i) {
    head_ = (head_ + 1) % kHistory;
    history_[static_cast<std::size_t>(head_)] = static_cast<std::int16_t>(std::lround(mean * kScale));
    count_ = std::min(count_ + 1, kHistory);
  }
  bin_sum_ = 0.0;
  bin_count_ = 0;
}

double Cycle::score_of(int length) const {
  const int pairs = count_ - length - 1;
  if (pairs < length || pairs < kLeastPairs) return 0.0;  // two whole cycles
  double xy = 0.0, xx = 0.0, yy = 0.0;
  for (int i = 0; i < pairs; ++i) {
    const double x = back(i) - back(i + 1);
    const double y = back(i + length) - back(i + length + 1);
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  if (!(xx > 0.0 && yy > 0.0)) return 0.0;
  const double correlation = xy / std::sqrt(xx * yy);
  return correlation >= kLeastCorrelation ? correlation * std::sqrt(pairs / 1.5) : 0.0;
}

void Cycle::scan() {
  for (int i = 0; i < kScansPerBin; ++i) {
    const double score = score_of(scanned_);
    if (score > best_score_) {
      best_score_ = score;
      best_length_ = scanned_;
    }
    if (++scanned_ <= std::min(count_ / 2, kLongest)) continue;
    length_ = best_score_ >= kLeastScore ? best_length_ : 0;
    begin_scan();
  }
}

void Cycle::begin_scan() {
  scanned_ = kShortest;
  best_length_ = 0;
  best_score_ = 0.0;
}

double Cycle::at(double time_s) const {
  const double newest_middle_s = bin_start_s_ - 0.5 * kBinSeconds;
  const double bins = std::max((newest_middle_s - time_s) / kBinSeconds, 0.0);
  if (bins + 1.0 >= count_) return std::numeric_limits<double>::quiet_NaN();
  const int whole = static_cast<int>(bins);
  const double share = bins - whole;
  return (1.0 - share) * back(whole) + share * back(whole + 1);
}

double Cycle::rise(double now_s, double from_s, double to_s) const {
  if (length_ == 0) return 0.0;
  constexpr int kPoints = 4;
  double sum = 0.0;
  int cycles = 0;
  for (int k = 1; k <= kCyclesUsed; ++k) {
    const double then_s = now_s - k * length_ * kBinSeconds;
    const double here = at(then_s);
    if (std::isnan(here)) break;
    double greatest = here;
    for (int i = 0; i <= kPoints; ++i) {
      const double there = at(then_s + from_s + (to_s - from_s) * i / kPoints);
      greatest = i == 0 ? there : std::max(greatest, there);
    }
    sum += greatest - here;
    ++cycles;
  }
  return cycles > 0 ? sum / cycles : 0.0;
}

}  // namespace mpca::forecast::internal
