// Any bytes as a vegeta report: no crash, and what is called complete can be read as numbers.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "report/costs.h"
#include "report/run_summary.h"
#include "report/vegeta_report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca::report;
  const VegetaReport report = parse_vegeta_report({reinterpret_cast<const char*>(data), size});
  int last = 0;
  for (const VegetaPhase& phase : report.phases) {
    MPCA_CHECK(phase.phase > last && phase.phase <= report.blocks, "phases are numbered in order");
    MPCA_CHECK(latency_ms(phase.p95) && latency_ms(phase.p99) && latency_ms(phase.max),
               "a complete block has latencies");
    last = phase.phase;
  }
  phase_summary_csv(report);
  focus_phase(report, "step");
  focus_phase(report, "seasonality");
  return 0;
}
