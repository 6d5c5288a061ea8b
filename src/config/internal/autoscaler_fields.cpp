#include "config/internal/autoscaler_fields.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace mpca::config::internal {
namespace {

constexpr std::string_view kUnlimited = "any text";

std::optional<double> limit(std::string_view word) {
  while (word.ends_with(',')) word.remove_suffix(1);
  if (const auto number = parse_double(word)) return number;
  const auto duration = parse_duration(word);
  return duration ? std::optional(to_seconds(*duration)) : std::nullopt;
}

std::optional<std::string> shortest_text(const Node& node, FieldType type, const Range& limits) {
  switch (type) {
    case FieldType::integer:
      if (node.kind != Node::Kind::integer || !limits.contains(static_cast<double>(node.integer))) return std::nullopt;
      return std::to_string(node.integer);
    case FieldType::number: {
      if (node.kind != Node::Kind::integer && node.kind != Node::Kind::number) return std::nullopt;
      const auto value = parse_double(node.kind == Node::Kind::integer ? std::to_string(node.integer) : node.text);
      if (!value || !std::isfinite(*value) || !limits.contains(*value)) return std::nullopt;
      return shortest(*value);
    }
    case FieldType::duration: {
      const auto value = node.kind == Node::Kind::text ? parse_duration(node.text) : invalid({});
      if (!value || !limits.contains(to_seconds(*value))) return std::nullopt;
      return format_duration(*value);
    }
    case FieldType::text:
      break;
  }
  return node.kind == Node::Kind::text ? std::optional(node.text) : std::nullopt;
}

}  // namespace

SettingsTable settings_of(LoadSource& load) {
  return {
      {"rateWindow", &load.rate_window, "duration", Range::above(0), "over which rates are means"},
      {"staleAfter", &load.stale_after, "duration", Range::above(0),
       "older values are stale: they may raise replicas and never lower them"},
  };
}

SettingsTable settings_of(ScrapeSource& scrape) {
  return {
      {"port", &scrape.port, "", Range::between(1, 65535), "of the pods"},
      {"path", &scrape.path, "of the metrics, in the text format of Prometheus"},
      {"requests", &scrape.requests, "counter of requests answered"},
      {"statusLabel", &scrape.status_label,
       "label of that counter with the HTTP status: 5xx are failed. Empty: all are served"},
      {"inFlight", &scrape.in_flight, "gauge of requests that are in the pod. Empty: there is none"},
      {"cpuSeconds", &scrape.cpu_seconds, "counter of CPU time used. Empty: there is none"},
  };
}

FieldType type_of(const SettingInfo& info) {
  if (info.unit == "duration") return FieldType::duration;
  if (info.accepts == kUnlimited) return FieldType::text;
  return info.accepts.starts_with("must be a whole number") ? FieldType::integer : FieldType::number;
}

Range limits_of(const SettingInfo& info) {
  Range range;
  const std::vector<std::string_view> words = split(info.accepts, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool is_low = words[i] == ">=" || words[i] == ">", is_high = words[i] == "<=" || words[i] == "<";
    const auto value = is_low || is_high ? limit(words[i + 1]) : std::nullopt;
    if (!value) continue;
    (is_low ? range.low : range.high) = *value;
    (is_low ? range.low_open : range.high_open) = words[i].size() == 1;
  }
  return range;
}

std::optional<std::string> setting_text(const Fields& fields, std::string_view key, const SettingInfo& info) {
  const Node* node = fields.node().find(key);
  if (node == nullptr) return std::nullopt;
  auto text = shortest_text(*node, type_of(info), limits_of(info));
  if (!text)
    fields.problem(key,
                   cat("is ", node->describe(), "; ", info.accepts == kUnlimited ? "must be a text" : info.accepts));
  return text;
}

const SettingInfo* find_setting(const std::vector<SettingInfo>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &SettingInfo::name);
  return found != all.end() ? &*found : nullptr;
}

const policy::PolicyKind* find_policy(std::string_view name) {
  const auto kinds = policy::policy_kinds();
  const auto found = std::ranges::find(kinds, name, &policy::PolicyKind::name);
  return found != kinds.end() ? &*found : nullptr;
}

}  // namespace mpca::config::internal
