#include "core/os/real_clock.h"

#include <gtest/gtest.h>

namespace mpca::os {
namespace {

using namespace std::chrono_literals;

TEST(RealClock, SleepsAtLeastUntilTheTimeGiven) {
  RealClock clock;
  const Duration before = monotonic_now();
  clock.sleep_until(clock.now() + 5ms);
  EXPECT_GE(monotonic_now() - before, 4ms);  // the wall clock may be slewed meanwhile
}

TEST(RealClock, ATimeThatHasPassedIsNotWaitedFor) {
  RealClock clock;
  clock.sleep_until(clock.now() - 1000h);  // would not return within the test
  clock.sleep_until(TimePoint{});
}

TEST(RealClock, IsOnThisSideOfTheYear2020) { EXPECT_GT(RealClock().now(), at_seconds(1'577'836'800)); }

TEST(CpuTime, OnlyGrowsAndAThreadHasNoMoreThanItsProcess) {
  const Duration thread_before = thread_cpu_time();
  volatile double sum = 0.0;
  for (int i = 0; i < 1'000'000; ++i) sum = sum + i;
  EXPECT_GT(thread_cpu_time(), thread_before);
  const Duration thread_now = thread_cpu_time();
  EXPECT_GE(process_cpu_time(), thread_now);
}

}  // namespace
}  // namespace mpca::os
