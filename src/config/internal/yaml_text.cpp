#include "config/internal/yaml_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/text.h"

namespace mpca::config::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 120;
constexpr std::size_t kLeastFolded = 70;

/// Words that no YAML reader takes for anything but a text.
bool is_plain(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::array<std::string_view, 8> kOthers = {"true", "false", "null", "yes", "no", "on", "off", "y"};
  if (text.empty() || text.find_first_of(kLetters) != 0) return false;
  if (text.back() == ' ' || text.find_first_not_of(cat(kLetters, "0123456789_-/. ,()'")) != std::string_view::npos)
    return false;
  return std::ranges::none_of(kOthers, [&](std::string_view other) {
    return std::ranges::equal(text, other, [](char a, char b) { return (a | 0x20) == b; });
  });
}

bool is_foldable(std::string_view text) {
  return text.size() >= kLeastFolded && text.find_first_of("\n\t") == std::string_view::npos &&
         text.find("  ") == std::string_view::npos && text.front() != ' ' && text.back() != ' ';
}

std::string folded(std::string_view text, std::size_t indent) {
  std::string all = ">-";
  std::size_t column = kWidth;
  for (const std::string_view word : split(text, ' ')) {
    if (column + 1 + word.size() > kWidth) {
      all += cat('\n', std::string(indent, ' '), word);
      column = indent + word.size();
    } else {
      all += cat(' ', word);
      column += 1 + word.size();
    }
  }
  return all;
}

std::string scalar(const Json& value, std::size_t indent) {
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  if (is_foldable(text)) return folded(text, indent);
  return is_plain(text) ? text : value.dump();
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

/// Lines at `indent`, the first without it: its place is behind a `- ` or at the line's start.
std::string block(const Json& value, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string text;
  for (const auto& [key, member] : value.items()) {
    if (!text.empty()) text += margin;
    if (value.is_array()) {
      text += cat("- ", is_block(member) ? block(member, indent + 2) : cat(scalar(member, indent + 2), '\n'));
    } else {
      const std::string name = is_plain(key) ? key : Json(key).dump();
      // Lists stand below their name, not deeper, as kubectl prints them.
      const std::size_t deeper = indent + (member.is_array() ? 0 : 2);
      text += is_block(member) ? cat(name, ":\n", std::string(deeper, ' '), block(member, deeper))
                               : cat(name, ": ", scalar(member, indent + 2), '\n');
    }
  }
  return text;
}

}  // namespace

std::string yaml_text(const Json& document) {
  return is_block(document) ? block(document, 0) : cat(scalar(document, 0), '\n');
}

}  // namespace mpca::config::internal
