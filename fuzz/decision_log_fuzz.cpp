// Any bytes as a decision log: refused with a message, or read into records that are written and read back the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/text.h"
#include "runlog/decision_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mpca;
  runlog::DecisionLogParser parser;
  runlog::DecisionLogFormatter formatter;
  runlog::DecisionLogParser again;
  bool is_header = true;
  for (const std::string_view line : split({reinterpret_cast<const char*>(data), size}, '\n')) {
    if (is_header) {
      is_header = false;
      const auto header = parser.parse_header(line);
      if (!header && header.error().message.empty()) std::abort();
      continue;
    }
    const auto record = parser.parse_record(line);
    if (!record) {
      if (record.error().message.empty()) std::abort();
      continue;
    }
    std::string written;
    formatter.append(*record, written);
    const auto reread = again.parse_record(written);
    if (!reread || *reread != *record) std::abort();
  }
  return 0;
}
