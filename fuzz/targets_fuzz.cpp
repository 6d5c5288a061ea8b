// Any bytes as a targets file, and as a file of results: no crash; what is accepted is complete, results read back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "load/load_report.h"
#include "load/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca::load;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto targets = parse_targets(text, [](const std::string& path) -> mpca::Result<std::string> { return path; });
  if (targets) {
    MPCA_CHECK(!targets->empty(), "at least one");
    for (const Target& target : *targets) {
      MPCA_CHECK(is_token(target.method) && target.weight >= 0.0, "a method and a weight");
      MPCA_CHECK(target.url.starts_with("http"), "a URL");
      for (const auto& [name, value] : target.headers) {
        MPCA_CHECK(is_token(name) && value.find('\n') == value.npos, "a header is one line");
      }
    }
  } else {
    MPCA_CHECK(!targets.error().message.empty(), "an error says something");
  }
  if (const auto phases = parse_results(text)) {
    const auto again = parse_results(results_text(*phases));
    MPCA_CHECK(again && results_text(*again) == results_text(*phases), "results read back");
    text_report(*phases);
    hdr_report(*phases);
  }
  return 0;
}
