// Ctrl-C and SIGTERM as a stop token: work in progress is finished or given up in order, nothing is torn off
// half-written.
#pragma once

#include <stop_token>
#include <thread>

namespace mpca::os {

/// From construction on, the first SIGINT or SIGTERM asks `token()` to stop; a second one ends the process at once with
/// 130. Make one in main() before any other thread exists (threads inherit the signal mask).
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace mpca::os
