// Reading JSON of others without exceptions: what is absent or of another kind is null, empty or nullopt.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace mpca::kube::internal {

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

template <class... Keys>
std::optional<std::int64_t> integer_at(const json& value, Keys... keys) {
  const json& found = at(value, keys...);
  return found.is_number_integer() ? std::optional(found.get<std::int64_t>()) : std::nullopt;
}

/// Discarded when it is no JSON, or nested deeper than any object of Kubernetes: what walks a tree recurses.
json parse(std::string_view text);

/// Bytes that are not UTF-8 are replaced, so it cannot fail.
inline std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace mpca::kube::internal
