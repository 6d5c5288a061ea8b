#include "config/internal/autoscaler_fields.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace mpca::config::internal {
namespace {

std::optional<std::string> shortest_text(const Node& node, const SettingInfo& info) {
  MPCA_CHECK(!info.is_list, "no field of an object is a list of values");
  switch (info.kind) {
    case SettingKind::flag:
      if (node.kind != Node::Kind::boolean) return std::nullopt;
      return node.boolean ? "true" : "false";
    case SettingKind::integer:
      if (node.kind != Node::Kind::integer || !info.range.contains(static_cast<double>(node.integer)))
        return std::nullopt;
      return std::to_string(node.integer);
    case SettingKind::number: {
      if (node.kind != Node::Kind::integer && node.kind != Node::Kind::number) return std::nullopt;
      const auto value = parse_double(node.kind == Node::Kind::integer ? std::to_string(node.integer) : node.text);
      if (!value || !std::isfinite(*value) || !info.range.contains(*value)) return std::nullopt;
      return shortest(*value);
    }
    case SettingKind::duration: {
      const auto value = node.kind == Node::Kind::text ? parse_duration(node.text) : invalid({});
      if (!value || !info.range.contains(to_seconds(*value))) return std::nullopt;
      return format_duration(*value);
    }
    case SettingKind::text:
      break;
  }
  if (node.kind != Node::Kind::text) return std::nullopt;
  return info.takes_any_text() || std::ranges::find(info.choices, node.text) != info.choices.end()
             ? std::optional(node.text)
             : std::nullopt;
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

SettingInfo info_of(const WorkloadField& field, const SettingsTable& of_workload) {
  const auto setting = std::ranges::find(of_workload, field.setting, &Setting::name);
  MPCA_CHECK(setting != of_workload.end(), "no such setting of a workload");
  const SettingInfo& info = setting->info();
  if (field.least == 0) return info;
  return Setting(info.name, setting->place(), info.unit, Range::between(field.least, info.range.high), info.sentence)
      .info();
}

std::optional<std::string> setting_text(const Fields& fields, std::string_view key, const SettingInfo& info) {
  const Node* node = fields.node().find(key);
  if (node == nullptr) return std::nullopt;
  auto text = shortest_text(*node, info);
  if (!text)
    fields.problem(key, cat("is ", node->describe(), "; ", info.takes_any_text() ? "must be a text" : info.accepts));
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
