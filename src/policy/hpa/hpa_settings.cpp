#include "policy/hpa/hpa_settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/text.h"
#include "hpa/quantity.h"

namespace mpca::policy {
namespace {

constexpr std::string_view kDefault = "default";
constexpr double kMilli = 1000.0;
constexpr double kMostCores = 1e6;
constexpr Duration kLongestWindow = std::chrono::hours(1);
constexpr Duration kLongestPeriod = std::chrono::minutes(30);

struct SignalName {
  std::string_view name;
  HpaSignal signal;
};
constexpr std::array kSignals = {
    SignalName{"cpu", HpaSignal::cpu},
    SignalName{"served-rate", HpaSignal::served_rate},
    SignalName{"failed-rate", HpaSignal::failed_rate},
    SignalName{"offered-rate", HpaSignal::offered_rate},
    SignalName{"in-flight", HpaSignal::in_flight},
};

struct SourceName {
  std::string_view name;
  hpa::MetricType type;
  hpa::TargetType target;
};
constexpr std::array kSources = {
    SourceName{"pods", hpa::MetricType::pods, hpa::TargetType::average_value},
    SourceName{"external", hpa::MetricType::external, hpa::TargetType::average_value},
    SourceName{"external-value", hpa::MetricType::external, hpa::TargetType::value},
    SourceName{"object", hpa::MetricType::object, hpa::TargetType::average_value},
    SourceName{"object-value", hpa::MetricType::object, hpa::TargetType::value},
};

std::optional<HpaSignal> signal_named(std::string_view name) {
  std::string with_dashes(name);
  std::ranges::replace(with_dashes, '_', '-');
  const auto found = std::ranges::find(kSignals, with_dashes, &SignalName::name);
  return found == kSignals.end() ? std::nullopt : std::optional(found->signal);
}

std::string_view name_of(HpaSignal signal) { return std::ranges::find(kSignals, signal, &SignalName::signal)->name; }

constexpr std::string_view kMetricGrammar =
    "must be cpu, cpu:60%, cpu:500m, container-cpu:60%, or SOURCE/SIGNAL:NUMBER with SOURCE one of pods, external, "
    "external-value, object, object-value and SIGNAL one of served-rate, failed-rate, offered-rate, in-flight, cpu";

struct Metric {
  hpa::MetricSpec spec;
  HpaSignal signal = HpaSignal::cpu;
};

std::optional<std::int32_t> positive_int(std::string_view text) {
  const auto value = parse_int(text);
  if (!value || *value < 1 || *value > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

/// `60%` or `500m`.
bool read_cpu_target(std::string_view text, hpa::MetricSpec& metric) {
  if (text.ends_with('%')) {
    metric.target_type = hpa::TargetType::utilization;
    metric.average_utilization = positive_int(text.substr(0, text.size() - 1));
    return metric.average_utilization.has_value();
  }
  const auto quantity = hpa::parse_quantity(text);
  if (!quantity || quantity->milli <= 0) return false;
  metric.target_type = hpa::TargetType::average_value;
  metric.average_value_milli = quantity->milli;
  return true;
}

std::optional<Metric> read_metric(std::string_view text, int target) {
  const std::size_t colon = text.find(':');
  const std::string_view source = trim(text.substr(0, colon));
  const std::string_view value = colon == std::string_view::npos ? std::string_view{} : trim(text.substr(colon + 1));
  Metric metric;
  if (source == "cpu" || source == "container-cpu") {
    if (source == "container-cpu") {
      metric.spec.type = hpa::MetricType::container_resource;
      metric.spec.type_text = "ContainerResource";
      metric.spec.container = "app";
    }
    if (colon == std::string_view::npos) {
      metric.spec.average_utilization = target;
      return metric;
    }
    return read_cpu_target(value, metric.spec) ? std::optional(metric) : std::nullopt;
  }
  const std::size_t slash = source.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = std::ranges::find(kSources, source.substr(0, slash), &SourceName::name);
  const auto signal = signal_named(source.substr(slash + 1));
  const auto quantity = hpa::parse_quantity(value);
  if (kind == kSources.end() || !signal || !quantity || quantity->milli <= 0) return std::nullopt;
  metric.signal = *signal;
  metric.spec.type = kind->type;
  metric.spec.type_text = hpa::name_of(kind->type);
  metric.spec.name = name_of(*signal);
  metric.spec.target_type = kind->target;
  if (kind->type == hpa::MetricType::object) metric.spec.object_kind = "Service";
  (kind->target == hpa::TargetType::value ? metric.spec.value_milli : metric.spec.average_value_milli) =
      quantity->milli;
  return metric;
}

/// `pods:4/15s`.
std::optional<hpa::ScalingPolicy> read_policy(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::size_t slash = text.find('/');
  if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon) return std::nullopt;
  hpa::ScalingPolicy policy;
  const std::string_view type = trim(text.substr(0, colon));
  if (type != "pods" && type != "percent") return std::nullopt;
  policy.type = type == "pods" ? hpa::PolicyType::pods : hpa::PolicyType::percent;
  const auto value = positive_int(trim(text.substr(colon + 1, slash - colon - 1)));
  const auto period = parse_duration(trim(text.substr(slash + 1)));
  if (!value || !period || *period < std::chrono::seconds(1) || *period > kLongestPeriod ||
      *period % std::chrono::seconds(1) != Duration::zero())
    return std::nullopt;
  policy.value = *value;
  policy.period_seconds = static_cast<std::int32_t>(*period / std::chrono::seconds(1));
  return policy;
}

/// Texts of one direction, `up` or `down`.
struct RuleTexts {
  std::string_view name;
  std::string_view window;
  std::string_view select;
  std::string_view policies;
  std::string_view tolerance;
  bool are_default() const {
    return window == kDefault && select == kDefault && policies == kDefault && tolerance == kDefault;
  }
};

hpa::ScalingRules read_rules(const RuleTexts& texts, std::string_view where, Problems& problems) {
  hpa::ScalingRules rules;
  const auto refuse = [&](std::string_view key, std::string_view text, std::string_view accepted) {
    problems.add(cat(where, ": ", texts.name, "-", key, " is \"", text, "\"; must be ", accepted));
  };
  if (texts.window != kDefault) {
    const auto window = parse_duration(texts.window);
    if (!window || *window > kLongestWindow || *window % std::chrono::seconds(1) != Duration::zero()) {
      refuse("window", texts.window, "default or whole seconds from 0s to 1h");
    } else {
      rules.stabilization_window_seconds = static_cast<std::int32_t>(*window / std::chrono::seconds(1));
    }
  }
  if (texts.select == "max") {
    rules.select_policy = hpa::SelectPolicy::max;
  } else if (texts.select == "min") {
    rules.select_policy = hpa::SelectPolicy::min;
  } else if (texts.select == "disabled") {
    rules.select_policy = hpa::SelectPolicy::disabled;
  } else if (texts.select != kDefault) {
    refuse("select", texts.select, "one of default, max, min, disabled");
  }
  if (texts.policies != kDefault) {
    rules.policies.emplace();
    for (const std::string_view part : split(texts.policies, ';')) {
      if (const auto policy = read_policy(part)) {
        rules.policies->push_back(*policy);
      } else {
        refuse("policies", part, "default or a list such as pods:4/15s;percent:100/15s with periods of at most 30m");
      }
    }
  }
  if (texts.tolerance != kDefault) {
    const auto tolerance = parse_double(texts.tolerance);
    if (tolerance && std::isfinite(*tolerance) && *tolerance >= 0.0) {
      rules.tolerance = *tolerance;
    } else {
      refuse("tolerance", texts.tolerance, "default or a number >= 0");
    }
  }
  return rules;
}

std::string rules_text(std::string_view name, const hpa::ScalingRules& rules) {
  std::string text;
  if (rules.stabilization_window_seconds) text += cat(",", name, "-window=", *rules.stabilization_window_seconds, "s");
  if (rules.select_policy) {
    const std::string_view select = *rules.select_policy == hpa::SelectPolicy::max   ? "max"
                                    : *rules.select_policy == hpa::SelectPolicy::min ? "min"
                                                                                     : "disabled";
    text += cat(",", name, "-select=", select);
  }
  if (rules.policies) {
    std::string list;
    for (const hpa::ScalingPolicy& policy : *rules.policies) {
      list += cat(list.empty() ? "" : ";", policy.type == hpa::PolicyType::pods ? "pods:" : "percent:", policy.value,
                  "/", policy.period_seconds, "s");
    }
    text += cat(",", name, "-policies=", list);
  }
  if (rules.tolerance) text += cat(",", name, "-tolerance=", *rules.tolerance);
  return text;
}

std::string cpu_target_text(const hpa::MetricSpec& metric) {
  if (metric.average_value_milli) return hpa::milli_text(*metric.average_value_milli);
  return cat(metric.average_utilization.value_or(0), "%");
}

}  // namespace

SettingsTable settings_of(HpaSettings& settings) {
  return {
      {"target", &settings.target, "percent", Range::between(1, 10'000),
       "cpu utilization to run at, of what a pod requests"},
      {"stabilization", &settings.stabilization, "duration", Range::at_least(0),
       "the controller's downscale stabilization: down only to the greatest recommendation of this long"},
      {"tolerance", &settings.tolerance, "fraction", Range::at_least(0),
       "the controller's: how far from its target a metric may be before anything changes"},
      {"metrics", &settings.metrics,
       "what to look at, parts between ;: cpu is at target, else such as "
       "cpu:60%;pods/served-rate:20;external/in-flight:5"},
      {"cpu-request",
       &settings.cpu_request_cores,
       "cores",
       {.low = 0, .high = kMostCores, .low_open = true},
       "what a pod requests, which cpu utilization is a percentage of"},
      {"min", &settings.min_replicas, "replicas", Range::at_least(-1), "minReplicas; -1 is the workload's"},
      {"max", &settings.max_replicas, "replicas", Range::at_least(-1), "maxReplicas; -1 is the workload's"},
      {"up-window", &settings.up_window, "behavior: stabilization window of scale-up"},
      {"up-select", &settings.up_select, "behavior: max, min or disabled"},
      {"up-policies", &settings.up_policies, "behavior: such as pods:4/15s;percent:100/15s"},
      {"up-tolerance", &settings.up_tolerance, "behavior: tolerance of scale-up"},
      {"down-window", &settings.down_window, "behavior: stabilization window of scale-down"},
      {"down-select", &settings.down_select, "behavior: max, min or disabled"},
      {"down-policies", &settings.down_policies, "behavior: such as percent:10/60s"},
      {"down-tolerance", &settings.down_tolerance, "behavior: tolerance of scale-down"},
      {"cpu-initialization", &settings.cpu_initialization, "duration", Range::at_least(0),
       "the controller's: how long a pod is young, and its cpu counts only while it is Ready"},
      {"initial-readiness-delay", &settings.initial_readiness_delay, "duration", Range::at_least(0),
       "the controller's: unready for this long after its start, a pod was never ready"},
  };
}

Result<HpaPlan> plan_hpa(const HpaSettings& settings, const Workload& workload, std::string_view where) {
  Problems problems;
  HpaPlan plan;
  plan.controller.sync_period = workload.period;
  plan.controller.downscale_stabilization = settings.stabilization;
  plan.controller.tolerance = settings.tolerance;
  plan.controller.cpu_initialization_period = settings.cpu_initialization;
  plan.controller.initial_readiness_delay = settings.initial_readiness_delay;
  plan.cpu_request_milli = std::max<std::int64_t>(1, std::llround(settings.cpu_request_cores * kMilli));
  const int min = settings.min_replicas < 0 ? workload.min_replicas : settings.min_replicas;
  const int max = settings.max_replicas < 0 ? workload.max_replicas : settings.max_replicas;
  plan.spec.min_replicas = min;
  plan.spec.max_replicas = max;
  if (max < 1) problems.add(cat(where, ": max is ", max, "; must be >= 1"));
  if (max >= 1 && max < min) problems.add(cat(where, ": max is ", max, "; must be >= min, which is ", min));
  for (const std::string_view part : split(settings.metrics, ';')) {
    if (auto metric = read_metric(trim(part), settings.target)) {
      plan.spec.metrics.push_back(std::move(metric->spec));
      plan.signals.push_back(metric->signal);
    } else {
      problems.add(cat(where, ": metrics has \"", trim(part), "\"; ", kMetricGrammar));
    }
  }
  const RuleTexts up{"up", settings.up_window, settings.up_select, settings.up_policies, settings.up_tolerance};
  const RuleTexts down{"down", settings.down_window, settings.down_select, settings.down_policies,
                       settings.down_tolerance};
  if (!up.are_default() || !down.are_default()) {
    plan.spec.behavior.emplace();
    plan.spec.behavior->scale_up = read_rules(up, where, problems);
    plan.spec.behavior->scale_down = read_rules(down, where, problems);
  }
  MPCA_TRY_VOID(problems.to_result());
  return plan;
}

Result<std::string> hpa_settings_text(const hpa::Spec& given, std::string_view where) {
  const hpa::Spec spec = hpa::with_defaults(given);
  Problems problems;
  std::string metrics;
  for (std::size_t i = 0; i < spec.metrics.size(); ++i) {
    const hpa::MetricSpec& metric = spec.metrics[i];
    const auto refuse = [&](std::string_view field, std::string_view name) {
      problems.add(cat(where, ": spec.metrics[", i, "].", field, " is \"", name,
                       "\"; worlds show the resource cpu and, as Pods, External or Object metrics, served-rate, "
                       "failed-rate, offered-rate, in-flight and cpu"));
    };
    if (!metrics.empty()) metrics += ';';
    switch (metric.type) {
      case hpa::MetricType::resource:
      case hpa::MetricType::container_resource: {
        const bool is_container = metric.type == hpa::MetricType::container_resource;
        if (metric.name != "cpu") refuse(is_container ? "containerResource.name" : "resource.name", metric.name);
        metrics += cat(is_container ? "container-cpu:" : "cpu:", cpu_target_text(metric));
        continue;
      }
      case hpa::MetricType::unknown:
        refuse("type", metric.type_text);
        continue;
      default:
        break;
    }
    // External: the average wins if both are set, whatever the type says.
    const bool by_total = metric.type == hpa::MetricType::object ? metric.target_type == hpa::TargetType::value
                                                                 : !metric.average_value_milli.has_value();
    const auto source = std::ranges::find_if(kSources, [&](const SourceName& each) {
      return each.type == metric.type && (each.target == hpa::TargetType::value) == by_total;
    });
    const auto signal = signal_named(metric.name);
    const auto value = by_total ? metric.value_milli : metric.average_value_milli;
    if (source == kSources.end() || !signal || !value) {
      const std::string_view field = metric.type == hpa::MetricType::pods     ? "pods.metric.name"
                                     : metric.type == hpa::MetricType::object ? "object.metric.name"
                                                                              : "external.metric.name";
      refuse(field, metric.name);
      continue;
    }
    metrics += cat(source->name, "/", name_of(*signal), ":", hpa::milli_text(*value));
  }
  if (!problems.empty()) return fail(ErrorCode::unsupported, problems.to_result().error().message);
  std::string text = cat("metrics=", metrics, ",min=", spec.min_replicas.value_or(1), ",max=", spec.max_replicas);
  // As written and not as filled in: a window that the object leaves open is the controller's.
  if (given.behavior) {
    hpa::Behavior behavior = *given.behavior;
    // `behavior: {}` is not no behavior.
    if (behavior == hpa::Behavior{}) behavior.scale_up.stabilization_window_seconds = 0;
    text += rules_text("up", behavior.scale_up) + rules_text("down", behavior.scale_down);
  }
  return text;
}

}  // namespace mpca::policy
