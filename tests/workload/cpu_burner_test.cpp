#include "workload/cpu_burner.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <set>

#include "core/os/real_clock.h"

namespace mpca::workload {
namespace {

using namespace std::chrono_literals;

TEST(CpuBurner, ManyBurnsShareFewThreadsAndEachEndsAfterItsOwnTime) {
  CpuBurner burner(2);
  constexpr int kBurns = 20;
  std::latch all(kBurns);
  std::mutex mutex;
  std::set<std::uint64_t> done;  // under mutex
  const Duration deadline = os::monotonic_now() + 5ms;
  for (std::uint64_t id = 1; id <= kBurns; ++id) {
    burner.burn(id, deadline, [&, id] {
      EXPECT_GE(os::monotonic_now(), deadline);
      {
        const std::lock_guard lock(mutex);
        done.insert(id);
      }
      all.count_down();
    });
  }
  all.wait();
  const std::lock_guard lock(mutex);
  EXPECT_EQ(done.size(), kBurns);
}

TEST(CpuBurner, ACancelledBurnMakesRoomAndAnEndGivesUpTheRest) {
  std::latch other(1);
  bool long_one_ended = false;
  {
    CpuBurner burner(1);
    burner.burn(1, os::monotonic_now() + 1h, [&] { long_one_ended = true; });
    burner.burn(2, os::monotonic_now() + 1ms, [&] { other.count_down(); });
    other.wait();
    burner.cancel(1);
    burner.burn(3, os::monotonic_now() + 1h, [&] { long_one_ended = true; });
  }
  EXPECT_FALSE(long_one_ended);
}

}  // namespace
}  // namespace mpca::workload
