#include "core/stats.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.h"

namespace mpca {
namespace {

double quantile_of(std::vector<double> values, double level) { return quantile_linear(values, level); }

// By hand: position 0.95 x 3 = 2.85 between 3 and 10.
TEST(Stats, QuantilesAreLinearBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(quantile_of({10, 1, 3, 2}, 0.95), 3 + 0.85 * 7);
  EXPECT_EQ(quantile_of({4}, 0.95), 4);
  EXPECT_EQ(quantile_of({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile_of({3, 1, 2}, 0.0), 1);
  EXPECT_EQ(quantile_of({3, 1, 2}, 1.0), 3);
}

TEST(Stats, TheSelectionAgreesWithASortedVector) {
  RandomStream stream(3, "quantiles");
  for (int round = 0; round < 500; ++round) {
    std::vector<double> values(1 + stream.below(40));
    for (double& value : values) value = static_cast<double>(stream.below(10));
    const double level = stream.uniform();
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const double position = level * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(position);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    const double expected = sorted[low] + (position - static_cast<double>(low)) * (sorted[high] - sorted[low]);
    EXPECT_NEAR(quantile_linear(values, level), expected, 1e-12);
  }
}

}  // namespace
}  // namespace mpca
