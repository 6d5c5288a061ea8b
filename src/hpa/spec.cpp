#include "hpa/spec.h"

#include "core/text.h"

namespace mpca::hpa {
namespace {

constexpr std::int32_t kDefaultUtilization = 80;

ScalingRules filled(ScalingRules rules, std::vector<ScalingPolicy> policies) {
  if (!rules.select_policy) rules.select_policy = SelectPolicy::max;
  if (!rules.policies) rules.policies = std::move(policies);
  return rules;
}

}  // namespace

Spec with_defaults(Spec spec) {
  if (!spec.min_replicas) spec.min_replicas = 1;
  if (spec.metrics.empty()) {
    MetricSpec cpu;
    cpu.average_utilization = kDefaultUtilization;
    spec.metrics.push_back(std::move(cpu));
  }
  if (spec.behavior) {
    ScalingRules& up = spec.behavior->scale_up;
    if (!up.stabilization_window_seconds) up.stabilization_window_seconds = 0;
    up = filled(std::move(up), {{PolicyType::pods, 4, 15}, {PolicyType::percent, 100, 15}});
    ScalingRules& down = spec.behavior->scale_down;
    down = filled(std::move(down), {{PolicyType::percent, 100, 15}});
  }
  return spec;
}

std::string metric_name(const MetricSpec& metric) {
  switch (metric.type) {
    case MetricType::resource:
      if (metric.average_value_milli) return cat(metric.name, " resource");
      return cat(metric.name, " resource utilization (percentage of request)");
    case MetricType::container_resource:
      if (metric.average_value_milli) return cat(metric.name, " resource");
      return cat(metric.name, " container resource utilization (percentage of request)");
    case MetricType::pods:
      return cat("pods metric ", metric.name);
    case MetricType::object:
      if (metric.target_type == TargetType::value) return cat(metric.object_kind, " metric ", metric.name);
      return cat("external metric ", metric.name, "(", metric.selector, ")");
    case MetricType::external:
      return cat("external metric ", metric.name, "(", metric.selector, ")");
    case MetricType::unknown:
      return cat("unknown metric source type \"", metric.type_text, "\"");
  }
  return {};
}

std::string_view name_of(MetricType type) {
  switch (type) {
    case MetricType::resource:
      return "Resource";
    case MetricType::container_resource:
      return "ContainerResource";
    case MetricType::pods:
      return "Pods";
    case MetricType::object:
      return "Object";
    case MetricType::external:
      return "External";
    case MetricType::unknown:
      break;
  }
  return "unknown";
}

std::string_view name_of(PolicyType type) {
  switch (type) {
    case PolicyType::pods:
      return "Pods";
    case PolicyType::percent:
      return "Percent";
    case PolicyType::unknown:
      break;
  }
  return "unknown";
}

std::string_view name_of(SelectPolicy policy) {
  switch (policy) {
    case SelectPolicy::max:
      return "Max";
    case SelectPolicy::min:
      return "Min";
    case SelectPolicy::disabled:
      break;
  }
  return "Disabled";
}

}  // namespace mpca::hpa
