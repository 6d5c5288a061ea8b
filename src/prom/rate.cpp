#include "prom/rate.h"

#include <algorithm>

namespace mpca::prom {

std::optional<double> rate(std::span<const CounterSample> samples, TimePoint at, Duration window) {
  const TimePoint from = at - window;
  const auto first = std::ranges::lower_bound(samples, from, {}, &CounterSample::time);
  const auto last = std::ranges::upper_bound(samples, at, {}, &CounterSample::time);
  if (last - first < 2) return std::nullopt;
  const std::span<const CounterSample> inside(first, last);

  double increase = inside.back().value - inside.front().value;
  for (std::size_t i = 1; i < inside.size(); ++i) {
    if (inside[i].value < inside[i - 1].value) increase += inside[i - 1].value;  // the counter began again at 0
  }

  double to_start_s = to_seconds(inside.front().time - from);
  const double to_end_s = to_seconds(at - inside.back().time);
  const double sampled_s = to_seconds(inside.back().time - inside.front().time);
  const double between_samples_s = sampled_s / static_cast<double>(inside.size() - 1);
  // A counter was never below 0, so it has not grown for longer than back to there.
  if (increase > 0.0 && inside.front().value >= 0.0)
    to_start_s = std::min(to_start_s, sampled_s * (inside.front().value / increase));

  // A border within about one sampling interval is reached; a farther one means that the series began or ended half an
  // interval away.
  const double reach_s = between_samples_s * 1.1;
  double covered_s = sampled_s;
  covered_s += to_start_s < reach_s ? to_start_s : between_samples_s / 2.0;
  covered_s += to_end_s < reach_s ? to_end_s : between_samples_s / 2.0;
  return increase * (covered_s / sampled_s / to_seconds(window));
}

}  // namespace mpca::prom
