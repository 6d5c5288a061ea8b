// A pause in what an API server is told that can also wait, such as status or memory. While it lets such a call hang,
// each of them keeps a thread waiting as long as its time limit, and with a few hundred objects nobody would be left to
// decide.
#pragma once

#include <algorithm>
#include <mutex>

#include "core/time.h"
#include "kube/failure.h"

namespace mpca::control {

/// Any thread.
class TellingPause {
 public:
  bool is_over(TimePoint now) const {
    const std::scoped_lock lock(mutex_);
    // A clock that was set back ends it.
    return now >= until_ || until_ - now > length_;
  }
  /// What came of a call. A failure that came at once has kept nobody waiting.
  template <class Value>
  void note(const kube::ApiResult<Value>& answer, TimePoint now) {
    const std::scoped_lock lock(mutex_);
    const bool was_silent = !answer && answer.error().failure == kube::Failure::timeout;
    if (was_silent && now < until_) return;  // another thread's call, which began before the pause
    length_ = was_silent ? std::clamp(2 * length_, kFirst, kLongest) : Duration::zero();
    until_ = now + length_;
  }

 private:
  static constexpr Duration kFirst = std::chrono::seconds(30), kLongest = std::chrono::minutes(5);
  mutable std::mutex mutex_;
  TimePoint until_{};
  Duration length_{};
};

}  // namespace mpca::control
