#include "config/hpa_situation.h"

#include <array>

#include "core/text.h"

namespace mpca::config {
namespace {

constexpr std::int64_t kMilli = 1000;
constexpr std::int64_t kMostBytes = INT64_MAX / kMilli;
constexpr std::int64_t kMostSeconds = 9'000'000'000;  // fits nanoseconds
constexpr std::int64_t kDefaultWindowSeconds = 60;

std::optional<TimePoint> time_of(const Fields& fields, std::string_view key) {
  const auto seconds = fields.integer(key, -kMostSeconds, kMostSeconds);
  return seconds ? std::optional(TimePoint(std::chrono::seconds(*seconds))) : std::nullopt;
}

std::string text_of(const Fields& fields, std::string_view key) {
  const std::string* text = fields.text(key);
  return text != nullptr ? *text : std::string{};
}

/// `cpu_milli` and `memory_bytes`, both in milli-units.
struct Amounts {
  std::optional<std::int64_t> cpu;
  std::optional<std::int64_t> memory;
};

Amounts read_amounts(const Fields& parent, std::string_view key) {
  Amounts amounts;
  const Node* node = parent.object(key);
  if (node == nullptr) return amounts;
  const Fields fields(*node, parent, key);
  amounts.cpu = fields.integer("cpu_milli");
  if (const auto bytes = fields.integer("memory_bytes", -kMostBytes, kMostBytes)) amounts.memory = *bytes * kMilli;
  return amounts;
}

/// Calls `visit` with each object of the list; anything else in it is noted.
template <class Visit>
void for_each_object(const Fields& parent, std::string_view key, Visit visit) {
  const std::vector<Node>& list = parent.list(key);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Fields fields(list[i], parent, key, i);
    if (list[i].kind == Node::Kind::object) {
      visit(fields);
    } else {
      fields.problem("", cat("is ", list[i].describe(), "; must be an object"));
    }
  }
}

hpa::PodPhase phase_of(const Fields& fields) {
  const std::string* text = fields.text("phase");
  if (text == nullptr || *text == "Running") return hpa::PodPhase::running;
  if (*text == "Pending") return hpa::PodPhase::pending;
  if (*text == "Succeeded") return hpa::PodPhase::succeeded;
  if (*text == "Failed") return hpa::PodPhase::failed;
  if (*text != "Unknown")
    fields.problem("phase", cat("is \"", *text, "\"; must be Pending, Running, Succeeded, Failed or Unknown"));
  return hpa::PodPhase::unknown;
}

hpa::Readiness readiness_of(const Fields& fields) {
  const std::string* text = fields.text("ready");
  if (text == nullptr) return hpa::Readiness::no_condition;
  if (*text == "True") return hpa::Readiness::ready;
  if (*text == "False") return hpa::Readiness::not_ready;
  if (*text != "Unknown")
    fields.problem("ready", cat("is \"", *text, "\"; must be \"True\", \"False\" or \"Unknown\""));
  return hpa::Readiness::unknown;
}

HpaPod read_pod(const Fields& fields) {
  fields.only({"name", "namespace", "labels", "phase", "ready", "ready_since_s", "start_time_s", "deleted",
               "containers", "init_containers", "pod_requests"});
  HpaPod pod;
  pod.name = text_of(fields, "name");
  if (pod.name.empty() && !fields.has("name")) fields.problem("name", "is missing");
  pod.namespace_name = text_of(fields, "namespace");
  if (const Node* labels = fields.object("labels")) {
    for (const auto& [key, value] : labels->members) pod.labels.emplace_back(key, value.text);
  } else {
    pod.labels.emplace_back("app", "web");
  }
  pod.pod.phase = phase_of(fields);
  pod.pod.readiness = readiness_of(fields);
  pod.pod.ready_changed = time_of(fields, "ready_since_s").value_or(TimePoint{});
  const auto started = time_of(fields, "start_time_s");
  pod.pod.has_started = started.has_value();
  pod.pod.started = started.value_or(TimePoint{});
  pod.pod.is_terminating = fields.boolean("deleted").value_or(false);
  for_each_object(fields, "containers", [&](const Fields& container) {
    const Amounts amounts = read_amounts(container, "requests");
    pod.cpu.containers.push_back({text_of(container, "name"), amounts.cpu});
    pod.memory.containers.push_back({text_of(container, "name"), amounts.memory});
  });
  for_each_object(fields, "init_containers", [&](const Fields& container) {
    const Amounts amounts = read_amounts(container, "requests");
    const bool is_sidecar = text_of(container, "restart_policy") == "Always";
    pod.cpu.init_containers.push_back({text_of(container, "name"), amounts.cpu, is_sidecar});
    pod.memory.init_containers.push_back({text_of(container, "name"), amounts.memory, is_sidecar});
  });
  const Amounts pod_level = read_amounts(fields, "pod_requests");
  pod.cpu.pod_level_milli = pod_level.cpu;
  pod.memory.pod_level_milli = pod_level.memory;
  pod.cpu.has_pod_level = pod.memory.has_pod_level = pod_level.cpu || pod_level.memory;
  return pod;
}

HpaAnswer read_answer(const Fields& fields, TimePoint now) {
  fields.only({"error", "pods", "value_milli", "values_milli"});
  HpaAnswer answer;
  answer.failed = fields.has("error");
  for_each_object(fields, "pods", [&](const Fields& item) {
    item.only({"pod", "timestamp_s", "window_s", "containers", "value_milli"});
    HpaAnswer::PodItem& read = answer.pods.emplace_back();
    read.pod = text_of(item, "pod");
    read.timestamp = time_of(item, "timestamp_s").value_or(now);
    read.window = std::chrono::seconds(item.integer("window_s", 0, kMostSeconds).value_or(kDefaultWindowSeconds));
    read.value_milli = item.integer("value_milli").value_or(0);
    for_each_object(item, "containers", [&](const Fields& container) {
      const Amounts usage = read_amounts(container, "usage");
      read.cpu.push_back({text_of(container, "name"), usage.cpu});
      read.memory.push_back({text_of(container, "name"), usage.memory});
    });
  });
  if (const auto value = fields.integer("value_milli")) answer.values_milli.push_back(*value);
  const std::vector<Node>& values = fields.list("values_milli");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].kind == Node::Kind::integer) {
      answer.values_milli.push_back(values[i].integer);
    } else {
      Fields(values[i], fields, "values_milli", i)
          .problem("", cat("is ", values[i].describe(), "; must be a whole number"));
    }
  }
  return answer;
}

bool is_memory(const hpa::MetricSpec& metric) { return metric.name == "memory"; }

}  // namespace

void read_scale(const Fields& fields, HpaScale& scale) {
  fields.only({"spec_replicas", "status_replicas", "selector"});
  scale.spec_replicas = fields.int32("spec_replicas").value_or(scale.spec_replicas);
  scale.status_replicas = fields.int32("status_replicas").value_or(scale.status_replicas);
  if (const std::string* selector = fields.text("selector")) scale.selector = *selector;
}

hpa::Status read_scenario_status(const Fields& fields) {
  fields.only({"current_replicas", "desired_replicas", "last_scale_time_s", "current_metrics", "conditions"});
  hpa::Status status;
  status.current_replicas = fields.int32("current_replicas").value_or(0);
  status.desired_replicas = fields.int32("desired_replicas").value_or(0);
  status.last_scale_time = time_of(fields, "last_scale_time_s");
  for_each_object(fields, "current_metrics", [&](const Fields& metric) {
    status.current_metrics.push_back(
        {true, metric.int32("utilization"), metric.integer("average_value_milli"), metric.integer("value_milli")});
    hpa::MetricStatus& read = status.current_metrics.back();
    read.is_set = read.utilization || read.average_value_milli || read.value_milli;
  });
  const std::vector<Node>& conditions = fields.list("conditions");
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const Fields of_condition(conditions[i], fields, "conditions", i);
    const std::vector<Node>& parts = conditions[i].items;
    const bool is_whole = parts.size() == 4 && parts[3].kind == Node::Kind::integer;
    hpa::Condition condition;
    bool is_known = false;
    for (const auto type :
         {hpa::ConditionType::able_to_scale, hpa::ConditionType::scaling_active, hpa::ConditionType::scaling_limited}) {
      if (!is_whole || hpa::name_of(type) != parts[0].text) continue;
      condition.type = type;
      is_known = true;
    }
    if (!is_known) {
      of_condition.problem("", "must be [type, status, reason, transition_s]");
      continue;
    }
    for (const auto value : {hpa::ConditionStatus::no, hpa::ConditionStatus::yes}) {
      if (hpa::name_of(value) == parts[1].text) condition.status = value;
    }
    condition.reason = hpa::reason_of(parts[2].text);
    condition.last_transition = TimePoint(std::chrono::seconds(parts[3].integer));
    condition.detail.is_known = false;
    status.conditions.push_back(condition);
  }
  return status;
}

hpa::Memory read_memory(const Fields& fields) {
  hpa::Memory memory;
  if (fields.has("recommendations")) {
    memory.recommendations.emplace();
    for_each_object(fields, "recommendations", [&](const Fields& item) {
      memory.recommendations->push_back(
          {item.int32("replicas").value_or(0), time_of(item, "time_s").value_or(TimePoint{})});
    });
  }
  const auto read_events = [&](std::string_view key, std::vector<hpa::ScaleEvent>& events) {
    for_each_object(fields, key, [&](const Fields& item) {
      events.push_back({item.int32("change").value_or(0), time_of(item, "time_s").value_or(TimePoint{}),
                        item.boolean("outdated").value_or(false)});
    });
  };
  read_events("scale_up_events", memory.scale_up_events);
  read_events("scale_down_events", memory.scale_down_events);
  return memory;
}

hpa::ControllerSettings read_controller(const Fields& fields) {
  fields.only({"tolerance", "downscale_stabilization_s", "cpu_initialization_period_s", "initial_readiness_delay_s",
               "configurable_tolerance", "pod_level_resources", "legacy_scale_up_factor"});
  hpa::ControllerSettings settings;
  const auto duration = [&](std::string_view key, Duration otherwise) {
    const auto seconds = fields.integer(key, 0, kMostSeconds);
    return seconds ? Duration(std::chrono::seconds(*seconds)) : otherwise;
  };
  settings.tolerance = fields.number("tolerance").value_or(settings.tolerance);
  settings.downscale_stabilization = duration("downscale_stabilization_s", settings.downscale_stabilization);
  settings.cpu_initialization_period = duration("cpu_initialization_period_s", settings.cpu_initialization_period);
  settings.initial_readiness_delay = duration("initial_readiness_delay_s", settings.initial_readiness_delay);
  settings.configurable_tolerance = fields.boolean("configurable_tolerance").value_or(true);
  settings.pod_level_resources = fields.boolean("pod_level_resources").value_or(true);
  settings.legacy_scale_up_factor = fields.number("legacy_scale_up_factor").value_or(settings.legacy_scale_up_factor);
  return settings;
}

std::vector<HpaPod> read_pods(const Fields& parent, std::string_view key) {
  std::vector<HpaPod> pods;
  for_each_object(parent, key, [&](const Fields& pod) { pods.push_back(read_pod(pod)); });
  return pods;
}

std::vector<HpaAnswer> read_answers(const Fields& parent, std::string_view key, TimePoint now) {
  std::vector<HpaAnswer> answers;
  for_each_object(parent, key, [&](const Fields& answer) { answers.push_back(read_answer(answer, now)); });
  return answers;
}

std::vector<HpaOther> read_other_hpas(const Fields& parent, std::string_view key) {
  std::vector<HpaOther> others;
  for_each_object(parent, key, [&](const Fields& other) {
    others.push_back({text_of(other, "namespace"), text_of(other, "name"), text_of(other, "selector")});
  });
  return others;
}

PreparedSync::PreparedSync(const hpa::Spec& spec, const hpa::ControllerSettings& settings,
                           const std::string& namespace_name, const HpaScale& scale, const std::vector<HpaPod>& pods,
                           const std::vector<HpaAnswer>& answers, const std::vector<HpaOther>& others, TimePoint now) {
  const auto own = hpa::Selector::parse(scale.selector);
  std::vector<const HpaPod*> chosen;
  std::vector<hpa::Labels> labels;
  std::map<std::string_view, int> place_of;
  for (const HpaPod& pod : pods) {
    const bool is_here = pod.namespace_name.empty() || pod.namespace_name == namespace_name;
    if (!is_here || !own || !own->matches(pod.labels)) continue;
    place_of.emplace(pod.name, static_cast<int>(chosen.size()));
    chosen.push_back(&pod);
    labels.push_back(pod.labels);
    pods_.push_back(pod.pod);
    pod_names.push_back(pod.name);
  }
  std::vector<hpa::Selector> registered;
  for (const HpaOther& other : others) {
    if (other.namespace_name != namespace_name || other.selector.empty()) continue;
    if (auto selector = hpa::Selector::parse(other.selector)) registered.push_back(*std::move(selector));
  }

  samples_.reserve(spec.metrics.size());
  numbers_.reserve(spec.metrics.size());
  for (std::size_t i = 0; i < spec.metrics.size(); ++i) {
    add_answer(spec.metrics[i], settings, i < answers.size() ? &answers[i] : nullptr, chosen, place_of);
  }
  input.now = now;
  input.spec_replicas = scale.spec_replicas;
  input.status_replicas = scale.status_replicas;
  input.selector = hpa::selector_state(scale.selector, labels, registered);
  input.pods = pods_;
  input.answers = answers_;
}

void PreparedSync::add_answer(const hpa::MetricSpec& metric, const hpa::ControllerSettings& settings,
                              const HpaAnswer* answer, const std::vector<const HpaPod*>& chosen,
                              const std::map<std::string_view, int>& place_of) {
  hpa::MetricAnswer prepared;
  std::vector<hpa::PodSample>& samples = samples_.emplace_back();
  std::vector<std::int64_t>& numbers = numbers_.emplace_back();
  const bool is_total = metric.type == hpa::MetricType::object || metric.type == hpa::MetricType::external;
  prepared.failed =
      answer == nullptr || answer->failed || (is_total ? answer->values_milli.empty() : answer->pods.empty());
  if (answer != nullptr && is_total) {
    numbers = answer->values_milli;
    prepared.values = numbers;
  }
  if (answer != nullptr && !is_total) {
    std::map<std::string_view, std::size_t> sample_of;  // by name: an item for a pod seen again replaces the first
    for (const HpaAnswer::PodItem& item : answer->pods) {
      std::optional<std::int64_t> value = item.value_milli;
      if (metric.type != hpa::MetricType::pods)
        value = hpa::usage_milli(is_memory(metric) ? item.memory : item.cpu, metric.container);
      if (!value) continue;
      const auto place = place_of.find(item.pod);
      const hpa::PodSample sample{place == place_of.end() ? hpa::kUnlistedPod : place->second, *value, item.timestamp,
                                  item.window};
      const auto [known, is_new] = sample_of.emplace(item.pod, samples.size());
      if (is_new) {
        samples.push_back(sample);
      } else {
        samples[known->second] = sample;
      }
    }
    prepared.samples = samples;
    for (const HpaPod* pod : chosen) {
      const auto request = hpa::request_milli(is_memory(metric) ? pod->memory : pod->cpu, metric.container,
                                              settings.pod_level_resources);
      numbers.push_back(request.value_or(hpa::kNoRequest));
    }
    prepared.requests = numbers;
  }
  answers_.push_back(prepared);
}

}  // namespace mpca::config
