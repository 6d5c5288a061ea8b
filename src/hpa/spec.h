// The HorizontalPodAutoscaler object (autoscaling/v2) as the controller sees it, and the controller's own settings.
// Quantities are whole milli-units. Names and defaults are those of Kubernetes 1.35
// (pkg/apis/autoscaling/v2/defaults.go).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mpca::hpa {

/// Flags and feature gates of kube-controller-manager, with their defaults.
struct ControllerSettings {
  Duration sync_period = std::chrono::seconds(15);
  Duration downscale_stabilization = std::chrono::minutes(5);
  double tolerance = 0.1;
  Duration cpu_initialization_period = std::chrono::minutes(5);
  Duration initial_readiness_delay = std::chrono::seconds(30);
  bool configurable_tolerance = true;   // HPAConfigurableTolerance: beta, on in 1.35
  bool pod_level_resources = true;      // PodLevelResources: beta, on in 1.35
  double legacy_scale_up_factor = 2.0;  // a constant of the product; upstream's own tests raise it
  bool operator==(const ControllerSettings&) const = default;
};

enum class MetricType { resource, container_resource, pods, object, external, unknown };
enum class TargetType { utilization, value, average_value, unknown };

struct MetricSpec {
  MetricType type = MetricType::resource;
  std::string type_text = "Resource";  // as written, for messages
  std::string name = "cpu";            // of the resource, or of the metric
  std::string container;               // ContainerResource
  std::string object_kind;             // Object: what is described
  std::string object_name;
  std::string selector = "nil";  // of the metric, in the words of the controller's reasons; `nil` when unset
  TargetType target_type = TargetType::utilization;
  std::optional<std::int32_t> average_utilization;  // percent
  std::optional<std::int64_t> average_value_milli;
  std::optional<std::int64_t> value_milli;
  bool operator==(const MetricSpec&) const = default;
};

enum class PolicyType { pods, percent, unknown };
enum class SelectPolicy { max, min, disabled };

struct ScalingPolicy {
  PolicyType type = PolicyType::percent;
  std::int32_t value = 100;
  std::int32_t period_seconds = 15;
  bool operator==(const ScalingPolicy&) const = default;
};

/// One direction. Empty fields get the API's default in with_defaults(); scale-down's window and both tolerances have
/// none there and then mean the controller's setting.
struct ScalingRules {
  std::optional<std::int32_t> stabilization_window_seconds;
  std::optional<SelectPolicy> select_policy;
  std::optional<std::vector<ScalingPolicy>> policies;
  std::optional<double> tolerance;
  bool operator==(const ScalingRules&) const = default;
};

struct Behavior {
  ScalingRules scale_up;
  ScalingRules scale_down;
  bool operator==(const Behavior&) const = default;
};

struct Spec {
  std::optional<std::int32_t> min_replicas;
  std::int32_t max_replicas = 1;
  std::vector<MetricSpec> metrics;
  std::optional<Behavior> behavior;  // absent: the legacy rules
  bool operator==(const Spec&) const = default;
};

/// What the API server fills in when the object is stored. Filling twice changes nothing.
Spec with_defaults(Spec spec);

/// What reasons and messages call the metric: `cpu resource utilization (percentage of request)`.
std::string metric_name(const MetricSpec& metric);

std::string_view name_of(MetricType type);
std::string_view name_of(PolicyType type);
std::string_view name_of(SelectPolicy policy);

}  // namespace mpca::hpa
