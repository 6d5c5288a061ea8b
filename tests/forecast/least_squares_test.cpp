#include "forecast/internal/least_squares.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <vector>

#include "core/random.h"
#include "core/state_numbers.h"

namespace mpca::forecast::internal {
namespace {

// By hand, from P = 10 I and w = 0, forgetting L = 0.9995: x = (1, 2) with the intercept gives Px = (10, 20),
// denominator L + 10 + 40 = 50.9995; the error 0.5 moves w by (10, 20) / 50.9995 x 0.5 = (0.0980402, 0.1960803).
// The prediction at 3 is then 0.0980402 + 3 x 0.1960803.
TEST(LeastSquares, OnePairMovesTheLineByTheGain) {
  LeastSquares<1> line;
  EXPECT_EQ(line.predict({3.0}), 0.0);
  line.learn({2.0}, 0.5);
  EXPECT_NEAR(line.predict({0.0}), 0.0980402, 1e-7);
  EXPECT_NEAR(line.predict({3.0}), 0.6862812, 1e-6);
}

TEST(LeastSquares, AnErrorBeyondTheLimitCountsAsTheLimit) {
  LeastSquares<1> burst, limit;
  burst.learn({2.0}, 25.0);
  limit.learn({2.0}, 0.7);
  EXPECT_EQ(burst.predict({3.0}), limit.predict({3.0}));
}

// The points (0, 0.1), (1, 0.3), (2, 0.2), each often. By hand: slope (0.2 - 0.1) / 2 = 0.05, mean 0.2 at 1.
TEST(LeastSquares, FindsTheLineThroughPoints) {
  LeastSquares<1> line;
  for (int i = 0; i < 3000; ++i) {
    line.learn({0.0}, 0.1);
    line.learn({1.0}, 0.3);
    line.learn({2.0}, 0.2);
  }
  EXPECT_NEAR(line.predict({1.0}), 0.2, 1e-3);
  EXPECT_NEAR(line.predict({2.0}) - line.predict({0.0}), 0.1, 1e-3);
}

/// Weighted normal equations with what is left of the start, by elimination: what the recursion solves as long as
/// forgetting does not stop. Rows of [A | b].
std::array<double, 3> solved(std::array<std::array<double, 4>, 3> a) {
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t row = 0; row < 3; ++row) {
      if (row == p) continue;
      const double factor = a[row][p] / a[p][p];
      for (std::size_t j = p; j < 4; ++j) a[row][j] -= factor * a[p][j];
    }
  }
  return {a[0][3] / a[0][0], a[1][3] / a[1][1], a[2][3] / a[2][2]};
}

// The first pair is learned while the trace is at its start, and nothing is forgotten after it.
TEST(LeastSquares, AgreesWithTheNormalEquationsOfForgettingSums) {
  RandomStream stream(3, "pairs");
  for (int round = 0; round < 50; ++round) {
    LeastSquares<2> recursive;
    std::array<std::array<double, 4>, 3> sums{};
    for (std::size_t i = 0; i < 3; ++i) sums[i][i] = 0.1;
    for (int n = 0; n < 200; ++n) {
      const std::array<double, 3> x = {1.0, stream.normal(), stream.normal()};
      const double y = 0.1 + 0.05 * x[1] - 0.03 * x[2] + 0.02 * stream.normal();
      recursive.learn({x[1], x[2]}, y);
      // P' = (P - gg'/(L + x'Px)) / L is the inverse of L P^-1 + xx'; without growth, of P^-1 + xx' / L.
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j)
          sums[i][j] = (n == 0 ? 1.0 : 0.9995) * sums[i][j] + x[i] * x[j] / (n == 0 ? 0.9995 : 1.0);
        sums[i][3] = (n == 0 ? 1.0 : 0.9995) * sums[i][3] + x[i] * y / (n == 0 ? 0.9995 : 1.0);
      }
    }
    const auto weights = solved(sums);
    EXPECT_NEAR(recursive.predict({0.0, 0.0}), weights[0], 1e-9);
    EXPECT_NEAR(recursive.predict({1.0, 0.0}), weights[0] + weights[1], 1e-9);
    EXPECT_NEAR(recursive.predict({0.0, 1.0}), weights[0] + weights[2], 1e-9);
  }
}

TEST(LeastSquares, ForgetsALineThatHoldsNoLonger) {
  RandomStream stream(4, "change");
  LeastSquares<1> line;
  for (int i = 0; i < 20000; ++i) {
    const double x = stream.normal();
    line.learn({x}, (i < 10000 ? 0.2 : -0.2) * x);
  }
  EXPECT_NEAR(line.predict({1.0}) - line.predict({0.0}), -0.2, 0.01);
}

// A feature that is always zero, two that are always the same, and bursts: the covariance must stay what a covariance
// can be, or the first burst after a quiet year bends everything.
TEST(LeastSquares, StaysBoundedWithoutExcitationAndWithTwinFeatures) {
  RandomStream stream(5, "twins");
  LeastSquares<4> line;
  for (int i = 0; i < 300'000; ++i) {
    const bool is_quiet = (i / 5000) % 2 == 0;
    const double x = is_quiet ? 0.0 : stream.uniform() < 0.01 ? 30.0 : stream.normal();
    line.learn({x, x, 0.0, is_quiet ? 0.01 : stream.normal()}, 0.1 * x);
    if (i % 1000 == 0) {
      ASSERT_TRUE(line.is_valid()) << i;
    }
  }
  EXPECT_NEAR(line.predict({1.0, 1.0, 0.0, 0.0}), 0.1, 0.02);
}

TEST(LeastSquares, RefusesAMemoryThatItCannotHaveHad) {
  const auto loads = [](std::vector<double> numbers) {
    LeastSquares<1> line;
    StateNumbersReader reader(numbers);
    reader(line);
    return reader.is_good() && line.is_valid();
  };
  EXPECT_TRUE(loads({10, 0, 10, 0.5, 0.5}));
  EXPECT_FALSE(loads({-1, 0, 10, 0.5, 0.5}));
  EXPECT_FALSE(loads({10, 0, 1e9, 0.5, 0.5}));
  EXPECT_FALSE(loads({10, 1e300, 10, 0.5, 0.5}));
  EXPECT_FALSE(loads({10, 0, 10, 1e300, 0.5}));
  EXPECT_FALSE(loads({10, 0, 10, 0.5, 1e300}));
}

}  // namespace
}  // namespace mpca::forecast::internal
