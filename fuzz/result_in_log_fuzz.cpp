// Any bytes as a log in which a load generator has left its result: what is accepted, written again, reads as the same.
// Few bytes pass the checksum, so the same is tried with one that fits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/crc32c.h"
#include "core/result.h"
#include "core/text.h"
#include "load/result_in_log.h"

namespace {

void check_log(std::string_view log) {
  const auto result = mpca::load::parse_result_lines(log);
  if (!result) return;
  const std::string written = mpca::load::result_lines(*result);
  const auto again = mpca::load::parse_result_lines(written);
  MPCA_CHECK(again && mpca::load::result_lines(*again) == written, "a result reads as it was");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_log(text);
  const std::string document(text.substr(0, text.find('\n')));
  check_log(mpca::cat("loadgen-result head ", mpca::crc32c(document), " 1\nloadgen-result 0 ", document, "\n"));
  return 0;
}
