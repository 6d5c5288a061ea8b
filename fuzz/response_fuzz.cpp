// Any bytes as an HTTP answer: no crash, and pieces of any size come to the same as the whole at once. The first byte
// says how it is cut and whether HEAD was asked for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "load/internal/response_reader.h"

namespace {

using mpca::load::ResponseReader;

ResponseReader read(std::string_view text, bool is_head, std::size_t piece_bytes) {
  ResponseReader reader;
  reader.begin(is_head);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    const std::size_t taken = reader.feed(piece);
    MPCA_CHECK(taken <= piece.size(), "it takes what it was given");
    if (taken < piece.size()) {
      MPCA_CHECK(reader.state() != ResponseReader::State::reading, "it stops only at an end");
      break;
    }
    text.remove_prefix(taken);
  }
  reader.end();
  return reader;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool is_head = (data[0] & 1) != 0;
  const ResponseReader whole = read(text, is_head, std::max<std::size_t>(1, text.size()));
  const ResponseReader cut = read(text, is_head, 1 + data[0] / 2);
  MPCA_CHECK(whole.state() == cut.state(), "the same outcome for any split");
  if (whole.state() != ResponseReader::State::complete) return 0;
  MPCA_CHECK(whole.status() == cut.status() && whole.body_bytes() == cut.body_bytes(), "the same answer");
  MPCA_CHECK(whole.keeps_alive() == cut.keeps_alive(), "the same about the connection");
  MPCA_CHECK(whole.status() >= 100 && whole.status() <= 999, "a status has three digits");
  MPCA_CHECK(whole.body_bytes() <= text.size(), "no more body than bytes");
  return 0;
}
