// Any bytes as a load plan: what is accepted makes a trace, and is written and read back as itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trace/phases.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca::trace;
  const auto phases = parse_phases_csv({reinterpret_cast<const char*>(data), size});
  if (!phases) {
    MPCA_CHECK(!phases.error().message.empty(), "an error says something");
    return 0;
  }
  const auto again = parse_phases_csv(phases_csv(*phases));
  MPCA_CHECK(again && *again == *phases, "a plan reads back");
  std::int64_t steps = 0;
  for (const Phase& phase : *phases) steps += phase.duration / std::chrono::minutes(1) + 1;
  if (steps > 100'000) return 0;  // memory, not behaviour
  const auto trace = trace_from_phases(*phases, std::chrono::minutes(1), "t");
  MPCA_CHECK(trace && trace->demand_rps.size() >= phases->size(), "a phase is at least one step");
  return 0;
}
