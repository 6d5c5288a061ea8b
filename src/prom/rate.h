// PromQL's rate() over samples that we scraped ourselves, with its rules: counter resets, extrapolation towards the
// ends of the window. So a policy sees the same number whether Prometheus computed it or we did.
// github.com/prometheus/prometheus v2.42, promql/functions.go, extrapolatedRate.
#pragma once

#include <optional>
#include <span>

#include "core/time.h"

namespace mpca::prom {

struct CounterSample {
  TimePoint time;
  double value = 0.0;
};

/// Per second over [`at` - `window`, `at`], both ends included (Prometheus leaves the start out only from 3.0 on);
/// nullopt when fewer than two samples lie in it.
///   samples  by strictly rising time; those outside the window are left out
std::optional<double> rate(std::span<const CounterSample> samples, TimePoint at, Duration window);

}  // namespace mpca::prom
