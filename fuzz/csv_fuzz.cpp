// Any bytes as CSV: how they are cut into pieces changes nothing. The first two bytes choose the pieces and the row
// limit.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/csv.h"

namespace {

// Rows and the error as one text that has no two readings.
std::string parsed(std::string_view text, std::size_t piece_bytes, std::size_t max_row_bytes) {
  std::string all;
  mpca::CsvParser parser(
      [&](std::int64_t row, std::span<const std::string_view> fields) {
        all += std::to_string(row);
        for (const std::string_view field : fields)
          all += "|" + std::to_string(field.size()) + ":" + std::string(field);
        all += '\n';
        return true;
      },
      max_row_bytes);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    if (const auto fed = parser.feed(piece); !fed) return all + fed.error().message;
    text.remove_prefix(piece.size());
  }
  const auto finished = parser.finish();
  return finished ? all : all + finished.error().message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t max_row_bytes = data[1] < 128 ? 1 << 20 : data[1] - 127u;
  const std::string whole = parsed(text, text.size() + 1, max_row_bytes);
  MPCA_CHECK(parsed(text, 1 + data[0] % 16u, max_row_bytes) == whole, "pieces change nothing");
  return 0;
}
