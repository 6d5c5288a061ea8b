#include "core/stats.h"

#include <algorithm>
#include <cmath>

#include "core/result.h"

namespace mpca {

double quantile_linear(std::vector<double>& values, double level) {
  MPCA_CHECK(!values.empty() && level >= 0.0 && level <= 1.0, "a quantile needs values and a level in [0, 1]");
  const double position = level * static_cast<double>(values.size() - 1);
  const auto index = static_cast<std::size_t>(position);
  const double fraction = position - static_cast<double>(index);
  const auto lower = values.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(values.begin(), lower, values.end());
  if (fraction == 0.0) return *lower;
  const double upper = *std::min_element(lower + 1, values.end());
  // numpy's lerp: from the nearer end, so that level 1 and equal neighbours are exact.
  const double difference = upper - *lower;
  return fraction < 0.5 ? *lower + difference * fraction : upper - difference * (1.0 - fraction);
}

double mean(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

}  // namespace mpca
