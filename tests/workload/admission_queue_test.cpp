#include "workload/admission_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <vector>

#include "core/random.h"

namespace mpca::workload {
namespace {

using Admission = AdmissionQueue::Admission;

TEST(AdmissionQueue, WithoutLimitsEverybodyStarts) {
  AdmissionQueue queue({});
  for (AdmissionQueue::Id id = 1; id <= 100; ++id) EXPECT_EQ(queue.arrive(id), Admission::starts);
  EXPECT_EQ(queue.busy(), 100);
  EXPECT_EQ(queue.finish(), std::nullopt);
  EXPECT_EQ(queue.busy(), 99);
}

TEST(AdmissionQueue, TwoAreServedTheOthersWaitTheirTurnAndTheFifthIsRefused) {
  AdmissionQueue queue({.concurrency = 2, .queue_limit = 2});
  EXPECT_EQ(queue.arrive(1), Admission::starts);
  EXPECT_EQ(queue.arrive(2), Admission::starts);
  EXPECT_EQ(queue.arrive(3), Admission::waits);
  EXPECT_EQ(queue.arrive(4), Admission::waits);
  EXPECT_EQ(queue.arrive(5), Admission::refused);
  EXPECT_EQ(queue.finish(), 3u);
  EXPECT_EQ(queue.finish(), 4u);
  EXPECT_EQ(queue.finish(), std::nullopt);
  EXPECT_EQ(queue.busy(), 1);
}

TEST(AdmissionQueue, AQueueLimitOfNothingRefusesWhoCannotStart) {
  AdmissionQueue queue({.concurrency = 1, .queue_limit = 0});
  EXPECT_EQ(queue.arrive(1), Admission::starts);
  EXPECT_EQ(queue.arrive(2), Admission::refused);
}

TEST(AdmissionQueue, WhoGivesUpLeavesItsPlace) {
  AdmissionQueue queue({.concurrency = 1, .queue_limit = {}});
  queue.arrive(1);
  queue.arrive(2);
  queue.arrive(3);
  EXPECT_TRUE(queue.give_up(2));
  EXPECT_FALSE(queue.give_up(2));
  EXPECT_FALSE(queue.give_up(1));
  EXPECT_EQ(queue.finish(), 3u);
}

constexpr int kRefused = -1;

/// Waiting times in ms of `count` customers who come every `gap_ms` and are served `service_ms` each: D/D/c. Who ends
/// at the moment that another comes has ended before.
std::vector<int> waits_ms(const AdmissionLimits& limits, int gap_ms, int service_ms, int count) {
  AdmissionQueue queue(limits);
  std::vector<int> waits(static_cast<std::size_t>(count), kRefused);
  std::deque<int> ends_ms;  // in order, since all are served equally long
  const auto start = [&](AdmissionQueue::Id id, int now_ms) {
    waits[id] = now_ms - static_cast<int>(id) * gap_ms;
    ends_ms.push_back(now_ms + service_ms);
  };
  const auto serve_until = [&](int now_ms) {
    while (!ends_ms.empty() && ends_ms.front() <= now_ms) {
      const int end_ms = ends_ms.front();
      ends_ms.pop_front();
      if (const auto next = queue.finish()) start(*next, end_ms);
    }
  };
  for (int i = 0; i < count; ++i) {
    serve_until(i * gap_ms);
    const auto id = static_cast<AdmissionQueue::Id>(i);
    if (queue.arrive(id) == Admission::starts) start(id, i * gap_ms);
  }
  serve_until(std::numeric_limits<int>::max());
  return waits;
}

// Two servers of 20 ms do 100 customers a second.
TEST(AdmissionQueue, UpToItsCapacityNobodyWaits) {
  EXPECT_EQ(waits_ms({.concurrency = 2, .queue_limit = {}}, 10, 20, 1000), std::vector<int>(1000, 0));
}

// 200 a second come. Customers 2j and 2j+1 begin 20 ms after the two before them and came 10 ms after those: each pair
// waits 10 ms longer.
TEST(AdmissionQueue, BeyondItsCapacityTheWaitGrowsByWhatIsOwed) {
  const std::vector<int> waits = waits_ms({.concurrency = 2, .queue_limit = {}}, 5, 20, 1000);
  for (std::size_t i = 0; i < waits.size(); ++i) ASSERT_EQ(waits[i], 10 * static_cast<int>(i / 2)) << i;
}

// The same with one place to wait. At 10 ms number 2 takes it and 3 is refused; 2 begins at 20, when 4 takes it; 4
// begins at 25, when 5 takes it; 6 and 7 are refused; 5 begins at 40, when 8 takes it; 8 begins at 45, and so on every
// 20 ms.
TEST(AdmissionQueue, AShortQueueKeepsTheWaitShortAndRefusesTheRest) {
  const std::vector<int> expected = {0, 0, 10, kRefused, 5, 15, kRefused, kRefused, 5, 15, kRefused, kRefused, 5};
  EXPECT_EQ(waits_ms({.concurrency = 2, .queue_limit = 1}, 5, 20, 13), expected);
}

// Against a vector in the order of arrival: the first `concurrency` of it are served.
TEST(AdmissionQueue, DoesWhatALineOfPeopleDoes) {
  RandomStream random(2, "admission");
  for (int round = 0; round < 300; ++round) {
    const int concurrency = 1 + static_cast<int>(random.below(4));
    const std::size_t limit = random.below(5);
    AdmissionQueue queue({.concurrency = concurrency, .queue_limit = limit});
    std::vector<AdmissionQueue::Id> served, line;
    for (AdmissionQueue::Id id = 1; id <= 200; ++id) {
      const auto choice = random.below(10);
      if (choice < 5) {
        const bool starts = std::ssize(served) < concurrency;
        const bool waits = !starts && line.size() < limit;
        EXPECT_EQ(queue.arrive(id), starts ? Admission::starts : waits ? Admission::waits : Admission::refused);
        if (starts) served.push_back(id);
        if (waits) line.push_back(id);
      } else if (choice < 8 && !served.empty()) {
        served.erase(served.begin() + static_cast<std::ptrdiff_t>(random.below(served.size())));
        const auto next = queue.finish();
        ASSERT_EQ(next.has_value(), !line.empty());
        if (next) {
          EXPECT_EQ(*next, line.front());
          served.push_back(line.front());
          line.erase(line.begin());
        }
      } else {
        const AdmissionQueue::Id who = 1 + random.below(id);
        const auto place = std::find(line.begin(), line.end(), who);
        EXPECT_EQ(queue.give_up(who), place != line.end());
        if (place != line.end()) line.erase(place);
      }
      ASSERT_EQ(queue.busy(), std::ssize(served));
      ASSERT_EQ(queue.waiting(), line.size());
    }
  }
}

}  // namespace
}  // namespace mpca::workload
