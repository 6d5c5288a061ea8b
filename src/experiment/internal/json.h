// Reading and writing objects as JSON without exceptions: what is absent or of another kind is null or empty.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace mpca::experiment::internal {

using nlohmann::json;

inline const json kNull;

template <class... Keys>
const json& at(const json& value, const char* key, Keys... rest) {
  if (!value.is_object()) return kNull;
  const auto found = value.find(key);
  if (found == value.end()) return kNull;
  if constexpr (sizeof...(rest) == 0) {
    return *found;
  } else {
    return at(*found, rest...);
  }
}

template <class... Keys>
std::string text_at(const json& value, Keys... keys) {
  const json& found = at(value, keys...);
  return found.is_string() ? found.get_ref<const std::string&>() : std::string();
}

/// Discarded, which is no object, when it is no JSON.
inline json parse(std::string_view text) { return json::parse(text, nullptr, false); }

/// Bytes that are not UTF-8 are replaced, so it cannot fail.
inline std::string dump(const json& value, int indent = -1) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace mpca::experiment::internal
