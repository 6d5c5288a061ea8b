// One decision of `predictive`, and what of it the tournament takes. 60 pods are what most traces of the studies need.
// A study of a year at 15 s is 2.1 million decisions per run; a live loop of 10,000 workloads has 1.5 ms for each. The
// tournament does not allocate; a decision does, for its explanation.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "core/random.h"
#include "policy/policy.h"
#include "policy/predictive/predictive.h"
#include "policy/predictive/tournament.h"
#include "support/allocation_counter.h"

namespace mpca {
namespace {

using namespace std::chrono_literals;

enum class Shown { counts, pods };

/// An hour and a half of a wave that keeps `pods` pods 40 to 80 % busy; an eighth of them is always starting.
std::vector<policy::Observation> looks_of(int pods, Shown shown) {
  RandomStream random(1, "looks");
  std::vector<policy::Observation> looks(360);
  TimePoint now(1000h);
  for (std::size_t i = 0; i < looks.size(); ++i) {
    policy::Observation& look = looks[i];
    look.now = now += 15s;
    look.spec_replicas = pods;
    look.ready_replicas = pods - pods / 8;
    const double busy = 0.6 + 0.2 * std::sin(static_cast<double>(i) * 0.1) + 0.02 * random.normal();
    const double served_rps = 25.0 * look.ready_replicas * busy;
    look.served_rate_rps = policy::Signal::fresh(served_rps, 5s);
    look.failed_rate_rps = policy::Signal::fresh(0.0, 5s);
    look.in_flight_requests = policy::Signal::fresh(served_rps * 0.04, 5s);
    look.cpu_cores = policy::Signal::fresh(served_rps * 0.04, 5s);
    for (int k = 0; k < pods / 8; ++k) look.starting_pod_ages.push_back(20s);
    if (shown == Shown::counts) continue;
    // Two periods of starting are an eighth: pods move up by a sixteenth a period.
    const auto first = static_cast<std::int64_t>(i) * (pods / 16);
    for (int k = 0; k < pods; ++k) {
      const bool is_ready = k < look.ready_replicas;
      const Duration age = (pods - k) * 15s / std::max(pods / 16, 1);
      look.pods.push_back({.id = first + k,
                           .started = now - age,
                           .is_ready = is_ready,
                           .ready_changed = is_ready ? now - age + 30s : now - age,
                           .cpu_cores = policy::Signal::fresh(is_ready ? busy : 0.1, 5s),
                           .cpu_window = 30s});
    }
  }
  return looks;
}

void decide(benchmark::State& state, Shown shown) {
  const auto pods = static_cast<int>(state.range(0));
  const policy::Workload workload{.min_replicas = 1, .max_replicas = 400};
  std::vector<policy::Observation> looks = looks_of(pods, shown);
  const auto made = policy::create_predictive("", workload, "bench");
  policy::Policy& policy = **made;
  const Duration length = looks.back().now - looks.front().now + 15s;
  std::size_t at = 0;
  long allocated = 0;
  for ([[maybe_unused]] auto _ : state) {
    const long before = test::allocations;
    benchmark::DoNotOptimize(policy.decide(looks[at]));
    allocated += test::allocations - before;
    if (++at < looks.size()) continue;
    state.PauseTiming();  // time only rises
    at = 0;
    for (policy::Observation& look : looks) {
      look.now += length;
      for (policy::PodObservation& pod : look.pods) {
        pod.id += static_cast<std::int64_t>(looks.size()) * (pods / 16);
        pod.started += length;
        pod.ready_changed += length;
      }
    }
    state.ResumeTiming();
  }
  state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(state.iterations());
  state.counters["state_bytes"] = static_cast<double>(policy::predictive_state_bytes());
}

enum class Part { score_and_weights, price_for };

void tournament(benchmark::State& state, Part part) {
  policy::Tournament tournament;
  policy::LagShares shares;
  for (std::size_t i = 20; i < policy::LagShares::kPoints; ++i)
    shares.ready_by[i] = static_cast<float>(i - 20) / static_cast<float>(policy::LagShares::kPoints - 21);
  policy::Candidates::Replicas replicas;
  for (std::size_t c = 0; c < replicas.size(); ++c) replicas[c] = static_cast<std::uint16_t>(30 + c);
  TimePoint now(1000h);
  double load = 35.0;
  const long before = test::allocations;
  for ([[maybe_unused]] auto _ : state) {
    now += 15s;
    load = load > 60.0 ? 35.0 : load + 0.5;
    const int context = static_cast<int>(load) % policy::Tournament::kContexts;
    tournament.score({.from = now - 15s, .to = now, .load = load, .change = 0.5}, 40.0, shares, 45s);
    tournament.order(now, replicas, context, 1);
    const double price = part == Part::price_for ? tournament.price_for(0.01, context) : 8.0;
    benchmark::DoNotOptimize(tournament.weights(price, context));
  }
  state.counters["allocations"] =
      static_cast<double>(test::allocations - before) / static_cast<double>(state.iterations());
}

BENCHMARK_CAPTURE(decide, pods, Shown::pods)->ArgName("pods")->Arg(60);
BENCHMARK_CAPTURE(decide, counts, Shown::counts)->ArgName("pods")->Arg(60);
BENCHMARK_CAPTURE(tournament, score_and_weights, Part::score_and_weights);
BENCHMARK_CAPTURE(tournament, with_price_for, Part::price_for);

}  // namespace
}  // namespace mpca

BENCHMARK_MAIN();
