#include "workload/work_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/text.h"

namespace mpca::workload {
namespace {

constexpr int kMaxMilliseconds = 5000;
constexpr int kMaxPayloadBytes = 1 << 20;

std::optional<int> hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return std::nullopt;
}

/// An optional sign and digits, nothing else, within 64 bits: what Go's Atoi reads.
std::optional<std::int64_t> integer(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::string> decode_percent(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto high = i + 2 < text.size() ? hexadecimal(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hexadecimal(text[i + 2]) : std::nullopt;
      if (!high || !low) return invalid("a % without two hexadecimal digits");
      decoded += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

Result<WorkRequest> parse_work_query(std::string_view query, std::size_t max_id_bytes) {
  constexpr std::size_t kNames = 6;
  constexpr std::string_view kName[kNames] = {"cpu_ms", "sleep_ms", "jitter_ms", "payload_bytes", "err_rate", "id"};
  std::optional<std::string> value[kNames];
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    const std::size_t equals = pair.find('=');
    const auto name = decode_percent(pair.substr(0, equals), true);
    const auto text =
        decode_percent(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !text) continue;
    for (std::size_t i = 0; i < kNames; ++i) {
      if (*name == kName[i] && !value[i]) value[i] = *text;
    }
  }

  WorkRequest request;
  int payload_bytes = 0;
  int* const integers[] = {&request.cpu_ms, &request.sleep_ms, &request.jitter_ms, &payload_bytes};
  for (std::size_t i = 0; i < std::size(integers); ++i) {
    if (!value[i] || value[i]->empty()) continue;
    const auto number = integer(*value[i]);
    if (!number) return invalid(cat("invalid ", kName[i], ": must be an integer"));
    const int limit = integers[i] == &payload_bytes ? kMaxPayloadBytes : kMaxMilliseconds;
    *integers[i] = static_cast<int>(std::clamp<std::int64_t>(*number, 0, limit));
  }
  request.payload_bytes = static_cast<std::size_t>(payload_bytes);
  if (value[4] && !value[4]->empty()) {
    const auto number = parse_double(*value[4]);
    if (!number || !(*number >= 0.0 && *number <= 1.0)) return invalid("invalid err_rate: must be a number in [0, 1]");
    request.err_rate = *number;
  }
  if (value[5]) request.id = value[5]->substr(0, max_id_bytes);
  return request;
}

}  // namespace mpca::workload
