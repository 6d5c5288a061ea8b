// What the engine does per request besides system calls: the next arrival, the answer's head, the histogram.
#include <benchmark/benchmark.h>

#include <string>

#include "core/latency_histogram.h"
#include "load/arrivals.h"
#include "load/internal/response_reader.h"

namespace mpca::load {
namespace {

// What nginx sends for `return 200`, 161 bytes.
const std::string kAnswer =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
    "Content-Length: 3\r\nConnection: keep-alive\r\n\r\nok\n";

void read_answer(benchmark::State& state) {
  ResponseReader reader;
  for (auto _ : state) {
    reader.begin(false);
    benchmark::DoNotOptimize(reader.feed(kAnswer));
  }
}
BENCHMARK(read_answer)->Name("read_answer/bytes:161");

void next_arrival(benchmark::State& state) {
  ArrivalPlan plan = plan_at_rate(1e6, std::chrono::hours(24));
  plan.kind = state.range(0) == 0 ? ArrivalKind::constant : ArrivalKind::poisson;
  ArrivalSchedule schedule(plan);
  for (auto _ : state) benchmark::DoNotOptimize(schedule.next());
}
BENCHMARK(next_arrival)->Name("next_arrival")->ArgName("poisson")->Arg(0)->Arg(1);

void record_latency(benchmark::State& state) {
  LatencyHistogram histogram;
  std::int64_t value_ns = 1;
  for (auto _ : state) {
    value_ns = (value_ns * 1'103'515'245 + 12'345) & 0x3fff'ffff;  // up to 1 s, all over
    histogram.record(Duration(value_ns));
  }
  benchmark::DoNotOptimize(histogram);
}
BENCHMARK(record_latency);

}  // namespace
}  // namespace mpca::load

BENCHMARK_MAIN();
