#include "core/os/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace mpca::os {
namespace {

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

InterruptWatch::InterruptWatch() {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A thread that waits may do what a signal handler must not: request_stop() runs callbacks.
  waiter_ = std::jthread([this, signals](const std::stop_token& finished) {
    bool asked = false;
    while (!finished.stop_requested()) {
      const timespec quarter_second{0, 250'000'000};
      if (sigtimedwait(&signals, nullptr, &quarter_second) <= 0 || finished.stop_requested()) continue;
      if (asked) _exit(130);
      asked = true;
      stop_.request_stop();
    }
  });
}

InterruptWatch::~InterruptWatch() {
  // Wakes the waiter at once instead of after its quarter second; it swallows the signal it is sent.
  waiter_.request_stop();
  pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
}

}  // namespace mpca::os
