// Any bytes as a scrape: what is read, written again with the format's escapes, reads as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "prom/exposition.h"

namespace {

/// The three escapes of the format.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text;
}

std::string written(const std::vector<mpca::prom::Sample>& samples) {
  std::string text;
  for (const mpca::prom::Sample& sample : samples) {
    text += sample.name + "{";
    for (const auto& [name, value] : sample.labels) text += mpca::cat(name, "=\"", escaped(value), "\",");
    text += mpca::cat("} ", mpca::shortest(sample.value), "\n");
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto samples = mpca::prom::parse_exposition({reinterpret_cast<const char*>(data), size});
  if (!samples) return 0;
  const std::string text = written(*samples);
  const auto again = mpca::prom::parse_exposition(text);
  MPCA_CHECK(again.has_value(), "what was read can be written");
  MPCA_CHECK(written(*again) == text, "and reads as the same");
  for (std::size_t i = 0; i < samples->size(); ++i)
    MPCA_CHECK((*again)[i].labels == (*samples)[i].labels, "labels keep their bytes");
  return 0;
}
