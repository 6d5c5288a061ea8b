#include "net/internal/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/random.h"

namespace mpca::net::internal {
namespace {

using namespace std::chrono_literals;

TEST(TimerQueue, EqualTimesRunInTheOrderOfTheirMaking) {
  TimerQueue timers;
  std::string ran;
  timers.add(2s, [&] { ran += 'c'; });
  timers.add(1s, [&] { ran += 'a'; });
  timers.add(1s, [&] { ran += 'b'; });
  EXPECT_EQ(timers.next(), Duration(1s));
  timers.run_due(1s);
  EXPECT_EQ(ran, "ab");
  timers.run_due(5s);
  EXPECT_EQ(ran, "abc");
  EXPECT_EQ(timers.next(), std::nullopt);
}

TEST(TimerQueue, ATaskMayCancelAndAddOthers) {
  TimerQueue timers;
  std::string ran;
  TimerQueue::Id second = 0;
  timers.add(1s, [&] {
    EXPECT_TRUE(timers.cancel(second));
    timers.add(0s, [&] { ran += 'n'; });
  });
  second = timers.add(2s, [&] { ran += 'x'; });
  timers.run_due(3s);
  EXPECT_EQ(ran, "n");
  EXPECT_FALSE(timers.cancel(second));
}

// Against a sorted map, which is slow and obvious.
TEST(TimerQueue, DoesWhatASortedMapDoes) {
  RandomStream random(1, "timers");
  for (int round = 0; round < 200; ++round) {
    TimerQueue timers;
    std::map<std::pair<Duration, int>, TimerQueue::Id> expected;
    std::vector<int> ran, expected_ran;
    Duration now{};
    for (int i = 0; i < 100; ++i) {
      const auto choice = random.below(10);
      if (choice < 6) {
        const Duration time = now + std::chrono::seconds(random.below(20));
        expected[{time, i}] = timers.add(time, [&ran, i] { ran.push_back(i); });
      } else if (choice < 8 && !expected.empty()) {
        auto which = expected.begin();
        std::advance(which, static_cast<std::ptrdiff_t>(random.below(expected.size())));
        EXPECT_TRUE(timers.cancel(which->second));
        EXPECT_FALSE(timers.cancel(which->second));
        expected.erase(which);
      } else {
        now += std::chrono::seconds(random.below(8));
        timers.run_due(now);
        while (!expected.empty() && expected.begin()->first.first <= now) {
          expected_ran.push_back(expected.begin()->first.second);
          expected.erase(expected.begin());
        }
      }
      ASSERT_EQ(ran, expected_ran);
      ASSERT_EQ(timers.size(), expected.size());
    }
  }
}

}  // namespace
}  // namespace mpca::net::internal
