#include "sim/demand_curve.h"

#include <algorithm>

namespace mpca::sim {
namespace {

/// Both kinds of curve are straight within half a step, so the mean over a part of one is the value in that part's
/// middle: no differences of long sums, and what is constant stays so to the last bit.
double value_at(const std::vector<double>& demand, Interpolation interpolation, double steps) {
  const auto n = static_cast<double>(demand.size());
  if (interpolation == Interpolation::held) return demand[static_cast<std::size_t>(std::min(steps, n - 1.0))];
  const double place = std::clamp(steps - 0.5, 0.0, n - 1.0);
  const auto left = static_cast<std::size_t>(place);
  const std::size_t right = std::min(left + 1, demand.size() - 1);
  return demand[left] + (demand[right] - demand[left]) * (place - static_cast<double>(left));
}

}  // namespace

std::vector<double> rate_per_second(const trace::DemandTrace& trace, Interpolation interpolation) {
  constexpr Duration kSecond = std::chrono::seconds(1);
  if (trace.demand_rps.empty()) return {};
  const Duration length = trace.step * static_cast<std::int64_t>(trace.demand_rps.size());
  // In half nanoseconds, in which half a step is whole.
  const std::int64_t half_step = trace.step.count();
  constexpr std::int64_t kHalvesPerSecond = 2 * kSecond.count();
  std::vector<double> rates(static_cast<std::size_t>(length / kSecond));
  std::int64_t from = 0;
  std::int64_t half = 0;  // which half step `from` lies in
  for (double& rate : rates) {
    const std::int64_t end = from + kHalvesPerSecond;
    while (from < end) {
      const std::int64_t to = std::min(end, (half + 1) * half_step);
      const double middle = (static_cast<double>(from) + static_cast<double>(to)) / 2.0;
      const double value = value_at(trace.demand_rps, interpolation, middle / (2.0 * static_cast<double>(half_step)));
      if (to - from == kHalvesPerSecond) {
        rate = value;
      } else {
        rate += value * (static_cast<double>(to - from) / static_cast<double>(kHalvesPerSecond));
      }
      from = to;
      if (from == (half + 1) * half_step) ++half;
    }
  }
  return rates;
}

}  // namespace mpca::sim
