#include "config/hpa_object.h"

#include <algorithm>
#include <array>

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::config {
namespace {

using hpa::MetricSpec;
using hpa::MetricType;
using hpa::TargetType;

constexpr std::int32_t kLongestWindowSeconds = 3600;
constexpr std::int32_t kLongestPeriodSeconds = 1800;
constexpr std::size_t kLargestFile = 8u << 20;

struct Source {
  std::string_view type;
  std::string_view field;
  MetricType metric;
};
constexpr std::array kSources = {
    Source{"Resource", "resource", MetricType::resource},
    Source{"ContainerResource", "containerResource", MetricType::container_resource},
    Source{"Pods", "pods", MetricType::pods},
    Source{"Object", "object", MetricType::object},
    Source{"External", "external", MetricType::external},
};

/// Reads one spec; what is only refused, not unreadable, is noted when the API server's checks are asked for.
class SpecReader {
 public:
  explicit SpecReader(HpaChecks checks) : checks_(checks == HpaChecks::as_api_server) {}

  hpa::Spec read(const Fields& fields) const {
    if (checks_) fields.only({"scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"});
    hpa::Spec spec;
    spec.min_replicas = fields.int32("minReplicas");
    const auto max = fields.int32("maxReplicas");
    spec.max_replicas = max.value_or(checks_ ? 1 : 0);
    const std::vector<Node>& metrics = fields.list("metrics");
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      spec.metrics.push_back(metric(Fields(metrics[i], fields, "metrics", i)));
    }
    if (const Node* behavior = fields.object("behavior"))
      spec.behavior = behavior_of(Fields(*behavior, fields, "behavior"));
    if (checks_) check_replicas(fields, spec);
    return spec;
  }

 private:
  void refuse_if(bool is_refused, const Fields& fields, std::string_view key, std::string_view message) const {
    if (checks_ && is_refused) fields.problem(key, message);
  }

  static void check_replicas(const Fields& fields, const hpa::Spec& spec) {
    if (!fields.has("maxReplicas")) fields.problem("maxReplicas", "is missing");
    if (fields.has("maxReplicas") && spec.max_replicas < 1) {
      fields.problem("maxReplicas", cat("is ", spec.max_replicas, "; must be >= 1"));
    }
    if (spec.min_replicas && *spec.min_replicas < 0) {
      fields.problem("minReplicas", cat("is ", *spec.min_replicas, "; must be >= 0"));
    }
    if (spec.min_replicas && fields.has("maxReplicas") && spec.max_replicas >= 1 &&
        spec.max_replicas < *spec.min_replicas) {
      fields.problem("maxReplicas",
                     cat("is ", spec.max_replicas, "; must be >= minReplicas, which is ", *spec.min_replicas));
    }
    const bool may_be_zero = std::ranges::any_of(spec.metrics, [](const MetricSpec& metric) {
      return metric.type == MetricType::object || metric.type == MetricType::external;
    });
    if (spec.min_replicas == 0 && !may_be_zero) {
      fields.problem("minReplicas", "is 0; that needs at least one Object or External metric");
    }
  }

  MetricSpec metric(const Fields& fields) const {
    MetricSpec metric;
    metric.type = MetricType::unknown;
    metric.name.clear();
    if (fields.node().kind != Node::Kind::object) {
      fields.problem("", cat("is ", fields.node().describe(), "; must be an object"));
      return metric;
    }
    const std::string* type = fields.text("type");
    metric.type_text = type != nullptr ? *type : "";
    const auto source = std::ranges::find(kSources, std::string_view(metric.type_text), &Source::type);
    if (source == kSources.end()) {
      refuse_if(type == nullptr && !fields.has("type"), fields, "type",
                "is missing; must be Resource, ContainerResource, Pods, Object or External");
      refuse_if(type != nullptr, fields, "type",
                cat("is \"", metric.type_text, "\"; must be Resource, ContainerResource, Pods, Object or External"));
      return metric;
    }
    metric.type = source->metric;
    if (checks_) fields.only({"type", source->field});
    const Node* node = fields.object(source->field);
    if (node == nullptr) {
      refuse_if(!fields.has(source->field), fields, source->field,
                cat("is missing; the metric's type is ", metric.type_text));
      return metric;
    }
    read_source(Fields(*node, fields, source->field), metric);
    return metric;
  }

  std::string required_text(const Fields& fields, std::string_view key) const {
    const std::string* text = fields.text(key);
    if (text != nullptr && !text->empty()) return *text;
    refuse_if(text != nullptr || !fields.has(key), fields, key, text != nullptr ? "is empty" : "is missing");
    return {};
  }

  void read_source(const Fields& fields, MetricSpec& metric) const {
    if (metric.type == MetricType::resource || metric.type == MetricType::container_resource) {
      const bool has_container = metric.type == MetricType::container_resource;
      if (checks_ && has_container) fields.only({"name", "container", "target"});
      if (checks_ && !has_container) fields.only({"name", "target"});
      metric.name = required_text(fields, "name");
      if (has_container) metric.container = required_text(fields, "container");
    } else {
      if (checks_ && metric.type == MetricType::object) fields.only({"describedObject", "metric", "target"});
      if (checks_ && metric.type != MetricType::object) fields.only({"metric", "target"});
      if (const Node* node = fields.object("metric")) {
        const Fields identifier(*node, fields, "metric");
        metric.name = required_text(identifier, "name");
        if (const Node* selector = identifier.object("selector")) {
          metric.selector = go_text_of_selector(Fields(*selector, identifier, "selector"));
        }
      } else {
        refuse_if(!fields.has("metric"), fields, "metric", "is missing");
      }
      if (metric.type == MetricType::object) read_described_object(fields, metric);
    }
    if (const Node* target = fields.object("target")) {
      read_target(Fields(*target, fields, "target"), metric);
    } else {
      refuse_if(!fields.has("target"), fields, "target", "is missing");
    }
  }

  void read_described_object(const Fields& fields, MetricSpec& metric) const {
    const Node* node = fields.object("describedObject");
    if (node == nullptr) {
      refuse_if(!fields.has("describedObject"), fields, "describedObject", "is missing");
      return;
    }
    const Fields object(*node, fields, "describedObject");
    metric.object_kind = required_text(object, "kind");
    metric.object_name = required_text(object, "name");
  }

  void read_target(const Fields& fields, MetricSpec& metric) const {
    if (checks_) fields.only({"type", "averageUtilization", "averageValue", "value"});
    const std::string* type = fields.text("type");
    metric.target_type = TargetType::unknown;
    if (type != nullptr && *type == "Utilization") metric.target_type = TargetType::utilization;
    if (type != nullptr && *type == "Value") metric.target_type = TargetType::value;
    if (type != nullptr && *type == "AverageValue") metric.target_type = TargetType::average_value;
    refuse_if(type == nullptr && !fields.has("type"), fields, "type",
              "is missing; must be Utilization, Value or AverageValue");
    refuse_if(type != nullptr && metric.target_type == TargetType::unknown, fields, "type",
              cat("is \"", type != nullptr ? *type : "", "\"; must be Utilization, Value or AverageValue"));
    metric.average_utilization = fields.int32("averageUtilization");
    if (const auto average = fields.quantity("averageValue")) metric.average_value_milli = average->milli;
    if (const auto value = fields.quantity("value")) metric.value_milli = value->milli;
    if (checks_) check_target(fields, metric);
  }

  static void check_target(const Fields& fields, const MetricSpec& metric) {
    if (metric.average_utilization && *metric.average_utilization < 1)
      fields.problem("averageUtilization", cat("is ", *metric.average_utilization, "; must be >= 1"));
    if (metric.average_value_milli && *metric.average_value_milli <= 0)
      fields.problem("averageValue", cat("is ", hpa::milli_text(*metric.average_value_milli), "; must be > 0"));
    if (metric.value_milli && *metric.value_milli <= 0)
      fields.problem("value", cat("is ", hpa::milli_text(*metric.value_milli), "; must be > 0"));
    const bool has_utilization = fields.has("averageUtilization");
    const bool has_average = fields.has("averageValue");
    const bool has_value = fields.has("value");
    switch (metric.type) {
      case MetricType::resource:
      case MetricType::container_resource:
        if (!has_utilization && !has_average)
          fields.problem("averageUtilization", "is missing; give it or averageValue");
        if (has_utilization && has_average)
          fields.problem("averageValue", "is there beside averageUtilization; give one of them");
        break;
      case MetricType::pods:
        if (!has_average) fields.problem("averageValue", "is missing");
        break;
      case MetricType::object:
        if (!has_value && !has_average) fields.problem("averageValue", "is missing; give it or value");
        // The API server takes these; the controller then fails at every sync.
        if (metric.target_type == TargetType::value && !has_value && has_average)
          fields.problem("value", "is missing; the target's type is Value");
        if (metric.target_type == TargetType::average_value && has_value && !has_average)
          fields.problem("averageValue", "is missing; the target's type is AverageValue");
        break;
      case MetricType::external:
        if (!has_value && !has_average) fields.problem("averageValue", "is missing; give it or value");
        if (has_value && has_average) fields.problem("value", "is there beside averageValue; give one of them");
        break;
      case MetricType::unknown:
        break;
    }
  }

  /// As Go prints it in reasons and messages.
  static std::string go_text_of_selector(const Fields& fields) {
    std::string labels;
    if (const Node* node = fields.object("matchLabels")) {
      std::vector<std::pair<std::string, std::string>> sorted;
      for (const auto& [key, value] : node->members) sorted.emplace_back(key, value.text);
      std::ranges::sort(sorted);
      for (const auto& [key, value] : sorted) labels += cat(key, ": ", value, ",");
    }
    std::string expressions;
    const std::vector<Node>& list = fields.list("matchExpressions");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Fields expression(list[i], fields, "matchExpressions", i);
      const std::string* key = expression.text("key");
      const std::string* op = expression.text("operator");
      std::string values;
      for (const Node& value : expression.list("values")) values += cat(values.empty() ? "" : " ", value.text);
      expressions += cat("LabelSelectorRequirement{Key:", key != nullptr ? *key : "",
                         ",Operator:", op != nullptr ? *op : "", ",Values:[", values, "],},");
    }
    return cat("&LabelSelector{MatchLabels:map[string]string{", labels,
               "},MatchExpressions:[]LabelSelectorRequirement{", expressions, "},}");
  }

  hpa::Behavior behavior_of(const Fields& fields) const {
    if (checks_) fields.only({"scaleUp", "scaleDown"});
    hpa::Behavior behavior;
    if (const Node* up = fields.object("scaleUp")) behavior.scale_up = rules(Fields(*up, fields, "scaleUp"));
    if (const Node* down = fields.object("scaleDown")) behavior.scale_down = rules(Fields(*down, fields, "scaleDown"));
    return behavior;
  }

  hpa::ScalingRules rules(const Fields& fields) const {
    if (checks_) fields.only({"stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"});
    hpa::ScalingRules rules;
    rules.stabilization_window_seconds = fields.int32("stabilizationWindowSeconds");
    if (rules.stabilization_window_seconds) {
      const std::int32_t window = *rules.stabilization_window_seconds;
      refuse_if(window < 0 || window > kLongestWindowSeconds, fields, "stabilizationWindowSeconds",
                cat("is ", window, "; must be between 0 and ", kLongestWindowSeconds));
    }
    if (const std::string* select = fields.text("selectPolicy")) {
      const bool is_known = *select == "Max" || *select == "Min" || *select == "Disabled";
      refuse_if(!is_known, fields, "selectPolicy", cat("is \"", *select, "\"; must be Max, Min or Disabled"));
      rules.select_policy = *select == "Disabled" ? hpa::SelectPolicy::disabled
                            : *select == "Min"    ? hpa::SelectPolicy::min
                                                  : hpa::SelectPolicy::max;
    }
    if (fields.has("policies")) {
      const std::vector<Node>& policies = fields.list("policies");
      rules.policies.emplace();
      for (std::size_t i = 0; i < policies.size(); ++i) {
        rules.policies->push_back(policy(Fields(policies[i], fields, "policies", i)));
      }
      refuse_if(policies.empty(), fields, "policies", "is empty; give at least one policy");
    }
    if (const auto tolerance = fields.quantity("tolerance")) {
      rules.tolerance = tolerance->number;
      refuse_if(tolerance->milli < 0, fields, "tolerance", "is negative; must be >= 0");
    }
    return rules;
  }

  hpa::ScalingPolicy policy(const Fields& fields) const {
    hpa::ScalingPolicy policy{hpa::PolicyType::unknown, 0, 0};
    if (fields.node().kind != Node::Kind::object) {
      fields.problem("", cat("is ", fields.node().describe(), "; must be an object"));
      return policy;
    }
    if (checks_) fields.only({"type", "value", "periodSeconds"});
    const std::string* type = fields.text("type");
    if (type != nullptr && *type == "Pods") policy.type = hpa::PolicyType::pods;
    if (type != nullptr && *type == "Percent") policy.type = hpa::PolicyType::percent;
    refuse_if(type == nullptr && !fields.has("type"), fields, "type", "is missing; must be Pods or Percent");
    refuse_if(type != nullptr && policy.type == hpa::PolicyType::unknown, fields, "type",
              cat("is \"", type != nullptr ? *type : "", "\"; must be Pods or Percent"));
    policy.value = positive(fields, "value", INT32_MAX);
    policy.period_seconds = positive(fields, "periodSeconds", kLongestPeriodSeconds);
    return policy;
  }

  std::int32_t positive(const Fields& fields, std::string_view key, std::int32_t high) const {
    const auto value = fields.int32(key);
    refuse_if(!value && !fields.has(key), fields, key, "is missing");
    refuse_if(value && (*value < 1 || *value > high), fields, key,
              high == INT32_MAX ? cat("is ", value.value_or(0), "; must be >= 1")
                                : cat("is ", value.value_or(0), "; must be between 1 and ", high));
    return value.value_or(0);
  }

  bool checks_;
};

std::optional<hpa::ConditionType> condition_type(std::string_view text) {
  for (const auto type :
       {hpa::ConditionType::able_to_scale, hpa::ConditionType::scaling_active, hpa::ConditionType::scaling_limited}) {
    if (hpa::name_of(type) == text) return type;
  }
  return std::nullopt;
}

/// The documents' HorizontalPodAutoscalers; lists are looked into.
void find_objects(const Node& node, std::vector<const Node*>& found, std::vector<std::string>& others) {
  const Node* kind = node.find("kind");
  const std::string name = kind != nullptr ? kind->text : "";
  if (name == "HorizontalPodAutoscaler" || (kind == nullptr && node.find("spec") != nullptr)) {
    found.push_back(&node);
    return;
  }
  const Node* items = node.find("items");
  if (name.ends_with("List") && items != nullptr) {
    for (const Node& item : items->items) find_objects(item, found, others);
    return;
  }
  others.push_back(name);
}

}  // namespace

hpa::Spec read_hpa_spec(const Fields& spec, HpaChecks checks) { return SpecReader(checks).read(spec); }

hpa::Status read_hpa_status(const Fields& fields) {
  hpa::Status status;
  status.current_replicas = fields.int32("currentReplicas").value_or(0);
  status.desired_replicas = fields.int32("desiredReplicas").value_or(0);
  status.last_scale_time = fields.time("lastScaleTime");
  const std::vector<Node>& conditions = fields.list("conditions");
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Fields each(conditions[i], fields, "conditions", i);
    const std::string* type_text = each.text("type");
    const std::string* status_text = each.text("status");
    const std::string* reason = each.text("reason");
    const auto type = condition_type(type_text != nullptr ? *type_text : "");
    if (!type) {
      each.problem("type", "must be AbleToScale, ScalingActive or ScalingLimited");
      continue;
    }
    hpa::Condition condition;
    condition.type = *type;
    condition.status = status_text == nullptr    ? hpa::ConditionStatus::unknown
                       : *status_text == "True"  ? hpa::ConditionStatus::yes
                       : *status_text == "False" ? hpa::ConditionStatus::no
                                                 : hpa::ConditionStatus::unknown;
    condition.reason = hpa::reason_of(reason != nullptr ? *reason : "");
    condition.last_transition = each.time("lastTransitionTime").value_or(TimePoint{});
    condition.detail.is_known = false;
    status.conditions.push_back(condition);
  }
  const std::vector<Node>& metrics = fields.list("currentMetrics");
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const Fields metric(metrics[i], fields, "currentMetrics", i);
    hpa::MetricStatus& read = status.current_metrics.emplace_back();
    for (const Source& source : kSources) {
      const Node* node = metrics[i].find(source.field);
      const Node* current = node != nullptr ? node->find("current") : nullptr;
      if (current == nullptr) continue;
      const Fields of_source(*node, metric, source.field);
      const Fields values(*current, of_source, "current");
      read.is_set = true;
      read.utilization = values.int32("averageUtilization");
      if (const auto average = values.quantity("averageValue")) read.average_value_milli = average->milli;
      if (const auto value = values.quantity("value")) read.value_milli = value->milli;
    }
  }
  return status;
}

HpaObject read_hpa_object(const Fields& fields, HpaChecks checks) {
  const bool checked = checks == HpaChecks::as_api_server;
  HpaObject object;
  if (checked) {
    fields.only({"apiVersion", "kind", "metadata", "spec", "status"});
    const std::string* version = fields.text("apiVersion");
    if (!fields.has("apiVersion")) fields.problem("apiVersion", "is missing; must be autoscaling/v2");
    if (version != nullptr && *version != "autoscaling/v2") {
      fields.problem(
          "apiVersion",
          cat("is \"", *version, "\"; must be autoscaling/v2 (kubectl get hpa.v2.autoscaling NAME -o yaml converts)"));
    }
  }
  if (const Node* metadata = fields.object("metadata")) {
    const Fields of_object(*metadata, fields, "metadata");
    if (const std::string* name = of_object.text("name")) object.name = *name;
    if (const std::string* space = of_object.text("namespace")) object.namespace_name = *space;
  }
  const Node* spec = fields.object("spec");
  if (spec == nullptr) {
    if (!fields.has("spec")) fields.problem("spec", "is missing");
    return object;
  }
  const Fields of_spec(*spec, fields, "spec");
  object.spec = read_hpa_spec(of_spec, checks);
  if (const Node* target = of_spec.object("scaleTargetRef")) {
    const Fields reference(*target, of_spec, "scaleTargetRef");
    const auto take = [&](std::string_view key, std::string& place) {
      const std::string* text = reference.text(key);
      if (text != nullptr) place = *text;
      if (checked && (text == nullptr ? !reference.has(key) : text->empty())) reference.problem(key, "is missing");
    };
    take("kind", object.target_kind);
    take("name", object.target_name);
  } else if (checked && !of_spec.has("scaleTargetRef")) {
    of_spec.problem("scaleTargetRef", "is missing");
  }
  if (const Node* status = fields.object("status"); status != nullptr && checked) {
    object.status = read_hpa_status(Fields(*status, fields, "status"));
  }
  return object;
}

Result<HpaObject> parse_hpa_object(std::string_view text, std::string_view where) {
  auto documents = parse_yaml(text);
  if (!documents) return invalid(cat(where, ": ", documents.error().message));
  std::vector<const Node*> found;
  std::vector<std::string> others;
  for (const Node& document : *documents) find_objects(document, found, others);
  if (found.size() != 1) {
    std::string rest;
    for (const std::string& kind : others)
      rest += cat(rest.empty() ? " (there is " : ", ", kind.empty() ? "something without kind" : kind);
    if (!rest.empty()) rest += ')';
    return invalid(found.empty()
                       ? cat(where, ": holds no HorizontalPodAutoscaler", rest)
                       : cat(where, ": holds ", found.size(), " HorizontalPodAutoscalers; give a file with one"));
  }
  Problems problems;
  HpaObject object = read_hpa_object(Fields(*found[0], problems, where), HpaChecks::as_api_server);
  MPCA_TRY_VOID(problems.to_result());
  return object;
}

Result<HpaObject> load_hpa_object(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path, kLargestFile));
  return parse_hpa_object(text, path);
}

}  // namespace mpca::config
