// What it costs to keep a decision of `predictive`: the flight recorder against the lines of a decision log, on the
// same decisions, into files of the same disk. 8 pods are a usual workload, 60 what most traces of the studies need;
// `counts` is what the world by Prometheus shows. A process with 10,000 workloads has 1.5 ms for each.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <vector>

#include "core/random.h"
#include "core/text.h"
#include "runlog/flight_recorder.h"
#include "runlog/flight_recording.h"
#include "support/temporary_directory.h"

namespace mpca::runlog {
namespace {

using namespace std::chrono_literals;

/// A day at 15 s of a wave with noise, and what predictive decides; pods come and go with its replicas.
struct Day {
  DecisionLogHeader header{.policy = "predictive", .workload = {}, .world = "bench", .trace = "", .program = "0"};
  std::vector<DecisionRecord> records;
  std::string state;

  Day(int pods, bool shows_pods) {
    header.workload.max_replicas = 4 * pods;
    const auto policy = policy::create_policy(header.policy, header.workload, "bench").value();
    RandomStream random(1, "day");
    TimePoint now(480'000h);
    std::int64_t last_id = 0;
    std::vector<policy::PodObservation> fleet;
    int replicas = pods;
    for (int i = 0; i < 5760; ++i) {
      now += 15s + Duration(static_cast<std::int64_t>(1e6 * random.normal()));
      while (static_cast<int>(fleet.size()) > replicas) fleet.pop_back();
      while (static_cast<int>(fleet.size()) < replicas)
        fleet.push_back({.id = ++last_id, .started = now, .ready_changed = now, .cpu_cores = {}});
      policy::Observation seen;
      seen.now = now;
      seen.spec_replicas = replicas;
      for (policy::PodObservation& pod : fleet) {
        if (!pod.is_ready && now - pod.started > 30s) {
          pod.is_ready = true;
          pod.ready_changed = pod.started + 28s;
        }
        if (pod.is_ready) ++seen.ready_replicas;
        if (!pod.is_ready) seen.starting_pod_ages.push_back(now - pod.started);
      }
      const double demand_rps = pods * 25.0 * (0.55 + 0.25 * std::sin(i * 0.0011) + 0.03 * random.normal());
      const Duration age = 5s + Duration(static_cast<std::int64_t>(3e9 * random.uniform()));
      const double served_rps = std::round(60.0 * std::min(demand_rps, 25.0 * seen.ready_replicas)) / 60.0;
      seen.rate_window = 1min;
      seen.served_rate_rps = policy::Signal::fresh(served_rps, age);
      seen.failed_rate_rps = policy::Signal::fresh(0.0, age);
      seen.in_flight_requests = policy::Signal::fresh(std::round(served_rps * 0.04), age);
      seen.cpu_cores = policy::Signal::fresh(served_rps * (0.04 + 1e-4 * random.normal()), age);
      for (policy::PodObservation& pod : fleet)
        pod.cpu_cores = policy::Signal::fresh(0.04 * served_rps / replicas * (1.0 + 0.02 * random.normal()), age);
      if (shows_pods) seen.pods = fleet;
      records.push_back({seen, policy->decide(seen)});
      replicas = records.back().decision.replicas;
    }
    state = policy->save_state();
  }
};

const Day& day_of(int pods, bool shows_pods) {
  static const Day kFew(8, true), kMany(60, true), kCounts(8, false);
  return !shows_pods ? kCounts : pods == 8 ? kFew : kMany;
}

void flight_recorder(benchmark::State& state, bool shows_pods) {
  const Day& day = day_of(static_cast<int>(state.range(0)), shows_pods);
  test::TemporaryDirectory directory;
  auto recorder = FlightRecorder::open(directory.path(), {}).value();
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    const DecisionRecord& record = day.records[next];
    next = next + 1 < day.records.size() ? next + 1 : 0;
    const bool wants = recorder.wants_state("shop/web", day.header, record.observation.now);
    benchmark::DoNotOptimize(recorder.record("shop/web", day.header, wants ? day.state : "", record));
  }
  const FlightRecorder::Figures figures = recorder.figures();
  const auto records = static_cast<double>(figures.recorded);
  state.counters["record_bytes"] = static_cast<double>(figures.written_bytes - figures.state_bytes) / records;
}

void lines(benchmark::State& state, bool shows_pods) {
  const Day& day = day_of(static_cast<int>(state.range(0)), shows_pods);
  test::TemporaryDirectory directory;
  const int file = ::open(directory.file("decisions.jsonl").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  DecisionLogFormatter formatter;
  std::size_t next = 0;
  double bytes = 0.0;
  std::string line;
  for ([[maybe_unused]] auto _ : state) {
    line.clear();
    formatter.append(day.records[next], line);
    next = next + 1 < day.records.size() ? next + 1 : 0;
    benchmark::DoNotOptimize(::write(file, line.data(), line.size()));
    bytes += static_cast<double>(line.size());
  }
  ::close(file);
  state.counters["record_bytes"] = bytes / static_cast<double>(state.iterations());
}

/// What a workload costs at the beginning of a segment, besides its record.
void beginning(benchmark::State& state) {
  const Day& day = day_of(8, true);
  test::TemporaryDirectory directory;
  auto recorder = FlightRecorder::open(directory.path(), {}).value();
  const auto policy = policy::create_policy(day.header.policy, day.header.workload, "bench").value();
  if (!policy->load_state(day.state)) state.SkipWithError("the memory does not load");
  std::int64_t workloads = 0;
  for ([[maybe_unused]] auto _ : state) {
    const std::string memory = policy->save_state();
    benchmark::DoNotOptimize(recorder.record(cat("shop/web-", workloads++), day.header, memory, day.records.front()));
  }
  state.counters["record_bytes"] = static_cast<double>(recorder.figures().state_bytes) / static_cast<double>(workloads);
  state.counters["uncompressed_bytes"] = static_cast<double>(day.state.size());
}

/// Of a day with pods, all of it.
void read_back(benchmark::State& state) {
  const Day& day = day_of(8, true);
  test::TemporaryDirectory directory;
  {
    auto recorder = FlightRecorder::open(directory.path(), {}).value();
    for (const DecisionRecord& record : day.records)
      if (!recorder.record("shop/web", day.header, day.state, record)) state.SkipWithError("not recorded");
  }
  std::int64_t records = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto recording = FlightRecording::open(directory.path()).value();
    const auto read = recording.read(
        "shop/web", [](const auto&) { return true; }, [&](const DecisionRecord&) { return ++records > 0; });
    if (!read) state.SkipWithError("not read");
  }
  state.SetItemsProcessed(records);
}

BENCHMARK_CAPTURE(flight_recorder, , false)->Name("record_decision/counts")->ArgName("pods")->Arg(8);
BENCHMARK_CAPTURE(lines, , false)->Name("record_decision/counts/peer:lines")->ArgName("pods")->Arg(8);
BENCHMARK_CAPTURE(flight_recorder, , true)->Name("record_decision")->ArgName("pods")->Arg(8)->Arg(60);
BENCHMARK_CAPTURE(lines, , true)->Name("record_decision/peer:lines")->ArgName("pods")->Arg(8)->Arg(60);
BENCHMARK(beginning)->Name("record_beginning");
BENCHMARK(read_back)->Name("read_recorded_day");

}  // namespace
}  // namespace mpca::runlog

BENCHMARK_MAIN();
