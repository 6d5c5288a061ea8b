// Any bytes as a trace: what is accepted is finite, is written and read back as itself, and survives the
// transformations.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trace/trace_csv.h"
#include "trace/transform.h"

namespace {

using namespace mpca::trace;

void check_trace(const DemandTrace& trace) {
  MPCA_CHECK(!trace.demand_rps.empty() && trace.step > mpca::Duration::zero(), "a trace has steps");
  for (const double demand_rps : trace.demand_rps) {
    MPCA_CHECK(std::isfinite(demand_rps) && demand_rps >= 0.0, "demand is a number >= 0");
  }
  MPCA_CHECK(trace.phase_idx.empty() || trace.phase_idx.size() == trace.demand_rps.size(), "all phases or none");
}

void check_lab(std::string_view text) {
  TraceCsvCollector lab({.manners = Manners::lab, .needs_step_and_time = false});
  lab.feed(text);
  if (const auto content = lab.finish("lab")) check_trace(content->trace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_lab(text);
  const auto trace = parse_trace_csv(text, "t");
  if (!trace) {
    MPCA_CHECK(!trace.error().message.empty(), "an error says something");
    return 0;
  }
  check_trace(*trace);
  const auto again = parse_trace_csv(trace_csv(*trace), "t", {.fallback_step = trace->step});
  // Steps shorter than the digits of a double of seconds cannot be written; everything else comes back.
  if (trace->step >= std::chrono::milliseconds(1) && trace->start < std::chrono::hours(24 * 365)) {
    MPCA_CHECK(again && again->demand_rps == trace->demand_rps && again->phase_idx == trace->phase_idx, "reads back");
  }
  if (const auto coarse = resample(*trace, 3 * (trace->step / 2) + mpca::Duration(1))) check_trace(*coarse);
  if (trace->step.count() % 4 == 0) {
    if (const auto fine = resample(*trace, trace->step / 4, Refine::linear)) check_trace(*fine);
  }
  if (const auto part = crop(*trace, trace->start + trace->step, mpca::Duration::max())) check_trace(*part);
  mpca::RandomStream random(1, "fuzz");
  if (const auto noisy = add_noise(*trace, {.relative = 0.3, .poisson = true}, random)) check_trace(*noisy);
  info(*trace);
  return 0;
}
