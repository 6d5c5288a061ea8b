// One run of the request-level world with the standard pods (one slot, 40 ms), 60 of them at 80 %: how many requests a
// core simulates per second, all drawing of arrivals and services included. The peer is an event simulation as it is
// written down first, a priority queue of arrivals and departures and a queue of who waits; it draws the same requests,
// and knows no pods, time-outs, refusals or metrics.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <string>

#include "policy/policy.h"
#include "sim/arrivals.h"
#include "sim/fluid_world.h"
#include "sim/internal/request_engine.h"
#include "sim/internal/request_source.h"
#include "sim/naive_queue.h"
#include "sim/request_world.h"
#include "support/allocation_counter.h"

namespace {

using namespace std::chrono_literals;
using namespace mpca;

constexpr int kPods = 60;
constexpr double kRate = 0.8 * kPods * 25.0;
constexpr std::size_t kSeconds = 900;

std::shared_ptr<const sim::Arrivals> arrivals() {
  return sim::make_arrivals(std::vector(kSeconds, kRate), sim::ArrivalKind::poisson, {}, 1);
}

void simulate_requests(benchmark::State& state, const std::string& service, const std::string& queue,
                       const std::string& balancer) {
  const auto requests = arrivals();
  const sim::RequestSettings settings = {.service = service, .queue = queue, .balancer = balancer};
  policy::Decision decision;
  decision.replicas = kPods;
  double simulated = 0.0;
  long allocated = 0;
  for (auto _ : state) {
    const auto world =
        sim::make_request_world(requests, {.max_replicas = kPods, .period = 15s}, kPods, settings, {}, {});
    const long before = test::allocations;
    while (world->next()) world->apply(decision);
    allocated += test::allocations - before;
    simulated += world->truth().requests;
  }
  state.counters["requests_per_second"] = benchmark::Counter(simulated, benchmark::Counter::kIsRate);
  state.counters["allocations_per_request"] = static_cast<double>(allocated) / simulated;
}

void simulate_requests_naively(benchmark::State& state, const std::string& service) {
  const auto requests = arrivals();
  double simulated = 0.0;
  for (auto _ : state) {
    sim::internal::RequestSource source(requests, sim::internal::service_kind(service), 40ms, 1.0);
    std::vector<sim::internal::RequestArrival> all;
    for (std::size_t second = 0; second < kSeconds; ++second) {
      const auto some = source.next_second();
      all.insert(all.end(), some.begin(), some.end());
    }
    const test::NaiveQueueResult result = test::naive_fifo_queue(all, kPods, 250ms);
    simulated += static_cast<double>(result.served);
  }
  state.counters["requests_per_second"] = benchmark::Counter(simulated, benchmark::Counter::kIsRate);
}

void make_arrivals(benchmark::State& state, double rate) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        sim::make_arrivals(std::vector(200'000, rate), sim::ArrivalKind::poisson, {}, 1)->count.back());
  }
}

// A day's rhythm and a spike each half hour, 60 pods at its greatest; 200,000 s are what a study plays of a trace.
void simulate_fluid(benchmark::State& state, const std::string& policy_text) {
  std::vector<double> rate_rps;
  for (int second = 0; second < 200'000; ++second) {
    const double level = 0.55 + 0.3 * std::sin(2 * std::numbers::pi * second / 86'400.0);
    rate_rps.push_back(25.0 * kPods * level * (second % 1800 < 60 ? 1.15 : 1.0));
  }
  const auto requests = sim::make_arrivals(std::move(rate_rps), sim::ArrivalKind::poisson, {}, 1);
  const auto waiting = sim::make_waiting_times({});
  const policy::Workload workload = {.min_replicas = 1, .max_replicas = 400, .period = 15s};
  long allocated = 0;
  double periods = 0.0;
  for (auto _ : state) {
    const auto world = sim::make_fluid_world(requests, workload, kPods, {}, waiting, {}, {});
    const auto policy = policy::create_policy(policy_text, workload, "bench");
    const long before = test::allocations;
    while (const auto observation = world->next()) {
      world->apply((*policy)->decide(*observation));
      ++periods;
    }
    allocated += test::allocations - before;
    state.counters["violation_ratio"] = world->truth().violation_ratio();
    state.counters["mean_replicas"] = world->truth().replica_seconds / world->truth().seconds;
  }
  state.counters["allocations_per_period"] = static_cast<double>(allocated) / periods;
}

void make_waiting_times(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(sim::make_waiting_times({}));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string size = "/pods:" + std::to_string(kPods) + "/seconds:" + std::to_string(kSeconds);
  for (const std::string service : {"deterministic", "exponential", "lognormal"}) {
    const std::string name = "simulate_requests/queue:balancer/service:" + service + size;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      simulate_requests(state, service, "balancer", "least-outstanding");
    })->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark((name + "/peer:priority_queue").c_str(), [=](benchmark::State& state) {
      simulate_requests_naively(state, service);
    })->Unit(benchmark::kMillisecond);
  }
  for (const std::string balancer : {"round-robin", "random", "two-choices", "least-outstanding"}) {
    const std::string name = "simulate_requests/queue:pod/balancer:" + balancer + size;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      simulate_requests(state, "deterministic", "pod", balancer);
    })->Unit(benchmark::kMillisecond);
  }
  for (const std::string policy : {"static:60", "reactive"}) {
    benchmark::RegisterBenchmark(("fluid_world/seconds:200000/policy:" + policy).c_str(), [=](benchmark::State& state) {
      simulate_fluid(state, policy);
    })->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("make_waiting_times/servers:4", make_waiting_times)->Unit(benchmark::kMillisecond);
  for (const int rate : {5, 25, 1500}) {
    const std::string name = "make_arrivals/seconds:200000/rate:" + std::to_string(rate);
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      make_arrivals(state, rate);
    })->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
