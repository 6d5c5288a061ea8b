// Any bytes as the answer to a range query: samples in the order of time or an error, and a trace or an error from
// them.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/prometheus_range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca;
  const auto samples = config::parse_prometheus_range({reinterpret_cast<const char*>(data), size});
  if (!samples) return 0;
  for (std::size_t i = 1; i < samples->size(); ++i) {
    MPCA_CHECK((*samples)[i - 1].time < (*samples)[i].time, "samples are in the order of time");
  }
  if (samples->size() >= 2 && samples->back().time - samples->front().time > std::chrono::hours(24)) return 0;
  for (const trace::GapRule gaps :
       {trace::GapRule::refuse, trace::GapRule::zero, trace::GapRule::hold, trace::GapRule::linear}) {
    const auto imported = trace::trace_from_samples(*samples, {.gaps = gaps}, "t");
    if (!imported) continue;
    for (const double value : imported->trace.demand_rps) {
      MPCA_CHECK(std::isfinite(value) && value >= 0.0, "demand is a number >= 0");
    }
  }
  return 0;
}
