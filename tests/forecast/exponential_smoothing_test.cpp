#include "forecast/exponential_smoothing.h"

#include <gtest/gtest.h>

#include <vector>

#include "forecast/hold.h"

namespace mpca::forecast {
namespace {

TEST(Hold, TheLastValueStays) {
  EXPECT_EQ(held_value(std::vector{20.0, 80.0, 40.0}), 40.0);
  EXPECT_EQ(held_value(std::vector{7.0}), 7.0);
}

// a = 0.35: 20; 0.35 x 80 + 0.65 x 20 = 41; 0.35 x 40 + 0.65 x 41 = 40.65.
TEST(ExponentialSmoothing, TheLevelStartsAtTheFirstValueAndFollowsTheOthers) {
  EXPECT_DOUBLE_EQ(smoothed_level(std::vector{20.0, 80.0, 40.0}, 0.35), 40.65);
}

TEST(ExponentialSmoothing, OneValueIsItsOwnLevel) { EXPECT_EQ(smoothed_level(std::vector{12.5}, 0.35), 12.5); }

TEST(ExponentialSmoothing, TheEndsOfTheRangeAreFirstAndLastValue) {
  EXPECT_EQ(smoothed_level(std::vector{20.0, 80.0, 40.0}, 0.0), 20.0);
  EXPECT_EQ(smoothed_level(std::vector{20.0, 80.0, 40.0}, 1.0), 40.0);
}

// Rising: level 0.45 x 80 + 0.55 x 20 = 47, the last value 80 is above. Falling: level 0.45 x 20 + 0.55 x 80 = 53 is
// above 20.
TEST(ExponentialSmoothing, OnlineARiseIsBelievedAtOnceAndAFallSlowly) {
  EXPECT_EQ(smoothed_level_or_last(std::vector{20.0, 80.0}, 0.45), 80.0);
  EXPECT_DOUBLE_EQ(smoothed_level_or_last(std::vector{80.0, 20.0}, 0.45), 53.0);
  EXPECT_EQ(smoothed_level_or_last(std::vector{-5.0, -3.0}, 0.45), 0.0);
}

}  // namespace
}  // namespace mpca::forecast
