#include "config/predictive_autoscaler.h"

#include <algorithm>

#include "config/calendar_file.h"
#include "config/document.h"
#include "config/hpa_object.h"
#include "config/internal/autoscaler_fields.h"
#include "config/policy_text.h"
#include "core/os/time_zone.h"
#include "core/text.h"
#include "policy/hpa/hpa_settings.h"

namespace mpca::config {
namespace {

using internal::find_policy;
using internal::find_setting;
using internal::kDefaultPolicy;
using internal::kModes;
using internal::kPolicyFields;
using internal::kPolicyGroups;
using internal::kTakenSettings;
using internal::kWorkloadFields;
using internal::PolicyField;
using internal::setting_text;
using internal::TakenSetting;
using internal::WorkloadField;

constexpr std::int64_t kHighestPort = 65535, kPrometheusPort = 9090;

std::string text_or(const Fields& fields, std::string_view key, std::string_view otherwise) {
  const std::string* text = fields.text(key);
  return text != nullptr ? *text : std::string(otherwise);
}

std::string required_text(const Fields& fields, std::string_view key) {
  const Node* node = fields.node().find(key);
  if (node == nullptr) fields.problem(key, "is missing");
  if (node != nullptr && node->kind == Node::Kind::text && node->text.empty()) fields.problem(key, "is empty");
  return text_or(fields, key, "");
}

/// The policy's text, a setting at a time. What is at its default is left out, so that an object means the same before
/// and after the API server has filled in defaults.
class PolicyText {
 public:
  explicit PolicyText(const policy::PolicyKind& kind) : kind_(kind), infos_(kind.settings()) {}

  std::string_view policy() const { return kind_.name; }
  const std::vector<SettingInfo>& infos() const { return infos_; }
  const SettingInfo* find(std::string_view setting) const { return find_setting(infos_, setting); }
  void set(std::string_view setting, std::string_view value) {
    const SettingInfo* info = find(setting);
    if (info == nullptr || value != info->default_text) add(cat(setting, "=", value));
  }
  /// `key=value,…`
  void add(std::string_view settings) { settings_ += cat(settings_.empty() ? "" : ",", settings); }
  std::string text() const { return settings_.empty() ? std::string(kind_.name) : cat(kind_.name, ":", settings_); }

 private:
  const policy::PolicyKind& kind_;
  std::vector<SettingInfo> infos_;
  std::string settings_;
};

void read_metadata(const Fields& metadata, AutoscalerObject& object) {
  object.name = required_text(metadata, "name");
  object.namespace_name = text_or(metadata, "namespace", "");
  object.uid = text_or(metadata, "uid", "");
  object.resource_version = text_or(metadata, "resourceVersion", "");
  object.generation = metadata.integer("generation").value_or(0);
  object.is_deleted = metadata.has("deletionTimestamp");
  if (const Node* node = metadata.object("annotations"))
    object.is_paused = text_or(Fields(*node, metadata, "annotations"), kPausedAnnotation, "") == "true";
}

void read_target(const Fields& spec, AutoscalerObject& object) {
  const Node* node = spec.object("scaleTargetRef");
  if (node == nullptr) {
    if (!spec.has("scaleTargetRef")) spec.problem("scaleTargetRef", "is missing");
    return;
  }
  const Fields target(*node, spec, "scaleTargetRef");
  target.only({"apiVersion", "kind", "name"});
  object.target_api_version = text_or(target, "apiVersion", object.target_api_version);
  object.target_kind = required_text(target, "kind");
  object.target_name = required_text(target, "name");
}

void read_mode(const Fields& spec, AutoscalerObject& object) {
  const std::string* text = spec.text("mode");
  if (text == nullptr) return;
  const auto* mode = std::ranges::find(kModes, std::string_view(*text), name_of);
  if (mode == std::end(kModes)) {
    spec.problem("mode", cat("is \"", *text, "\"; must be Off, Recommend, Shadow or Auto"));
  } else {
    object.mode = *mode;
  }
}

void read_workload(const Fields& spec, policy::Workload& workload) {
  const std::size_t problems_before = spec.problem_count();
  const SettingsTable table = policy::settings_of(workload);
  for (const WorkloadField& field : kWorkloadFields) {
    const auto setting = std::ranges::find(table, field.setting, &Setting::name);
    MPCA_CHECK(setting != table.end(), "no such setting of a workload");
    if (field.is_required && !spec.has(field.key)) spec.problem(field.key, "is missing");
    const auto text = setting_text(spec, field.key, internal::info_of(field, table));
    if (!text) continue;
    if (const auto done = setting->set(*text); !done) spec.problem(field.key, done.error().message);
  }
  if (spec.problem_count() == problems_before && workload.max_replicas < workload.min_replicas)
    spec.problem("maxReplicas",
                 cat("is ", workload.max_replicas, "; must be >= minReplicas, which is ", workload.min_replicas));
}

std::optional<os::TimeZone> read_time_zone(const Fields& spec, AutoscalerObject& object) {
  object.time_zone = text_or(spec, "timeZone", object.time_zone);
  const auto zone = os::find_time_zone(object.time_zone);
  if (zone) return *zone;
  spec.problem("timeZone", cat("is ", zone.error().message));
  return std::nullopt;
}

/// One of kPolicyGroups.
void read_group(const Fields& spec, std::string_view group, PolicyText& policy) {
  const Node* node = spec.object(group);
  if (node == nullptr) return;
  const Fields fields(*node, spec, group);
  std::vector<std::string_view> keys;
  for (const PolicyField& field : kPolicyFields) {
    if (field.group != group) continue;
    keys.push_back(field.key);
    if (!fields.has(field.key)) continue;
    const SettingInfo* info = policy.find(field.setting);
    if (info == nullptr) {
      fields.problem(field.key, cat("is no setting of the policy ", policy.policy()));
    } else if (const auto text = setting_text(fields, field.key, *info)) {
      policy.set(field.setting, *text);
    }
  }
  fields.only(keys);
}

void check_objective(const Fields& spec) {
  const Node* node = spec.object("objective");
  if (node == nullptr || node->find("latePrice") == nullptr || node->find("lateShare") == nullptr) return;
  Fields(*node, spec, "objective").problem("lateShare", "is there beside latePrice; give one of them");
}

void read_inline_calendar(const Fields& spec, const std::optional<os::TimeZone>& zone, PolicyText& policy) {
  const Node* node = spec.object("calendar");
  if (node == nullptr) return;
  const Fields fields(*node, spec, "calendar");
  fields.only({"events", "alike"});
  if (policy.find("calendar") == nullptr) {
    spec.problem("calendar", cat("is no setting of the policy ", policy.policy()));
    return;
  }
  policy.set("calendar", read_calendar(fields, zone ? &*zone : nullptr).text());
}

/// `metrics` and `behavior` are an HPA's, with the bounds of this object. nullopt: not given, or refused.
std::optional<std::string> read_own_hpa(const Fields& root, const Fields& spec, const policy::Workload& workload) {
  if (!spec.has("metrics")) {
    if (spec.has("behavior")) spec.problem("behavior", "is that of an HPA; give its metrics, too");
    return std::nullopt;
  }
  const auto bound = [](std::string_view key, std::int64_t value) {
    Node node;
    node.kind = Node::Kind::integer;
    node.integer = value;
    return Node::Member{std::string(key), std::move(node)};
  };
  Node own;
  own.kind = Node::Kind::object;
  // Bounds of its own have been checked; an HPA of 0 is another matter than a workload of 0.
  own.members = {bound("minReplicas", 1), bound("maxReplicas", INT32_MAX)};
  for (const std::string_view key : {"metrics", "behavior"})
    if (const Node* node = spec.node().find(key)) own.members.push_back({std::string(key), *node});
  const std::size_t problems_before = spec.problem_count();
  hpa::Spec hpa = read_hpa_spec(Fields(own, root, "spec"), HpaChecks::as_api_server);
  if (spec.problem_count() > problems_before) return std::nullopt;
  hpa.min_replicas = workload.min_replicas;
  hpa.max_replicas = workload.max_replicas;
  constexpr std::string_view kWhere = "";
  const auto text = policy::hpa_settings_text(hpa, kWhere);
  if (text) return *text;
  for (const std::string_view line : split(text.error().message, '\n')) root.problem("", line.substr(2));
  return std::nullopt;
}

void set_own_hpa(const Fields& spec, const std::string& hpa_settings, PolicyText& policy) {
  if (policy.policy() == "hpa") {
    policy.add(hpa_settings);
  } else if (policy.find("hpa") != nullptr) {
    policy.set("hpa", own_hpa_setting(hpa_settings));
  } else {
    spec.problem("metrics", cat("is no setting of the policy ", policy.policy()));
  }
}

/// The field that stands for a setting; empty: none does.
std::string field_of(std::string_view setting) {
  for (const PolicyField& field : kPolicyFields)
    if (field.setting == setting) return cat("spec.", field.group, ".", field.key);
  for (const TakenSetting& taken : kTakenSettings)
    if (taken.setting == setting) return std::string(taken.field);
  return {};
}

void read_settings(const Fields& settings, PolicyText& policy) {
  std::vector<std::string_view> known;
  for (const SettingInfo& info : policy.infos()) known.push_back(info.name);
  for (const auto& [key, value] : settings.node().members) {
    const std::string field = policy.policy() == kDefaultPolicy ? field_of(key) : std::string();
    if (policy.find(key) == nullptr) {
      settings.problem(key, cat("is no setting of the policy ", policy.policy(), did_you_mean(key, known)));
    } else if (!field.empty()) {
      settings.problem(key, cat("has a field of its own, ", field));
    } else if (const std::string* text = settings.text(key)) {
      if (text->find_first_of(",@") != std::string::npos)
        settings.problem(key, cat("is \"", *text, "\"; must be without , and @: lists are written with ; between, and ",
                                  "files are not read"));
      policy.set(key, *text);
    }
  }
}

const policy::PolicyKind& read_policy_name(const Fields* fields) {
  const std::string name = fields != nullptr ? text_or(*fields, "name", kDefaultPolicy) : std::string(kDefaultPolicy);
  const policy::PolicyKind* kind = find_policy(name);
  if (kind != nullptr) return *kind;
  std::vector<std::string_view> known;
  for (const policy::PolicyKind& each : policy::policy_kinds()) known.push_back(each.name);
  fields->problem("name", cat("is \"", name, "\"; no such policy", did_you_mean(name, known)));
  return *find_policy(kDefaultPolicy);
}

void read_policy(const Fields& root, const Fields& spec, std::string_view where, AutoscalerObject& object) {
  const std::size_t problems_before = spec.problem_count();
  const auto zone = read_time_zone(spec, object);
  std::optional<Fields> fields;
  if (const Node* node = spec.object("policy")) fields.emplace(*node, spec, "policy");
  PolicyText policy(read_policy_name(fields ? &*fields : nullptr));
  for (const std::string_view group : kPolicyGroups) read_group(spec, group, policy);
  check_objective(spec);
  read_inline_calendar(spec, zone, policy);
  if (const auto own = read_own_hpa(root, spec, object.workload)) set_own_hpa(spec, *own, policy);
  // A policy that looks at ages has one idea of old with its load.
  if (policy.find("stale-after") != nullptr) policy.set("stale-after", format_duration(object.load.stale_after));
  if (fields) {
    fields->only({"name", "settings"});
    if (const Node* node = fields->object("settings")) read_settings(Fields(*node, *fields, "settings"), policy);
  }
  object.policy = policy.text();
  if (spec.problem_count() > problems_before || policy::validate(object.workload).has_value() == false) return;
  const auto tried = policy::create_policy(object.policy, object.workload, cat(where, ": spec.policy"));
  if (!tried)
    for (const std::string_view line : split(tried.error().message, '\n'))
      root.problem("", line.substr(std::min(line.size(), where.size() + 2)));
}

/// `scheme://host[:port][/path]`: no user and password, which everyone who may read the object would see.
bool is_plain_url(std::string_view url) {
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  return scheme != 0 && url.size() > scheme && url.find_first_of("@ ?#", scheme) == std::string_view::npos;
}

PrometheusSource read_prometheus(const Fields& fields, std::string_view own_namespace) {
  fields.only({"url", "service", "job", "queries"});
  PrometheusSource source;
  source.url = text_or(fields, "url", "");
  if (fields.has("url") == fields.has("service"))
    fields.problem("service",
                   fields.has("url") ? "is there beside url; give one of them" : "is missing; give it or url");
  if (fields.text("url") != nullptr && !is_plain_url(source.url))
    fields.problem("url", cat("is \"", source.url.find('@') == std::string::npos ? source.url : "...@...",
                              "\"; must be http:// or https:// with a host, and no user, password or query"));
  if (const Node* node = fields.object("service")) {
    const Fields service(*node, fields, "service");
    service.only({"name", "namespace", "port"});
    const auto port = service.integer("port", 1, kHighestPort);
    source.service = cat(required_text(service, "name"), ":", port.value_or(kPrometheusPort));
    source.service_namespace = text_or(service, "namespace", own_namespace);
  }
  source.job = text_or(fields, "job", "");
  if (const Node* node = fields.object("queries")) {
    const Fields queries(*node, fields, "queries");
    queries.only({"servedRate", "failedRate", "inFlight", "cpuCores", "readyPods"});
    source.served_rate = required_text(queries, "servedRate");
    source.failed_rate = text_or(queries, "failedRate", "");
    source.in_flight = text_or(queries, "inFlight", "");
    source.cpu_cores = text_or(queries, "cpuCores", "");
    source.ready_pods = text_or(queries, "readyPods", "");
  }
  return source;
}

void read_table(const Fields& fields, const SettingsTable& table, std::vector<std::string_view> others) {
  for (const Setting& setting : table) {
    others.push_back(setting.name());
    const auto text = setting_text(fields, setting.name(), setting.info());
    if (!text) continue;
    if (const auto done = setting.set(*text); !done) fields.problem(setting.name(), done.error().message);
  }
  fields.only(others);
}

ScrapeSource read_scrape(const Fields& fields) {
  ScrapeSource source;
  const SettingsTable table = internal::settings_of(source);
  read_table(fields, table, {"requestLabels"});
  if (source.requests.empty()) fields.problem("requests", "is empty; must be a counter's name");
  if (!source.path.starts_with('/')) fields.problem("path", cat("is \"", source.path, "\"; must begin with /"));
  if (const Node* node = fields.object("requestLabels")) {
    const Fields labels(*node, fields, "requestLabels");
    for (const auto& [key, value] : node->members)
      if (const std::string* text = labels.text(key)) source.request_labels.emplace_back(key, *text);
  }
  return source;
}

void read_load(const Fields& spec, AutoscalerObject& object) {
  const Node* node = spec.object("load");
  if (node == nullptr) {
    if (!spec.has("load")) spec.problem("load", "is missing; give load.prometheus or load.scrape");
    return;
  }
  const Fields fields(*node, spec, "load");
  read_table(fields, internal::settings_of(object.load), {"prometheus", "scrape"});
  if (fields.has("prometheus") == fields.has("scrape"))
    fields.problem("scrape", fields.has("scrape") ? "is there beside prometheus; give one of them"
                                                  : "is missing; give it or prometheus");
  if (const Node* prometheus = fields.object("prometheus"))
    object.load.prometheus = read_prometheus(Fields(*prometheus, fields, "prometheus"), object.namespace_name);
  if (const Node* scrape = fields.object("scrape")) object.load.scrape = read_scrape(Fields(*scrape, fields, "scrape"));
}

void read_spec(const Fields& root, const Fields& spec, std::string_view where, AutoscalerObject& object) {
  spec.only({"scaleTargetRef", "mode", "minReplicas", "maxReplicas", "capacityPerReplica", "targetUtilization",
             "period", "objective", "readiness", "fallback", "timeZone", "calendar", "metrics", "behavior", "policy",
             "load"});
  read_target(spec, object);
  read_mode(spec, object);
  read_workload(spec, object.workload);
  read_load(spec, object);
  read_policy(root, spec, where, object);
}

void check_type(const Fields& root, std::string_view key, std::string_view wanted) {
  const std::string text = required_text(root, key);
  if (!text.empty() && text != wanted) root.problem(key, cat("is \"", text, "\"; must be ", wanted));
}

AutoscalerObject read_object(const Fields& root, std::string_view where) {
  root.only({"apiVersion", "kind", "metadata", "spec", "status"});
  check_type(root, "apiVersion", kAutoscalerApiVersion);
  check_type(root, "kind", kAutoscalerKind);
  AutoscalerObject object;
  if (const Node* metadata = root.object("metadata")) {
    read_metadata(Fields(*metadata, root, "metadata"), object);
  } else if (!root.has("metadata")) {
    root.problem("metadata", "is missing");
  }
  if (const Node* spec = root.object("spec")) {
    read_spec(root, Fields(*spec, root, "spec"), where, object);
  } else if (!root.has("spec")) {
    root.problem("spec", "is missing");
  }
  if (const Node* status = root.object("status"); status != nullptr && !status->members.empty())
    object.status = json_text(*status);
  return object;
}

/// The documents' PredictiveAutoscalers; lists are looked into.
void find_objects(const Node& node, std::vector<const Node*>& found) {
  const Node* kind = node.find("kind");
  if (kind != nullptr && kind->text == kAutoscalerKind) found.push_back(&node);
  const Node* items = node.find("items");
  if (kind == nullptr || items == nullptr || !kind->text.ends_with("List")) return;
  for (const Node& item : items->items) find_objects(item, found);
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::off:
      return "Off";
    case Mode::recommend:
      return "Recommend";
    case Mode::shadow:
      return "Shadow";
    case Mode::automatic:
      break;
  }
  return "Auto";
}

Result<std::vector<AutoscalerObject>> parse_autoscalers(std::string_view text, std::string_view where) {
  const auto documents = parse_yaml(text);
  if (!documents) return invalid(cat(where, ": ", documents.error().message));
  std::vector<const Node*> found;
  for (const Node& document : *documents) find_objects(document, found);
  Problems problems;
  std::vector<AutoscalerObject> objects;
  for (const Node* node : found) objects.push_back(read_object(Fields(*node, problems, where), where));
  MPCA_TRY_VOID(problems.to_result());
  return objects;
}

Result<AutoscalerObject> parse_autoscaler(std::string_view text, std::string_view where) {
  MPCA_TRY(std::vector<AutoscalerObject> objects, parse_autoscalers(text, where));
  if (objects.size() == 1) return std::move(objects.front());
  return invalid(objects.empty() ? cat(where, ": holds no ", kAutoscalerKind)
                                 : cat(where, ": holds ", objects.size(), " ", kAutoscalerKind, "s; must be one"));
}

}  // namespace mpca::config
