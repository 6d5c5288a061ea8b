// The lab's plan (solve_replica_qp) and the plan in whole replicas (solve_integer_plan) in closed loop: 2000 steps,
// four rounds of a day's rhythm with noise and spikes of 70 %, and every action moves the replicas and the backlog that
// the next plan starts from. Forecasts are the lab's flat one (the last value) or a path (what will come, with noise).
// 12 replicas are the lab's limit, 200 and 5000 a large service's. The lab's peers are solved in bench/qp_peers.py on
// the same instances, which `mpc_bench --dump=FILE` writes; the integer plan's are tables over all numbers of replicas
// (tests/support/integer_plan_tables.h).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "mpc/clairvoyant.h"
#include "mpc/integer_plan.h"
#include "mpc/replica_qp.h"
#include "support/allocation_counter.h"
#include "support/integer_plan_tables.h"
#include "support/replica_qp_cases.h"

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
    const long before = test::allocations;
    const auto from = std::chrono::steady_clock::now();
    const auto solution = qp->solve(loop.forecast(), loop.backlog, loop.replicas);
    const auto to = std::chrono::steady_clock::now();
    allocated += test::allocations - before;
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

// A day's rhythm with noise and spikes, in replicas.
std::vector<double> diurnal_demand(int steps, int max_replicas, test::Draw& draw) {
  std::vector<double> demand;
  for (int t = 0; t < steps; ++t) {
    double level = max_replicas * (0.45 + 0.35 * std::sin(2 * std::numbers::pi * t / 480));
    level *= 1 + 0.14 * draw.uniform(-1, 1);
    demand.push_back(t % 170 < 6 ? level * 1.7 : level);
  }
  return demand;
}

/// Nine quantiles per stage, wider the farther ahead; a pod serves 3 stages after it is asked for, a start is worth 3
/// stages of running, a missing replica 20. With limits a stage may add 5 % of the replicas and remove 2 %.
struct IntegerLoop {
  static constexpr int kQuantiles = 9, kDeadTime = 3;

  IntegerLoop(int stages_, int max_replicas_, bool limits) : stages(stages_), max_replicas(max_replicas_) {
    test::Draw draw(11);
    const auto demand = diurnal_demand(kSteps + stages, max_replicas, draw);
    constexpr std::array kNormal = {-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28};
    for (int t = 0; t < kSteps; ++t) {
      for (int k = 0; k < stages; ++k) {
        const double middle = demand[static_cast<std::size_t>(t + k)] * (1 + 0.1 * draw.uniform(-1, 1));
        for (const double z : kNormal)
          quantiles_rps.push_back(kCapacityRps * middle * (1 + z * (0.05 + 0.01 * std::sqrt(k))));
      }
    }
    for (int k = 0; k <= stages; ++k) offsets.push_back(static_cast<std::uint32_t>(kQuantiles * k));
    levels.resize(static_cast<std::size_t>(kQuantiles * stages));
    problem = {.stages = stages,
               .dead_time_stages = kDeadTime,
               .ready_if_kept = pipeline,
               .replica_price = 1,
               .start_price = 3,
               .rise_churn_price = 0.5,
               .fall_churn_price = 0.5,
               .levels = levels,
               .level_offsets = offsets,
               .max_rise = limits ? max_replicas / 20 : mpc::kNoLimit,
               .max_fall = limits ? max_replicas / 50 : mpc::kNoLimit,
               .min_replicas = 1,
               .max_replicas = max_replicas};
    restart();
  }

  // What a policy does with its forecast before it can plan.
  void build_levels() {
    const auto count = static_cast<std::size_t>(kQuantiles * stages);
    const double* quantile = quantiles_rps.data() + static_cast<std::size_t>(step) * count;
    const double weight = 20.0 / kQuantiles;
    for (std::size_t i = 0; i < count; ++i) levels[i] = {quantile[i] / kCapacityRps, weight};
  }

  void act(int spec) {
    std::rotate(history.begin(), history.begin() + 1, history.end());
    history.back() = spec;
    if (++step == kSteps) return restart();
    look_back();
  }

  void restart() {
    step = 0;
    history.fill(max_replicas / 2);
    look_back();
  }

  void look_back() {
    problem.spec_replicas = history.back();
    int least = history.back();
    for (std::size_t k = kDeadTime; k-- > 0;) pipeline[k] = least = std::min(least, history[k]);
  }

  static constexpr double kCapacityRps = 25;
  int stages, max_replicas, step = 0;
  std::array<int, kDeadTime> history{}, pipeline{};
  std::vector<double> quantiles_rps;
  std::vector<mpc::ShortfallLevel> levels;
  std::vector<std::uint32_t> offsets;
  mpc::IntegerPlanProblem problem;
};

// Besides the mean: of each step the shortest time of all rounds, and the median and the 99th percentile of these. That
// leaves out what else the machine did, and keeps what differs between steps.
void plan_in_whole_replicas(benchmark::State& state, int stages, int max_replicas, bool limits, bool with_building) {
  IntegerLoop loop(stages, max_replicas, limits);
  mpc::IntegerPlanner planner;
  planner.reserve(stages, loop.levels.size());
  std::vector<double> shortest_ns(kSteps, std::numeric_limits<double>::infinity());
  long allocated = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (!with_building) loop.build_levels();
    const long before = test::allocations;
    const auto from = std::chrono::steady_clock::now();
    if (with_building) loop.build_levels();
    const auto plan = planner.solve(loop.problem);
    const auto to = std::chrono::steady_clock::now();
    allocated += test::allocations - before;
    const double seconds = seconds_between(from, to);
    state.SetIterationTime(seconds);
    double& shortest = shortest_ns[static_cast<std::size_t>(loop.step)];
    shortest = std::min(shortest, 1e9 * seconds);
    loop.act(plan->spec_replicas[0]);
  }
  std::erase(shortest_ns, std::numeric_limits<double>::infinity());  // of steps that a short run does not reach
  state.counters["median_ns"] = quantile(shortest_ns, 0.5);
  state.counters["p99_ns"] = quantile(shortest_ns, 0.99);
  state.counters["allocations"] = static_cast<double>(allocated) / static_cast<double>(state.iterations());
}

// Only the optimal cost: a table keeps no plan. Its answers are compared with the planner's, outside of the time.
void plan_by_tables(benchmark::State& state, int stages, int max_replicas, bool limits,
                    test::ChainTables::Method method) {
  IntegerLoop loop(stages, max_replicas, limits);
  mpc::IntegerPlanner planner;
  test::ChainTables tables;
  long different = 0;
  for ([[maybe_unused]] auto _ : state) {
    loop.build_levels();
    const auto from = std::chrono::steady_clock::now();
    const mpc::Cost optimum = tables.optimum(loop.problem, method);
    const auto to = std::chrono::steady_clock::now();
    const auto plan = planner.solve(loop.problem);
    // A table goes on where no level can be served any more; what is missed above it is the same for all plans.
    different += optimum != plan->cost ? 1 : 0;
    loop.act(plan->spec_replicas[0]);
    state.SetIterationTime(seconds_between(from, to));
  }
  state.counters["different"] = static_cast<double>(different);
}

void clairvoyant(benchmark::State& state, int stages, bool limits) {
  constexpr int kMost = 200;
  test::Draw draw(13);
  std::vector<double> demand_rps = diurnal_demand(stages, kMost, draw);
  for (double& rps : demand_rps) rps *= 25;
  const mpc::TrueDemand demand = {.demand_rps = demand_rps, .capacity_rps = 25, .shortfall_price = 20};
  const mpc::IntegerPlanProblem problem = {.dead_time_stages = 3,
                                           .spec_replicas = kMost / 2,
                                           .replica_price = 1,
                                           .start_price = 3,
                                           .fall_churn_price = 0.5,
                                           .max_rise = limits ? kMost / 20 : mpc::kNoLimit,
                                           .max_fall = limits ? kMost / 50 : mpc::kNoLimit,
                                           .min_replicas = 1,
                                           .max_replicas = kMost};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(mpc::clairvoyant_plan(demand, problem));
}

void register_integer_plans() {
  using Method = test::ChainTables::Method;
  for (const int max_replicas : {200, 5000}) {
    for (const int stages : {20, 60, 128}) {
      for (const bool limits : {false, true}) {
        const auto row = [&](const std::string& function, const std::string& peer, auto run) {
          const std::string name = function + peer + "/stages:" + std::to_string(stages) +
                                   "/max_replicas:" + std::to_string(max_replicas) +
                                   "/quantiles:9/limits:" + (limits ? "yes" : "no");
          benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime();
        };
        const std::string solve = "solve_integer_plan";
        row(solve, "", [=](benchmark::State& s) { plan_in_whole_replicas(s, stages, max_replicas, limits, false); });
        row(solve, "/peer:slope_table",
            [=](benchmark::State& s) { plan_by_tables(s, stages, max_replicas, limits, Method::slopes); });
        if (max_replicas * stages <= 200 * 60)  // a second per plan beyond
          row(solve, "/peer:plain_table",
              [=](benchmark::State& s) { plan_by_tables(s, stages, max_replicas, limits, Method::plain); });
        row("build_and_solve_integer_plan", "",
            [=](benchmark::State& s) { plan_in_whole_replicas(s, stages, max_replicas, limits, true); });
      }
    }
  }
  for (const bool limits : {false, true}) {
    const std::string name = std::string("clairvoyant/stages:100000/limits:") + (limits ? "yes" : "no");
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& s) {
      clairvoyant(s, 100'000, limits);
    })->Unit(benchmark::kMillisecond);
  }
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
  register_integer_plans();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
