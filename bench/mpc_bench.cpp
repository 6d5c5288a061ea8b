// The lab's plan in closed loop: 2000 steps, four rounds of a day's rhythm with noise and spikes of 70 %, and every
// action moves the replicas and the backlog that the next plan starts from. Forecasts are the lab's flat one (the last
// value) or a path (what will come, with noise). 12 replicas are the lab's limit, 200 and 5000 a large service's. The
// peers are solved in bench/qp_peers.py on the same instances, which `mpc_bench --dump=FILE` writes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "mpc/replica_qp.h"
#include "support/replica_qp_cases.h"

namespace {
std::atomic<long> allocations = 0;
}

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace mpca;
using mpc::QpStatus;
using mpc::ReplicaQp;
using mpc::ReplicaQpSettings;

constexpr int kSteps = 2000;
constexpr std::array kStages = {8, 20, 60, 128};
constexpr std::array kMaxReplicas = {12, 200, 5000};

enum Forecast { flat, path };
constexpr std::array<const char*, 2> kForecastNames = {"flat", "path"};

ReplicaQpSettings settings_of(int stages, int max_replicas) {
  ReplicaQpSettings settings;
  settings.horizon_stages = stages;
  settings.max_replicas = max_replicas;
  settings.normalization_reference_replicas = max_replicas;
  settings.max_step = std::max(2, max_replicas / 20);
  return settings;
}

/// Walks the loop; `forecasts` is kSteps × stages, row-major.
struct ClosedLoop {
  ClosedLoop(int stages, int max_replicas, Forecast kind) : settings(settings_of(stages, max_replicas)) {
    test::Draw draw(7);
    const double replica_rps = settings.capacity_rps * settings.target_utilization;
    for (int t = 0; t < kSteps + stages; ++t) {
      double level = max_replicas * (0.45 + 0.35 * std::sin(2 * std::numbers::pi * t / 480));
      level *= 1 + 0.14 * draw.uniform(-1, 1);
      if (t % 170 < 6) level *= 1.7;
      demand_rps.push_back(level * replica_rps);
    }
    for (int t = 0; t < kSteps; ++t) {
      for (int k = 0; k < stages; ++k) {
        const auto when = static_cast<std::size_t>(kind == flat ? std::max(0, t - 1) : t + k);
        forecasts.push_back(demand_rps[when] * (kind == flat ? 1 : 1 + 0.17 * draw.uniform(-1, 1)));
      }
    }
    restart();
  }

  void restart() {
    step = 0;
    replicas = settings.max_replicas / 2;
    backlog = 0;
  }

  std::span<const double> forecast() const {
    const auto stages = static_cast<std::size_t>(settings.horizon_stages);
    return std::span(forecasts).subspan(static_cast<std::size_t>(step) * stages, stages);
  }

  void act(int action) {
    const double served = settings.capacity_rps * settings.target_utilization * action;
    backlog = std::max(0.0, backlog + settings.period_s * (demand_rps[static_cast<std::size_t>(step)] - served));
    replicas = action;
    if (++step == kSteps) restart();
  }

  ReplicaQpSettings settings;
  std::vector<double> demand_rps, forecasts;
  int step = 0, replicas = 0;
  double backlog = 0;
};

int action_of(const ClosedLoop& loop, const mpc::QpSolution& solution) {
  return solution.status == QpStatus::optimal ? mpc::rounded_action(loop.settings, solution.replicas[0], loop.replicas)
                                              : mpc::greedy_action(loop.settings, loop.forecast()[0], loop.replicas);
}

/// Over some steps of the loop, the share whose action is not the dense method's (away from a rounding boundary).
double wrong_integers(ClosedLoop loop, ReplicaQp& qp) {
  // The dense method is cubic in the number of stages.
  const int every = loop.settings.horizon_stages <= 20 ? 20 : loop.settings.horizon_stages <= 60 ? 200 : 1000;
  int compared = 0, wrong = 0;
  for (int t = 0; t < kSteps; ++t) {
    const auto solution = qp.solve(loop.forecast(), loop.backlog, loop.replicas);
    const int action = action_of(loop, solution);
    if (t % every == 0) {
      const test::ReplicaQpCase instance{
          loop.settings, {loop.forecast().begin(), loop.forecast().end()}, loop.backlog, loop.replicas};
      const test::DenseForm form = test::dense_form(instance);
      const auto dense = test::DenseDualActiveSet::solve(form.P, form.q, form.G, form.h, 1e-10);
      const double x = dense ? static_cast<double>(dense->z[0]) : 0;
      if (dense && std::abs(x - std::floor(x) - 0.5) >= 1e-6) {
        ++compared;
        wrong += action != mpc::rounded_action(loop.settings, x, loop.replicas) ? 1 : 0;
      }
    }
    loop.act(action);
  }
  return compared > 0 ? static_cast<double>(wrong) / compared : 1;
}

double quantile(std::vector<double> values, double level) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(level * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// The time of one solve includes reading the clock twice (some 30 ns).
void solve_replica_qp(benchmark::State& state, int stages, int max_replicas, Forecast kind) {
  ClosedLoop loop(stages, max_replicas, kind);
  auto qp = ReplicaQp::create(loop.settings);
  std::vector<double> durations_ns;
  durations_ns.reserve(1 << 24);
  long allocated = 0, unsolved = 0;
  for ([[maybe_unused]] auto _ : state) {
    const long before = allocations;
    const auto from = std::chrono::steady_clock::now();
    const auto solution = qp->solve(loop.forecast(), loop.backlog, loop.replicas);
    const auto to = std::chrono::steady_clock::now();
    allocated += allocations - before;
    unsolved += solution.status == QpStatus::optimal ? 0 : 1;
    loop.act(action_of(loop, solution));
    const double seconds = seconds_between(from, to);
    state.SetIterationTime(seconds);
    if (durations_ns.size() < durations_ns.capacity()) durations_ns.push_back(1e9 * seconds);
  }
  const auto solves = static_cast<double>(state.iterations());
  state.counters["median_ns"] = quantile(durations_ns, 0.5);
  state.counters["p99_ns"] = quantile(durations_ns, 0.99);
  state.counters["allocations"] = static_cast<double>(allocated) / solves;
  state.counters["unsolved"] = static_cast<double>(unsolved) / solves;
  loop.restart();
  static std::vector<std::pair<std::array<int, 3>, double>> known;  // the library runs a function several times
  const std::array key = {stages, max_replicas, static_cast<int>(kind)};
  auto found = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == key; });
  if (found == known.end()) found = known.insert(known.end(), {key, wrong_integers(loop, *qp)});
  state.counters["wrong_integers"] = found->second;
}

/// One JSON object and a line per closed loop: its settings, and of each step the forecast, backlog, replicas, our x_0
/// and the time of its solve.
int dump(const std::string& file_name) {
  std::FILE* file = std::fopen(file_name.c_str(), "w");
  if (file == nullptr) {
    std::fprintf(stderr, "%s: cannot be written\n", file_name.c_str());
    return 2;
  }
  for (const int max_replicas : kMaxReplicas) {
    for (const int kind : {flat, path}) {
      for (const int stages : kStages) {
        ClosedLoop loop(stages, max_replicas, static_cast<Forecast>(kind));
        auto qp = ReplicaQp::create(loop.settings);
        // Timed once per step, after one round to warm up: the peers are timed once too, and a median of several would
        // take the machine's interruptions out of our 99th percentile and not out of theirs.
        std::vector<double> times_ns;
        for (const bool counts : {false, true}) {
          loop.restart();
          for (int t = 0; t < kSteps; ++t) {
            const auto from = std::chrono::steady_clock::now();
            const auto solution = qp->solve(loop.forecast(), loop.backlog, loop.replicas);
            const auto to = std::chrono::steady_clock::now();
            if (counts) times_ns.push_back(1e9 * seconds_between(from, to));
            loop.act(action_of(loop, solution));
          }
        }
        const ReplicaQpSettings& s = loop.settings;
        std::fprintf(
            file,
            "{\"stages\": %d, \"forecast\": \"%s\", \"alpha\": %.17g, \"beta\": %.17g, \"gamma\": %.17g, "
            "\"capacity\": %.17g, \"rho\": %.17g, \"min\": %d, \"max\": %d, \"step\": %d, \"period_s\": %.17g, "
            "\"reference\": %.17g, \"steps\": [",
            stages, kForecastNames[static_cast<std::size_t>(kind)], s.alpha, s.beta, s.gamma, s.capacity_rps,
            s.target_utilization, s.min_replicas, s.max_replicas, s.max_step, s.period_s,
            s.normalization_reference_replicas);
        loop.restart();
        for (int t = 0; t < kSteps; ++t) {
          const auto solution = qp->solve(loop.forecast(), loop.backlog, loop.replicas);
          std::fprintf(file, "%s{\"backlog\": %.17g, \"now\": %d, \"ns\": %.0f, \"x0\": %.17g, \"forecast\": [",
                       t > 0 ? ", " : "", loop.backlog, loop.replicas, times_ns[static_cast<std::size_t>(t)],
                       solution.status == QpStatus::optimal ? solution.replicas[0] : -1.0);
          const auto forecast = loop.forecast();
          for (std::size_t k = 0; k < forecast.size(); ++k)
            std::fprintf(file, "%s%.17g", k > 0 ? "," : "", forecast[k]);
          std::fprintf(file, "]}");
          loop.act(action_of(loop, solution));
        }
        std::fprintf(file, "]}\n");
      }
    }
  }
  return std::fclose(file) == 0 ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kDump = "--dump=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kDump)) return dump(argv[1] + kDump.size());
  for (const int max_replicas : kMaxReplicas) {
    for (const int kind : {flat, path}) {
      for (const int stages : kStages) {
        const std::string name = "solve_replica_qp/stages:" + std::to_string(stages) +
                                 "/max_replicas:" + std::to_string(max_replicas) +
                                 "/forecast:" + kForecastNames[static_cast<std::size_t>(kind)];
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
          solve_replica_qp(state, stages, max_replicas, static_cast<Forecast>(kind));
        })->UseManualTime();
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
