#include "plant/internal/ready_history.h"

#include <gtest/gtest.h>

namespace mpca::plant::internal {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint(1000h);

// 4 pods at 0 s and 15 s, 8 at 30 s: the four came at some time between 15 s and 30 s.
TEST(ReadyHistory, AChangeBetweenTwoLooksCountsHalfAndIsHalfInDoubt) {
  ReadyHistory history;
  history.add(kStart, 4);
  history.add(kStart + 15s, 4);
  history.add(kStart + 30s, 8);
  history.add(kStart + 45s, 8);
  const auto mean = [&](Duration begin, Duration end) { return history.mean(kStart + begin, kStart + end); };
  EXPECT_EQ(mean(0s, 15s)->ready, 4.0);
  EXPECT_EQ(mean(0s, 15s)->uncertainty, 0.0);
  EXPECT_EQ(mean(15s, 30s)->ready, 6.0);
  EXPECT_EQ(mean(15s, 30s)->uncertainty, 2.0);
  EXPECT_EQ(mean(30s, 45s)->ready, 8.0);
  EXPECT_EQ(mean(30s, 45s)->uncertainty, 0.0);
  // Five of ten seconds with 8, five in which they came.
  EXPECT_EQ(mean(25s, 35s)->ready, 7.0);
  EXPECT_EQ(mean(25s, 35s)->uncertainty, 1.0);
}

TEST(ReadyHistory, WhatIsNotRememberedIsNotAnswered) {
  ReadyHistory history;
  EXPECT_FALSE(history.mean(kStart, kStart + 15s));
  for (int look = 0; look < 12; ++look) history.add(kStart + look * 15s, look);
  EXPECT_FALSE(history.mean(kStart, kStart + 15s)) << "only 8 changes are kept";
  EXPECT_FALSE(history.mean(kStart + 160s, kStart + 170s)) << "after the last look";
  EXPECT_FALSE(history.mean(kStart + 60s, kStart + 60s));
  EXPECT_EQ(history.mean(kStart + 150s, kStart + 165s)->ready, 10.5);
}

}  // namespace
}  // namespace mpca::plant::internal
