#include "policy/label.h"

#include <cstdint>
#include <utility>

#include "core/text.h"

namespace mpca::policy {
namespace {

constexpr std::size_t kLongestValue = 60;
constexpr std::size_t kKept = 24;

bool is_within_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

std::string shortened(std::string_view value) {
  std::size_t kept = kKept;
  while (kept > 0 && is_within_character(value[kept])) --kept;
  std::string text = cat(value.substr(0, kept), "…");
  const std::uint32_t hash = stable_hash(value);
  for (int shift = 12; shift >= 0; shift -= 4) text += "0123456789abcdef"[(hash >> shift) & 15U];
  return text;
}

}  // namespace

std::string label_of(std::string_view policy_text) {
  const std::size_t colon = policy_text.find(':');
  if (colon == std::string_view::npos) return std::string(policy_text);
  std::string label(policy_text.substr(0, colon + 1));
  bool is_first = true;
  for (const std::string_view setting : split(policy_text.substr(colon + 1), ',')) {
    if (!std::exchange(is_first, false)) label += ',';
    const std::size_t equals = setting.find('=');
    const std::size_t begin = equals == std::string_view::npos ? 0 : equals + 1;
    const std::string_view value = setting.substr(begin);
    label += setting.substr(0, begin);
    label += value.size() > kLongestValue ? shortened(value) : std::string(value);
  }
  return label;
}

}  // namespace mpca::policy
