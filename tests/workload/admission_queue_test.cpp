#include "workload/admission_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
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
