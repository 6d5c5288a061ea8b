// JSON as YAML for people: block style, members in order, long texts folded.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace mpca::config::internal {

/// One document, without `---`; ends with a newline. Reads back as the same JSON.
std::string yaml_text(const nlohmann::ordered_json& document);

}  // namespace mpca::config::internal
