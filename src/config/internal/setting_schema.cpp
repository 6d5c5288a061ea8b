#include "config/internal/setting_schema.h"

#include "core/text.h"

namespace mpca::config::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLongestDuration = 32;

void put_limit(Json& schema, const char* key, const char* exclusive, Json value, bool is_open) {
  schema[key] = std::move(value);
  if (is_open) schema[exclusive] = true;
}

Json number_schema(const Range& range) {
  Json schema = {{"type", "number"}};
  if (range.has_low()) put_limit(schema, "minimum", "exclusiveMinimum", range.low, range.low_open);
  if (range.has_high()) put_limit(schema, "maximum", "exclusiveMaximum", range.high, range.high_open);
  return schema;
}

Json duration_schema(const SettingInfo& info) {
  const Range& range = info.range;
  Json schema = {{"type", "string"},
                 {"pattern", R"(^(0|([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+)$)"},
                 {"maxLength", kLongestDuration}};
  std::string rule;
  const auto add = [&](std::string_view sign, double seconds) {
    rule += cat(rule.empty() ? "" : " && ", "duration(self) ", sign, " duration('",
                format_duration(from_seconds(seconds)), "')");
  };
  if (range.has_low()) add(range.low_open ? ">" : ">=", range.low);
  if (range.has_high()) add(range.high_open ? "<" : "<=", range.high);
  if (!rule.empty()) schema["x-kubernetes-validations"] = Json::array({{{"rule", rule}, {"message", info.accepts}}});
  return schema;
}

Json text_schema(const std::vector<std::string>& choices) {
  Json schema = {{"type", "string"}};
  if (!choices.empty()) schema["enum"] = choices;
  return schema;
}

}  // namespace

Json integer_schema(const Range& range) {
  Json schema = {{"type", "integer"}, {"format", range.high > kLargestInt32 ? "int64" : "int32"}};
  const auto whole = [](double value) { return static_cast<std::int64_t>(value); };
  if (range.low > -kLargestInt32) put_limit(schema, "minimum", "exclusiveMinimum", whole(range.low), range.low_open);
  if (range.high < kLargestInt32) put_limit(schema, "maximum", "exclusiveMaximum", whole(range.high), range.high_open);
  return schema;
}

Json setting_schema(const SettingInfo& info) {
  MPCA_CHECK(!info.is_list, "no field of an object is a list of values");
  switch (info.kind) {
    case SettingKind::flag:
      return {{"type", "boolean"}};
    case SettingKind::integer:
      return integer_schema(info.range);
    case SettingKind::number:
      return number_schema(info.range);
    case SettingKind::duration:
      return duration_schema(info);
    case SettingKind::text:
      break;
  }
  return text_schema(info.choices);
}

Json setting_default(const SettingInfo& info) {
  MPCA_CHECK(!info.is_list, "no field of an object is a list of values");
  switch (info.kind) {
    case SettingKind::flag:
      return info.default_text == "true";
    case SettingKind::integer:
      return parse_int(info.default_text).value_or(0);
    case SettingKind::number:
      return parse_double(info.default_text).value_or(0.0);
    case SettingKind::duration:
    case SettingKind::text:
      break;
  }
  return info.default_text;
}

}  // namespace mpca::config::internal
