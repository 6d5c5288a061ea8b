// A progress bar on the error stream, and only on a terminal: a log file gets none of it.
#pragma once

#include <chrono>
#include <ostream>
#include <string>

namespace mpca::app {

class ProgressBar {
 public:
  ProgressBar(std::ostream& err, bool is_terminal) : err_(err), is_on_(is_terminal) {}
  ~ProgressBar() { clear(); }

  /// `done` out of 1. Redraws only when the picture changes.
  void show(double done) {
    constexpr int kWidth = 40;
    const int percent = static_cast<int>(done * 100.0);
    if (!is_on_ || percent == shown_percent_) return;
    shown_percent_ = percent;
    const int filled = static_cast<int>(done * kWidth);
    err_ << "\r[" << std::string(static_cast<std::size_t>(filled), '#')
         << std::string(static_cast<std::size_t>(kWidth - filled), '.') << "] " << percent << " %" << std::flush;
  }

  void clear() {
    if (shown_percent_ >= 0) err_ << "\r\033[K" << std::flush;
    shown_percent_ = -1;
  }

 private:
  std::ostream& err_;
  bool is_on_;
  int shown_percent_ = -1;
};

}  // namespace mpca::app
