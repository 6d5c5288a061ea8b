// A tiny reader of PromQL's double-quoted strings, written from the words of its documentation and of Go's: the slow,
// obvious other side of prom/promql.h's escaping.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mpca::test {

/// The bytes that the string at the front of `text` means, and how many of `text` it takes; nullopt when there is none,
/// or one that Prometheus refuses.
inline std::optional<std::pair<std::string, std::size_t>> read_promql_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (!text.starts_with('"')) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') return std::pair(bytes, i + 1);
    if (c == '\n') return std::nullopt;
    if (c != '\\') {
      bytes += c;
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == 'n') {
      bytes += '\n';
    } else if (text[i] == '"' || text[i] == '\\') {
      bytes += text[i];
    } else if (text[i] == 'x' && i + 2 < text.size()) {
      const std::size_t high = kHex.find(text[i + 1]), low = kHex.find(text[i + 2]);
      if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
      bytes += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace mpca::test
