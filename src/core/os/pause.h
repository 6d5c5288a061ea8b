// A pause that a stop token ends, for threads that come back every few seconds until they are told to end.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "core/time.h"

namespace mpca::os {

/// Waits in real time, but no longer than until `stop` is requested.
inline void pause(const std::stop_token& stop, Duration duration) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any stopped;
  stopped.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace mpca::os
