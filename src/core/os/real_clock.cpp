#include "core/os/real_clock.h"

#include <cerrno>
#include <ctime>

namespace mpca::os {
namespace {

Duration read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

TimePoint RealClock::now() const { return TimePoint(read_clock(CLOCK_REALTIME)); }

void RealClock::sleep_until(TimePoint time) {
  const Duration until = monotonic_now() + (time - now());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(until);
  const timespec wake{static_cast<time_t>(seconds.count()), static_cast<long>((until - seconds).count())};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr) == EINTR) {
  }
}

Duration monotonic_now() { return read_clock(CLOCK_MONOTONIC); }
Duration boot_now() { return read_clock(CLOCK_BOOTTIME); }
Duration thread_cpu_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
Duration process_cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace mpca::os
