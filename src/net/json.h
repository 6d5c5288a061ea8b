// Reading JSON of others without exceptions: what is absent or of another kind is null, empty or nullopt. The one
// header that shows a library to other rooms: all that talk HTTP read JSON, and a tree of our own between them and the
// library would be the library again. To include this is to include the library: in a .cpp or an internal header, by a
// room that links it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mpca::net {

namespace internal {

inline const nlohmann::json kNull;

bool is_nested_too_deep(std::string_view text);

}  // namespace internal

/// Discarded, which is no object, when it is no JSON, or nested deeper than 100, which no API of ours is: what walks a
/// tree recurses.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text) {
  if (internal::is_nested_too_deep(text)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// The member of the member ... of an object.
template <class... Keys>
const nlohmann::json& json_at(const nlohmann::json& value, const char* key, Keys... rest) {
  if (!value.is_object()) return internal::kNull;
  const auto found = value.find(key);
  if (found == value.end()) return internal::kNull;
  if constexpr (sizeof...(rest) == 0) {
    return *found;
  } else {
    return json_at(*found, rest...);
  }
}

template <class... Keys>
std::string text_at(const nlohmann::json& value, Keys... keys) {
  const nlohmann::json& found = json_at(value, keys...);
  return found.is_string() ? found.get_ref<const std::string&>() : std::string();
}

template <class... Keys>
std::optional<std::int64_t> integer_at(const nlohmann::json& value, Keys... keys) {
  const nlohmann::json& found = json_at(value, keys...);
  return found.is_number_integer() ? std::optional(found.get<std::int64_t>()) : std::nullopt;
}

/// On one line, or indented. Bytes that are not UTF-8 are replaced, so it cannot fail.
inline std::string json_text(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace mpca::net
