// A setting as the API server checks it: its kind, range and choices as an OpenAPI v3 schema of a
// CustomResourceDefinition.
#pragma once

#include <nlohmann/json.hpp>

#include "core/settings.h"

namespace mpca::config::internal {

inline constexpr double kLargestInt32 = 2147483647.0;

/// `type`, `format` and limits. Those that the format has anyway are left out.
nlohmann::ordered_json integer_schema(const Range& range);

/// Without description and default. A duration is a text that a rule compares. A list is no field yet.
nlohmann::ordered_json setting_schema(const SettingInfo& info);

/// The default as a value of that schema.
nlohmann::ordered_json setting_default(const SettingInfo& info);

}  // namespace mpca::config::internal
