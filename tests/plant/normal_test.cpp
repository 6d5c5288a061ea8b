#include "plant/internal/normal.h"

#include <gtest/gtest.h>

namespace mpca::plant::internal {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// By the midpoint rule, 200,000 steps.
Moments integrated(double low, double high) {
  const double from = std::max(low, -12.0);
  const double to = std::min(high, std::max(from, 0.0) + 12.0);
  double share = 0.0;
  double mean = 0.0;
  double square = 0.0;
  constexpr int kSteps = 200'000;
  for (int k = 0; k < kSteps; ++k) {
    const double z = from + (to - from) * (k + 0.5) / kSteps;
    const double density = std::exp(-0.5 * z * z);
    share += density;
    mean += density * z;
    square += density * z * z;
  }
  return {mean / share, square / share};
}

// E[z | z > 0] = sqrt(2 / pi) = 0.797885.
TEST(MomentsWithin, AHalfLineIsAHalfNormal) {
  EXPECT_NEAR(moments_within(0.0, kInfinity).mean, 0.797885, 1e-6);
  EXPECT_NEAR(moments_within(0.0, kInfinity).square, 1.0, 1e-12);
  EXPECT_NEAR(moments_within(-kInfinity, kInfinity).mean, 0.0, 1e-12);
}

TEST(MomentsWithin, AreTheIntegralsNearAndFar) {
  const double ends[] = {-kInfinity, -6.0, -3.0, -2.9, -1.0, -0.2, 0.0, 0.05, 0.3, 1.2, 2.5, 4.0, 4.25, 6.5, kInfinity};
  for (const double low : ends) {
    for (const double high : ends) {
      if (low >= high || low >= 6.0 || high <= -6.0) continue;
      const Moments got = moments_within(low, high);
      const Moments truth = integrated(low, high);
      EXPECT_NEAR(got.mean, truth.mean, 2e-3) << low << " " << high;
      EXPECT_NEAR(got.square, truth.square, 1.5e-2 * (1.0 + truth.square)) << low << " " << high;
    }
  }
}

TEST(MomentsWithin, OutsideOfAllThatIsRepresentableTheNearestEndIsTaken) {
  EXPECT_EQ(moments_within(40.0, kInfinity).mean, 40.0);
  EXPECT_EQ(moments_within(-kInfinity, -40.0).mean, -40.0);
  EXPECT_EQ(moments_within(50.0, 60.0).mean, 50.0);
}

}  // namespace
}  // namespace mpca::plant::internal
