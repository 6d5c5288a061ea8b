#include "forecast/internal/profile.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/state_numbers.h"

namespace mpca::forecast::internal {
namespace {

// Four bins with middles at 1/8, 3/8, 5/8, 7/8.
Profile<4> profile_of(double a, double b, double c, double d) {
  Profile<4> profile;
  double phase = 0.1;
  for (const double value : {a, b, c, d}) {
    profile.observe(phase, value);
    phase += 0.25;
  }
  profile.observe(0.0, a);  // closes the last bin
  return profile;
}

TEST(Profile, ABinIsUnknownUntilTheNextOneBegins) {
  Profile<4> profile;
  EXPECT_FALSE(profile.at(0.3));
  profile.observe(0.05, 2.0);
  profile.observe(0.30, 4.0);  // closes the first
  EXPECT_FALSE(profile.at(0.2));
  profile.observe(0.55, 8.0);  // closes the second
  EXPECT_EQ(profile.at(0.125), 2.0);
  EXPECT_EQ(profile.at(0.25), 3.0);  // halfway between two middles
  EXPECT_FALSE(profile.at(0.4));     // needs the third
  EXPECT_FALSE(profile.at(0.1));     // needs the last
}

// By hand, between the middles of the last (8 at 7/8) and the first (2 at 1/8): 5 at 0, and 6.5 at 15/16.
TEST(Profile, IsInterpolatedAroundTheEndOfTheCycle) {
  const Profile<4> profile = profile_of(2, 4, 6, 8);
  EXPECT_EQ(profile.at(0.0), 5.0);
  EXPECT_EQ(profile.at(0.9375), 6.5);
  EXPECT_EQ(profile.at(0.5), 5.0);
}

TEST(Profile, AnyFinitePhaseIsTakenIntoTheCycle) {
  const Profile<4> profile = profile_of(2, 4, 6, 8);
  EXPECT_EQ(profile.at(3.5), profile.at(0.5));
  EXPECT_EQ(profile.at(-0.5), profile.at(0.5));
  EXPECT_TRUE(profile.at(-1e-20));
  EXPECT_TRUE(profile.at(1e18));
}

// By hand: the mean of 1, 2 and 6 is 3; the next cycle's 13 moves it by 0.35 x 10.
TEST(Profile, ABinTakesTheMeanOfItsValuesAndThenAShareOfEachCycle) {
  Profile<2> profile;
  for (const double value : {1.0, 2.0, 6.0}) profile.observe(0.2, value);
  profile.observe(0.7, 0.0);
  profile.observe(0.2, 13.0);
  EXPECT_NEAR(*profile.at(0.25), 3.0, 1e-6);
  profile.observe(0.7, 0.0);
  EXPECT_NEAR(*profile.at(0.25), 6.5, 1e-6);
}

TEST(Profile, RefusesAMemoryThatItCannotHaveHad) {
  const auto loads = [](std::vector<double> numbers) {
    Profile<2> profile;
    StateNumbersReader reader(numbers);
    reader(profile);
    return reader.is_good() && profile.is_valid();
  };
  // In 2000ths; 65535 is not known.
  EXPECT_TRUE(loads({2000, 65535, 0, 2.0, 1}));
  EXPECT_TRUE(loads({65535, 65535, -1, 0.0, 0}));
  EXPECT_FALSE(loads({65535, 65535, -1, 2.0, 1}));  // a value, and no bin that it is in
  EXPECT_FALSE(loads({65535, 65535, 2, 2.0, 1}));
  EXPECT_FALSE(loads({65535, 65535, 0, 2.0, -1}));
  EXPECT_FALSE(loads({65535, 65535, 0, -2.0, 1}));
  EXPECT_FALSE(loads({65535, 65535, 0, 1e300, 1}));
  EXPECT_FALSE(loads({65535, 64001, 0, 2.0, 1}));
  EXPECT_FALSE(loads({65535, -1, 0, 2.0, 1}));
  EXPECT_FALSE(loads({65535, 65535, 0, 2.0, 2147483647}));
}

}  // namespace
}  // namespace mpca::forecast::internal
