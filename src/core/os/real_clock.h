// The real clock, and what a thread or the process has cost. Made in main() or by a room that times real things;
// everything else takes a Clock or a time.
#pragma once

#include "core/clock.h"

namespace mpca::os {

class RealClock final : public Clock {
 public:
  TimePoint now() const override;
  /// Returns at once for a time that has passed. Follows the monotonic clock: a clock set anew in between does no harm.
  void sleep_until(TimePoint time) override;
};

/// CLOCK_MONOTONIC: for differences only.
Duration monotonic_now();
/// CLOCK_BOOTTIME: goes on while the machine sleeps, as those do who wait for us.
Duration boot_now();

/// CPU time used so far by the calling thread, and by the process.
Duration thread_cpu_time();
Duration process_cpu_time();

}  // namespace mpca::os
