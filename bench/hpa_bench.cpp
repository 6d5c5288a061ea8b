// One sync of the twin, with one CPU metric: 60 replicas are what most traces of the studies need, 400 is their limit.
// The load goes up and down, so that the memory of the stabilization window is in use. The goal is 2 us at 60 pods: a
// study calls it 150,000 times per run.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "hpa/autoscaler.h"
#include "support/allocation_counter.h"

namespace {

using namespace mpca;

void sync_cpu(benchmark::State& state, bool has_behavior) {
  const auto count = static_cast<std::size_t>(state.range(0));
  hpa::Spec spec;
  spec.min_replicas = 1;
  spec.max_replicas = 400;
  spec.metrics.emplace_back().average_utilization = 60;
  if (has_behavior) spec.behavior.emplace();
  hpa::HorizontalPodAutoscaler twin(spec, {});
  std::vector<hpa::Pod> pods(count);
  std::vector<hpa::PodSample> samples(count);
  const std::vector<std::int64_t> requests(count, 1000);
  hpa::MetricAnswer answer;
  answer.samples = samples;
  answer.requests = requests;
  hpa::SyncInput input;
  input.spec_replicas = input.status_replicas = static_cast<std::int32_t>(count);
  input.pods = pods;
  input.answers = std::span(&answer, 1);
  input.now = TimePoint(std::chrono::hours(1));
  long before = 0;
  std::int64_t step = 0;
  for (auto _ : state) {
    if (step == 1000) before = test::allocations;
    input.now += std::chrono::seconds(15);
    const auto usage = static_cast<std::int64_t>(600.0 + 300.0 * std::sin(static_cast<double>(step) * 0.05));
    for (std::size_t i = 0; i < count; ++i)
      samples[i] = {static_cast<int>(i), usage, input.now, std::chrono::seconds(30)};
    benchmark::DoNotOptimize(twin.sync(input).desired_replicas);
    ++step;
  }
  if (step > 1000) {
    state.counters["allocations"] = static_cast<double>(test::allocations - before) / static_cast<double>(step - 1000);
  }
}

void register_all() {
  for (const bool has_behavior : {false, true}) {
    const std::string name = has_behavior ? "hpa_sync/behavior" : "hpa_sync/legacy";
    benchmark::RegisterBenchmark((name + "/pods").c_str(),
                                 [has_behavior](benchmark::State& state) { sync_cpu(state, has_behavior); })
        ->Arg(60)
        ->Arg(400);
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
