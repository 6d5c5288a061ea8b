#include "prom/promql.h"

#include <array>
#include <cstdint>
#include <utility>

#include "core/text.h"

namespace mpca::prom {
namespace {

unsigned byte_at(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
}

/// Bytes of the well-formed UTF-8 sequence at the front of `text`, 0 when there is none. Unicode 15, table 3-7.
std::size_t utf8_length(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  const unsigned second = byte_at(text, 1);
  const auto continues = [&](std::size_t index) { return (byte_at(text, index) & 0xC0U) == 0x80U; };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_overlong = first == 0xE0 && second < 0xA0;
    const bool is_surrogate = first == 0xED && second > 0x9F;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_overlong = first == 0xF0 && second < 0x90;
    const bool is_too_large = first == 0xF4 && second > 0x8F;
    return continues(1) && continues(2) && continues(3) && !is_overlong && !is_too_large ? 4 : 0;
  }
  return 0;
}

std::string hex_escape(unsigned byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace

std::string escape_label_value(std::string_view text) {
  constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";
  std::string escaped;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length);
    const unsigned first = byte_at(text, 0);
    if (length == 0 || character == kReplacementCharacter || first < 0x20 || first == 0x7F) {
      escaped += first == '\n' ? std::string("\\n") : hex_escape(first);
      text.remove_prefix(1);
      continue;
    }
    if (first == '\\' || first == '"') escaped += '\\';
    escaped += character;
    text.remove_prefix(length);
  }
  return escaped;
}

Result<std::string> promql_duration(Duration duration, std::string_view what) {
  using std::chrono::milliseconds;
  const auto whole = std::chrono::duration_cast<milliseconds>(duration);
  if (duration <= Duration::zero() || whole != duration) {
    const std::string is =
        duration < Duration::zero() ? cat("-", format_duration(-duration)) : format_duration(duration);
    return invalid(cat(what, " is ", is, "; must be > 0 in whole milliseconds"));
  }
  std::string text;
  std::int64_t left = whole.count();
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits = {
      {{3'600'000, "h"}, {60'000, "m"}, {1000, "s"}, {1, "ms"}}};
  for (const auto& [unit_ms, name] : kUnits) {
    if (left >= unit_ms) text += cat(left / unit_ms, name);
    left %= unit_ms;
  }
  return text;
}

}  // namespace mpca::prom
