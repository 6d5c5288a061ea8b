// Any bytes as a log of requests, in both formats: every line is counted exactly once, and pieces change nothing.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trace/event_log.h"

namespace {

using namespace mpca::trace;

mpca::Result<Imported> read(std::string_view text, std::size_t piece_bytes, const EventLogOptions& options) {
  EventLogReader reader(options);
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece_bytes, rest.size()))) {
    reader.feed(rest.substr(0, piece_bytes));
  }
  auto imported = reader.finish("t");
  const EventCounts& counts = reader.counts();
  MPCA_CHECK(
      counts.lines == counts.counted + counts.unreadable + counts.too_late + counts.before_begin + counts.in_last_step,
      "every line is counted once");
  return imported;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const EventLogFormat format : {EventLogFormat::access_log, EventLogFormat::timestamps}) {
    const EventLogOptions options{
        .format = format, .step = std::chrono::seconds(10), .max_unusable_share = 0.9, .max_steps = 10'000};
    const auto whole = read(text, size + 1, options);
    const auto pieces = read(text, 7, options);
    MPCA_CHECK(whole.has_value() == pieces.has_value(), "pieces change nothing");
    if (whole) MPCA_CHECK(*whole == *pieces, "pieces change nothing");
  }
  return 0;
}
