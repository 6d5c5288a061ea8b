#include "kube/rate_limit.h"

#include <gtest/gtest.h>

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;

TimePoint at(Duration time) { return TimePoint(time); }

// Ten tokens, ten a second, two of them kept from what is normal.
TEST(RateLimit, NormalCallsLeaveAFifthOfTheBucketToScaleWrites) {
  RateLimit limit(10, 10);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(limit.take(Priority::normal, at(0s)), 0s) << i;
  EXPECT_EQ(limit.take(Priority::normal, at(0s)), 100ms);
  EXPECT_EQ(limit.take(Priority::scale, at(0s)), 0s);
  EXPECT_EQ(limit.take(Priority::scale, at(0s)), 0s);
  EXPECT_EQ(limit.take(Priority::scale, at(0s)), 100ms);
  EXPECT_EQ(limit.take(Priority::normal, at(0s)), 300ms);
}

TEST(RateLimit, ALeaseIsNeverHeldUpButCounts) {
  RateLimit limit(10, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.take(Priority::lease, at(0s)), 0s);
  EXPECT_EQ(limit.take(Priority::scale, at(50ms)), 50ms);
  EXPECT_EQ(limit.take(Priority::lease, at(100ms)), 0s);
  EXPECT_EQ(limit.take(Priority::scale, at(100ms)), 100ms);
}

TEST(RateLimit, WhoeverWaitsHoldsNoPlaceSoTheUrgentOvertake) {
  RateLimit limit(1, 5);
  for (int i = 0; i < 4; ++i) limit.take(Priority::normal, at(0s));
  for (int i = 0; i < 100; ++i) EXPECT_GT(limit.take(Priority::normal, at(0s)), 0s);
  EXPECT_EQ(limit.take(Priority::scale, at(0s)), 0s);
}

TEST(RateLimit, FillsUpToTheBurstAndNoFurther) {
  RateLimit limit(10, 3);
  for (int i = 0; i < 3; ++i) limit.take(Priority::scale, at(0s));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.take(Priority::scale, at(3600s)), 0s) << i;
  EXPECT_GT(limit.take(Priority::scale, at(3600s)), 0s);
}

TEST(RateLimit, WhatCanWaitAsksWhetherThereIsRoomAndTakesNothing) {
  RateLimit limit(10, 10);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(limit.has_room(Priority::background, at(0s))) << i;
    limit.take(Priority::normal, at(0s));
  }
  EXPECT_FALSE(limit.has_room(Priority::background, at(0s))) << "half of it is for the others";
  EXPECT_TRUE(limit.has_room(Priority::normal, at(0s)));
  EXPECT_TRUE(limit.has_room(Priority::background, at(100ms)));
}

TEST(RateLimit, AClockSetBackByAnHourNeitherBlocksNorGives) {
  RateLimit limit(10, 1);
  EXPECT_EQ(limit.take(Priority::normal, at(3600s)), 0s);
  EXPECT_EQ(limit.take(Priority::normal, at(0s)), 100ms);
  EXPECT_EQ(limit.take(Priority::normal, at(100ms)), 0s);
}

}  // namespace
}  // namespace mpca::kube
