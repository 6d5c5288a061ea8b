// Reading traces. Rows look as in the packaged traces (`1234567,18518505,83.25`, 20 to 25 bytes); 10 million are 4.75
// years of 15 s steps. The peer is what one writes first: std::getline and strtod.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/trace_files.h"
#include "core/csv.h"
#include "core/text.h"
#include "trace/trace_csv.h"

namespace {

using namespace mpca;

std::string trace_text(std::int64_t rows) {
  std::string text(trace::trace_csv_header(false));
  for (std::int64_t i = 0; i < rows; ++i) {
    trace::append_trace_csv_row({.step = i,
                                 .timestamp_s = 15.0 * static_cast<double>(i),
                                 .demand_rps = static_cast<double>((i * 2654435761) % 100000) / 100.0,
                                 .phase_idx = {}},
                                text);
  }
  return text;
}

void report(benchmark::State& state, std::int64_t rows, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * rows);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

constexpr std::size_t kPiece = 1 << 18;  // as os::read_in_pieces

template <class Feed>
void in_pieces(std::string_view text, const Feed& feed) {
  for (; !text.empty(); text.remove_prefix(std::min(kPiece, text.size()))) feed(text.substr(0, kPiece));
}

void csv_rows(benchmark::State& state) {
  const std::string text = trace_text(state.range(0));
  for (auto _ : state) {
    std::size_t fields = 0;
    CsvParser parser([&](std::int64_t, std::span<const std::string_view> row) {
      fields += row.size();
      return true;
    });
    in_pieces(text, [&](std::string_view piece) { benchmark::DoNotOptimize(parser.feed(piece)); });
    benchmark::DoNotOptimize(fields);
  }
  report(state, state.range(0), text.size());
}
BENCHMARK(csv_rows)->ArgName("rows")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void csv_rows_quoted(benchmark::State& state) {
  std::string text;
  for (std::int64_t i = 0; i < state.range(0); ++i) text += cat('"', i, "\",\"a, b\",12.5\n");
  for (auto _ : state) {
    std::size_t fields = 0;
    CsvParser parser([&](std::int64_t, std::span<const std::string_view> row) {
      fields += row.size();
      return true;
    });
    in_pieces(text, [&](std::string_view piece) { benchmark::DoNotOptimize(parser.feed(piece)); });
    benchmark::DoNotOptimize(fields);
  }
  report(state, state.range(0), text.size());
}
BENCHMARK(csv_rows_quoted)->ArgName("rows")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void read_trace(benchmark::State& state) {
  const std::string text = trace_text(state.range(0));
  for (auto _ : state) {
    trace::TraceCsvCollector collector;
    in_pieces(text, [&](std::string_view piece) { collector.feed(piece); });
    benchmark::DoNotOptimize(collector.finish("bench"));
  }
  report(state, state.range(0), text.size());
}
BENCHMARK(read_trace)->ArgName("rows")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

// Reads the same three columns and keeps the demand; checks nothing.
void peer_getline_strtod(benchmark::State& state) {
  const std::string text = trace_text(state.range(0));
  for (auto _ : state) {
    std::istringstream in(text);
    std::string line, field;
    std::getline(in, line);
    std::vector<double> demand;
    while (std::getline(in, line)) {
      std::istringstream fields(line);
      double value = 0.0;
      while (std::getline(fields, field, ',')) value = std::strtod(field.c_str(), nullptr);
      demand.push_back(value);
    }
    benchmark::DoNotOptimize(demand.data());
  }
  report(state, state.range(0), text.size());
}
BENCHMARK(peer_getline_strtod)
    ->Name("read_trace/peer:getline_strtod")
    ->ArgName("rows")
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

// The same without a stream per line.
void peer_getline_strtod_in_place(benchmark::State& state) {
  const std::string text = trace_text(state.range(0));
  for (auto _ : state) {
    std::istringstream in(text);
    std::string line;
    std::getline(in, line);
    std::vector<double> demand;
    while (std::getline(in, line)) {
      double value = 0.0;
      const char* at = line.c_str();
      for (int column = 0; column < 3; ++column) {
        char* end = nullptr;
        value = std::strtod(at, &end);
        at = *end == ',' ? end + 1 : end;
      }
      demand.push_back(value);
    }
    benchmark::DoNotOptimize(demand.data());
  }
  report(state, state.range(0), text.size());
}
BENCHMARK(peer_getline_strtod_in_place)
    ->Name("read_trace/peer:getline_strtod_in_place")
    ->ArgName("rows")
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond);

// The whole way from a file.
void load_trace(benchmark::State& state) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("mpca-trace-bench-" + std::to_string(getpid()) + ".csv");
  const std::string text = trace_text(state.range(0));
  std::ofstream(path) << text;
  for (auto _ : state) benchmark::DoNotOptimize(config::load_trace(path));
  std::remove(path.c_str());
  report(state, state.range(0), text.size());
}
BENCHMARK(load_trace)->ArgName("rows")->Arg(10'000'000)->Unit(benchmark::kMillisecond);

void write_trace(benchmark::State& state) {
  const trace::DemandTrace trace = trace::parse_trace_csv(trace_text(state.range(0)), "bench").value();
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = trace::trace_csv(trace);
    bytes = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  report(state, state.range(0), bytes);
}
BENCHMARK(write_trace)->ArgName("rows")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
