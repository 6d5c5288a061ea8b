// One look at a workload: what a policy pays per decision for knowing its plant. 60 pods are what most traces of the
// studies need, 400 is their limit; an eighth of them is starting, which is much. A live loop of 10,000 workloads that
// decide every 15 s has 1.5 ms for each, a study of a year 2 million looks. Also reports the size of the state and
// allocations per look (0).
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "core/random.h"
#include "plant/plant_model.h"
#include "support/allocation_counter.h"

namespace {

using namespace mpca;
using namespace std::chrono_literals;

enum class Shown { counts, pods };

/// 512 looks, made beforehand: pods come and go with a lognormal lag of 30 s.
struct Looks {
  struct Look {
    plant::PlantObservation observation;
    std::vector<Duration> ages;
    std::vector<plant::PodSight> pods;
  };

  Looks(std::size_t size, Shown shown) : looks(512) {
    RandomStream draw(1, "looks");
    struct Pod {
      std::int64_t id;
      TimePoint asked;
      TimePoint ready;
    };
    std::vector<Pod> alive;
    TimePoint now(1000h);
    std::int64_t next_id = 1;
    for (Look& look : looks) {
      now += 15s;
      // Two periods of starting are an eighth.
      for (std::size_t k = 0; k < size / 16 && alive.size() > size / 2; ++k) alive.erase(alive.begin());
      while (alive.size() < size)
        alive.push_back({next_id++, now - 15s, now - 15s + from_seconds(29.0 * std::exp(0.3 * draw.normal()))});
      int ready = 0;
      for (const Pod& pod : alive) {
        const bool is_ready = pod.ready <= now;
        ready += is_ready ? 1 : 0;
        if (!is_ready) look.ages.push_back(now - pod.asked);
        if (shown == Shown::pods) look.pods.push_back({pod.id, pod.asked, is_ready, is_ready ? pod.ready : pod.asked});
      }
      const double served_rps = ready * 25.0 * (0.5 + 0.2 * draw.uniform());
      look.observation = {.now = now,
                          .spec_replicas = static_cast<int>(size),
                          .ready_replicas = ready,
                          .starting_pod_ages = look.ages,
                          .pods = look.pods,
                          .served_rate_rps = plant::Reading{served_rps, 5s},
                          .failed_rate_rps = plant::Reading{0.0, 5s},
                          .in_flight_requests = plant::Reading{served_rps * 0.04, 5s},
                          .cpu_cores = plant::Reading{served_rps * 0.04, 5s}};
    }
  }

  std::vector<Look> looks;
};

void observe_plant(benchmark::State& state, Shown shown) {
  const Looks looks(static_cast<std::size_t>(state.range(0)), shown);
  plant::PlantModel model({});
  std::size_t at = 0;
  const long before = test::allocations;
  for ([[maybe_unused]] auto _ : state) {
    model.observe(looks.looks[at].observation);
    benchmark::DoNotOptimize(model);
    if (++at < looks.looks.size()) continue;
    at = 0;
    // Time only rises.
    model = plant::PlantModel({});
  }
  state.counters["allocations"] =
      static_cast<double>(test::allocations - before) / static_cast<double>(state.iterations());
  state.counters["state_bytes"] = sizeof(plant::PlantModel);
}

void estimate_plant(benchmark::State& state) {
  const Looks looks(static_cast<std::size_t>(state.range(0)), Shown::counts);
  plant::PlantModel model({});
  for (const Looks::Look& look : looks.looks) model.observe(look.observation);
  const long before = test::allocations;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(model.estimate());
  state.counters["allocations"] =
      static_cast<double>(test::allocations - before) / static_cast<double>(state.iterations());
}

}  // namespace

BENCHMARK_CAPTURE(observe_plant, counts, Shown::counts)->ArgName("pods")->Arg(60)->Arg(400);
BENCHMARK_CAPTURE(observe_plant, pods, Shown::pods)->ArgName("pods")->Arg(60)->Arg(400);
BENCHMARK(estimate_plant)->ArgName("pods")->Arg(60);

BENCHMARK_MAIN();
