// One sample into the forecaster of the greatest demand ahead, at the sample period of the studies: 50 s is the dead
// time of a cluster with warm images, 5 min one with new nodes. The load has noise, a day and a job every two hours, so
// that no part is at rest. It runs once per workload and period; the goal is 20 us and no allocation.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>
#include <string>

#include "core/random.h"
#include "forecast/forward_maximum.h"
#include "support/allocation_counter.h"

namespace {

using namespace mpca;

constexpr std::size_t kDaySamples = 86400 / 15;

void observe(benchmark::State& state) {
  const Duration horizon = std::chrono::seconds(state.range(0));
  static std::array<double, kDaySamples> demand;
  RandomStream stream(1, "demand");
  for (std::size_t i = 0; i < kDaySamples; ++i) {
    const double job = i % 480 < 40 ? 6.0 : 0.0;
    demand[i] = 20.0 + 8.0 * std::sin(static_cast<double>(i) * 1.0908e-3) + job + stream.uniform();
  }
  forecast::ForwardMaximum forward;
  TimePoint now(std::chrono::hours(1));
  std::size_t step = 0;
  const auto one = [&] {
    now += std::chrono::seconds(15);
    forward.observe(now, demand[step++ % kDaySamples], false, horizon);
    benchmark::DoNotOptimize(forward.quantiles());
  };
  for (std::size_t i = 0; i < kDaySamples; ++i) one();
  const long before = test::allocations;
  const std::size_t steps_before = step;
  for (auto _ : state) one();
  state.counters["allocations"] =
      static_cast<double>(test::allocations - before) / static_cast<double>(step - steps_before);
  state.counters["state_bytes"] = static_cast<double>(forecast::ForwardMaximum::state_bytes());
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("forward_maximum_observe/sample_s:15/horizon_s", observe)->Arg(50)->Arg(300);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
