// Any bytes as `timestamp,value` CSV, with every way to fill gaps.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/trace_files.h"
#include "trace/series.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::detect_trace_format(text);
  trace::SeriesCsvReader reader;
  reader.feed(text);
  const auto samples = reader.finish();
  if (!samples) return 0;
  for (const trace::Sample& sample : *samples) {
    MPCA_CHECK(trace::parse_rfc3339(trace::format_rfc3339(sample.time)) == sample.time, "a time reads back");
  }
  for (const trace::GapRule gaps : {trace::GapRule::refuse, trace::GapRule::hold, trace::GapRule::linear}) {
    // A day is enough to meet every gap; more only costs memory.
    if (samples->back().time - samples->front().time > std::chrono::hours(24)) return 0;
    const auto imported = trace::trace_from_samples(*samples, {.kind = trace::SampleKind::count, .gaps = gaps}, "t");
    if (!imported) continue;
    for (const double value : imported->trace.demand_rps) {
      MPCA_CHECK(std::isfinite(value) && value >= 0.0, "demand is a number >= 0");
    }
  }
  return 0;
}
