// A progress bar on the error stream, and only on a terminal: a log file gets none of it.
#pragma once

#include <cmath>
#include <ostream>
#include <string>

#include "core/os/real_clock.h"
#include "core/time.h"

namespace mpca::app {

class ProgressBar {
 public:
  ProgressBar(std::ostream& err, bool is_terminal) : err_(err), is_on_(is_terminal), started_(os::monotonic_now()) {}
  ~ProgressBar() { clear(); }

  /// `done` out of 1. Redraws only when the picture changes; says what is left of the time, if it went on like this.
  void show(double done) {
    constexpr int kWidth = 40;
    const int percent = static_cast<int>(done * 100.0);
    if (!is_on_ || percent == shown_percent_) return;
    shown_percent_ = percent;
    const int filled = static_cast<int>(done * kWidth);
    err_ << "\r[" << std::string(static_cast<std::size_t>(filled), '#')
         << std::string(static_cast<std::size_t>(kWidth - filled), '.') << "] " << percent << " %"
         << words_of_rest(done) << std::flush;
  }

  void clear() {
    if (shown_percent_ >= 0) err_ << "\r\033[K" << std::flush;
    shown_percent_ = -1;
  }

 private:
  std::string words_of_rest(double done) const {
    constexpr double kTooEarlyToTell = 0.02;
    if (done < kTooEarlyToTell || done >= 1.0) return "          ";
    const double elapsed_s = to_seconds(os::monotonic_now() - started_);
    const long left_s = std::lround(elapsed_s * (1.0 - done) / done);
    if (left_s >= 100) return ", " + std::to_string((left_s + 30) / 60) + " min left   ";
    return ", " + std::to_string(left_s) + " s left   ";
  }

  std::ostream& err_;
  bool is_on_;
  Duration started_;
  int shown_percent_ = -1;
};

}  // namespace mpca::app
