#include <cctype>
#include <nlohmann/json.hpp>

#include "config/internal/autoscaler_fields.h"
#include "config/internal/setting_schema.h"
#include "config/internal/yaml_text.h"
#include "config/predictive_autoscaler.h"
#include "core/text.h"
#include "policy/predictive/calendar.h"

namespace mpca::config {
namespace {

using internal::find_policy;
using internal::find_setting;
using internal::integer_schema;
using internal::kDefaultPolicy;
using internal::kLargestInt32;
using internal::kModes;
using internal::kPolicyFields;
using internal::kWorkloadFields;
using internal::PolicyField;
using internal::setting_default;
using internal::setting_schema;
using internal::WorkloadField;
using internal::yaml_text;
using Json = nlohmann::ordered_json;

// Of what the API server has to read in rules: it refuses a schema whose rules could take too long.
constexpr int kLongestText = 4096;

/// A table's sentence, which begins small and has no full stop, as the API's descriptions are written.
std::string sentence(std::string_view words) {
  std::string text(words);
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (!text.ends_with('.')) text += '.';
  return text;
}

Json typed(std::string_view type, std::string_view description) {
  return {{"description", sentence(description)}, {"type", type}};
}

Json text(std::string_view description) { return typed("string", description); }

Json choice(std::string_view description, const std::vector<std::string_view>& choices) {
  Json schema = text(description);
  schema["enum"] = choices;
  return schema;
}

Json number(std::string_view description) { return typed("number", description); }

Json integer(std::string_view description, double low, double high) {
  Json schema = {{"description", sentence(description)}};
  schema.update(integer_schema(Range::between(low, high)));
  return schema;
}

Json time(std::string_view description) {
  Json schema = text(description);
  schema["format"] = "date-time";
  return schema;
}

Json list(std::string_view description, Json items) {
  Json schema = typed("array", description);
  schema["items"] = std::move(items);
  return schema;
}

Json object(std::string_view description, Json properties, const std::vector<std::string_view>& required = {}) {
  Json schema = typed("object", description);
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json texts_by_name(std::string_view description) {
  Json schema = typed("object", description);
  schema["additionalProperties"] = {{"type", "string"}};
  return schema;
}

Json rule(std::string_view expression, std::string_view message, std::string_view field = {}) {
  Json rule = {{"rule", expression}, {"message", message}};
  if (!field.empty()) rule["fieldPath"] = field;
  return rule;
}

Json with_rules(Json schema, std::initializer_list<Json> rules) {
  Json& all = schema["x-kubernetes-validations"] = Json::array();
  for (const Json& each : rules) all.push_back(each);
  return schema;
}

/// A number or text such as 250m or 100Mi.
Json quantity(std::string_view description) {
  return {{"description", sentence(description)},
          {"anyOf", {{{"type", "integer"}}, {{"type", "string"}}}},
          {"x-kubernetes-int-or-string", true}};
}

/// kubectl explain shows no defaults: the description says them.
enum class Default { none, only_said, filled_in };

/// A field that is a setting.
Json setting_of(const SettingInfo& info, std::string_view words, Default default_kind) {
  std::string description = sentence(words.empty() ? std::string_view(info.sentence) : words);
  if (default_kind != Default::none)
    description += cat(" Default: ", info.default_text.empty() ? "\"\"" : info.default_text, ".");
  Json schema = {{"description", std::move(description)}};
  schema.update(setting_schema(info));
  if (default_kind == Default::filled_in) schema["default"] = setting_default(info);
  return schema;
}

Json scale_target() {
  Json schema = object("What is scaled: a Deployment, a StatefulSet, or anything else with a scale subresource",
                       {{"apiVersion", text("Of the target. Default: apps/v1")},
                        {"kind", text("Of the target, such as Deployment")},
                        {"name", text("Of the target, in the namespace of this object")}},
                       {"kind", "name"});
  schema["properties"]["apiVersion"]["default"] = AutoscalerObject{}.target_api_version;
  for (const char* key : {"kind", "name"}) schema["properties"][key]["minLength"] = 1;
  return schema;
}

Json mode() {
  std::vector<std::string_view> names;
  for (const Mode each : kModes) names.push_back(name_of(each));
  Json schema = choice(
      "What decisions are for. Off: the workload is not looked at. Recommend: decisions are made and said in status, "
      "nothing is written to the target. Shadow: that, with books of what it would have cost beside whoever is in "
      "charge. Auto: the target's replicas are set, when the controller runs with --apply. Default: Recommend",
      names);
  schema["default"] = name_of(AutoscalerObject{}.mode);
  return schema;
}

/// spec.GROUP. Without a default of its own, so that only what is given counts as a setting of the policy.
Json group(std::string_view name, std::string_view description) {
  const std::vector<SettingInfo> infos = find_policy(kDefaultPolicy)->settings();
  Json properties = Json::object();
  for (const PolicyField& field : kPolicyFields) {
    if (field.group != name) continue;
    const SettingInfo* info = find_setting(infos, field.setting);
    MPCA_CHECK(info != nullptr, "no such setting of the default policy");
    properties[std::string(field.key)] = setting_of(*info, field.sentence, Default::only_said);
  }
  return object(description, std::move(properties));
}

Json objective() {
  return with_rules(
      group("objective", "What is balanced: replicas against requests that are late or fail"),
      {rule("!(has(self.latePrice) && has(self.lateShare))", "give latePrice or lateShare, not both", ".lateShare")});
}

Json local_time(std::string_view description) {
  Json schema = text(description);
  schema["pattern"] = R"(^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$)";
  return schema;
}

Json calendar_name(std::string_view description) {
  Json schema = text(description);
  schema["pattern"] = "^[A-Za-z0-9 ._-]+$";
  schema["maxLength"] = policy::Calendar::kLongestName;
  return schema;
}

Json calendar() {
  using policy::Calendar;
  Json factor = number("Demand is so many times the usual");
  factor["minimum"] = Calendar::kLeastFactor;
  factor["maximum"] = Calendar::kGreatestFactor;
  Json demand = number("Demand is at least so many requests per second");
  demand["minimum"] = 0;
  demand["maximum"] = Calendar::kGreatestDemandRps;
  Json events = list("Of known length. Where they overlap, factors multiply and the greatest demandRps counts",
                     with_rules(object("Known to come: its effect is there before it begins",
                                       {{"name", calendar_name("For people")},
                                        {"start", local_time("Local time in timeZone, such as 2026-11-27T08:00")},
                                        {"end", local_time("The same; when it is over")},
                                        {"factor", std::move(factor)},
                                        {"demandRps", std::move(demand)}},
                                       {"name", "start", "end"}),
                                {rule("has(self.factor) != has(self.demandRps)", "give factor or demandRps")}));
  events["maxItems"] = Calendar::kMostEvents;
  Json day = text("A date such as 2026-12-25");
  day["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
  Json days = list("Local dates", std::move(day));
  days["minItems"] = 1;
  Json weekdays = text("They are like this day of the week; without it, only like each other");
  weekdays["enum"] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
  Json alike =
      list("Days that are like each other and not like their day of the week",
           object("A kind of day",
                  {{"name", calendar_name("For people")}, {"days", std::move(days)}, {"like", std::move(weekdays)}},
                  {"name", "days"}));
  return object("Known events and holidays", {{"events", std::move(events)}, {"alike", std::move(alike)}});
}

Json selector() {
  Json expression = object("All of key, operator and values",
                           {{"key", text("Of the label")},
                            {"operator", text("In, NotIn, Exists or DoesNotExist")},
                            {"values", list("Of the label", text("One of them"))}},
                           {"key", "operator"});
  return object("Of the metric's labels", {{"matchLabels", texts_by_name("Equal to these")},
                                           {"matchExpressions", list("All of them", std::move(expression))}});
}

Json metric_target() {
  return object("What the metric is held at",
                {{"type", choice("Which of the fields below is meant", {"Utilization", "Value", "AverageValue"})},
                 {"averageUtilization", integer("Percent of what pods request, mean over pods", 1, kLargestInt32)},
                 {"averageValue", quantity("Per pod")},
                 {"value", quantity("Of all together")}},
                {"type"});
}

Json metric_source(std::string_view description, Json properties, std::vector<std::string_view> required) {
  properties["target"] = metric_target();
  required.push_back("target");
  return object(description, std::move(properties), required);
}

Json metrics() {
  const Json identifier = object("Which metric", {{"name", text("Of the metric")}, {"selector", selector()}}, {"name"});
  const Json described =
      object("What the metric describes",
             {{"apiVersion", text("Of the object")}, {"kind", text("Of the object")}, {"name", text("Of the object")}},
             {"kind", "name"});
  Json metric = object(
      "As in autoscaling/v2",
      {{"type",
        choice("Which of the fields below is meant", {"Resource", "ContainerResource", "Pods", "Object", "External"})},
       {"resource", metric_source("CPU of pods", {{"name", text("cpu")}}, {"name"})},
       {"containerResource",
        metric_source("CPU of one container of pods", {{"name", text("cpu")}, {"container", text("Its name")}},
                      {"name", "container"})},
       {"pods", metric_source("A metric of each pod", {{"metric", identifier}}, {"metric"})},
       {"object", metric_source("A metric of another object", {{"describedObject", described}, {"metric", identifier}},
                                {"describedObject", "metric"})},
       {"external", metric_source("A metric from elsewhere", {{"metric", identifier}}, {"metric"})}},
      {"type"});
  Json all = list(
      "Those of the workload's HorizontalPodAutoscaler, if it has one: what that would do becomes one of the "
      "candidates "
      "that compete (with the policy hpa: what is done). Resources: cpu. Other metrics: served-rate, failed-rate, "
      "offered-rate, in-flight and cpu, which are known by the load",
      std::move(metric));
  all["x-kubernetes-list-type"] = "atomic";
  return all;
}

Json scaling_rules(std::string_view description) {
  Json step = object("At most so much within so long",
                     {{"type", choice("Of value", {"Pods", "Percent"})},
                      {"value", integer("The greatest change", 1, kLargestInt32)},
                      {"periodSeconds", integer("Within so many seconds", 1, 1800)}},
                     {"type", "value", "periodSeconds"});
  Json steps = list("Limits of the speed", std::move(step));
  steps["x-kubernetes-list-type"] = "atomic";
  steps["minItems"] = 1;
  return object(description,
                {{"stabilizationWindowSeconds", integer("Past recommendations that count", 0, 3600)},
                 {"selectPolicy", choice("Which of the policies counts", {"Max", "Min", "Disabled"})},
                 {"policies", std::move(steps)},
                 {"tolerance", quantity("Relative distance from the target that changes nothing, such as 0.1")}});
}

Json behavior() {
  return object(
      "Those of the HorizontalPodAutoscaler whose metrics are given, as in autoscaling/v2. What limits this "
      "controller is in policy.settings: max-up-pods, max-up-share, max-down-share",
      {{"scaleUp", scaling_rules("Of more replicas")}, {"scaleDown", scaling_rules("Of fewer replicas")}});
}

Json policy_choice() {
  std::vector<std::string_view> names;
  std::string sentences;
  for (const policy::PolicyKind& kind : policy::policy_kinds()) {
    names.push_back(kind.name);
    sentences += cat(sentences.empty() ? "" : ". ", kind.name, ": ", kind.sentence);
  }
  Json name = choice(cat("Its name. ", sentences), names);
  name["default"] = kDefaultPolicy;
  return object("Who decides", {{"name", std::move(name)},
                                {"settings", texts_by_name("Any other of its settings, as `mpc-autoscaler policies` "
                                                           "lists them, such as dead-band: \"0.08\"")}});
}

Json prometheus() {
  Json url = text("One of those that the controller runs with (--prom-url), such as http://prometheus.monitoring:9090");
  url["pattern"] = "^https?://[^@ ?#]+$";
  Json port = integer("Of the service. Default: 9090", 1, 65535);
  port["default"] = 9090;
  Json service = object("Asked through the API server; the controller needs services/proxy get in its namespace",
                        {{"name", text("Of the service")},
                         {"namespace", text("Of the service; without it, this object's")},
                         {"port", std::move(port)}},
                        {"name"});
  Json queries = object("PromQL, each with one sum over the workload's pods as its answer",
                        {{"servedRate", text("Requests per second that were answered")},
                         {"failedRate", text("Requests per second that failed")},
                         {"inFlight", text("Requests that are in the pods now")},
                         {"cpuCores", text("CPU used, in cores")},
                         {"readyPods", text("Of how many pods the answers are the sum")}},
                        {"servedRate"});
  for (auto& [key, query] : queries["properties"].items()) query["maxLength"] = kLongestText;
  return with_rules(
      object("Asked at each decision",
             {{"url", std::move(url)},
              {"service", std::move(service)},
              {"job", text("Label job of the workload's series, for the queries of the reference lab, which are asked "
                           "where no others are given; without it, the target's name")},
              {"queries", std::move(queries)}}),
      {rule("has(self.url) != has(self.service)", "give url or service")});
}

Json scrape() {
  ScrapeSource source;
  Json properties = Json::object();
  for (const Setting& setting : internal::settings_of(source))
    properties[setting.name()] = setting_of(setting.info(), "", Default::filled_in);
  properties["path"]["pattern"] = "^/";
  properties["requests"]["minLength"] = 1;
  properties["requestLabels"] = texts_by_name("Labels that samples of requests have to have");
  return object("The pods' own metrics, asked directly: seconds old instead of half a minute", std::move(properties));
}

Json load() {
  LoadSource source;
  Json properties = {{"prometheus", prometheus()}, {"scrape", scrape()}};
  for (const Setting& setting : internal::settings_of(source))
    properties[setting.name()] = setting_of(setting.info(), "", Default::filled_in);
  return with_rules(object("Where the workload's load is read", std::move(properties)),
                    {rule("has(self.prometheus) != has(self.scrape)", "give prometheus or scrape")});
}

Json spec() {
  policy::Workload workload;
  const SettingsTable of_workload = policy::settings_of(workload);
  Json properties = {{"scaleTargetRef", scale_target()}, {"mode", mode()}};
  std::vector<std::string_view> required = {"scaleTargetRef"};
  for (const WorkloadField& field : kWorkloadFields) {
    properties[std::string(field.key)] = setting_of(internal::info_of(field, of_workload), field.sentence,
                                                    field.is_required ? Default::none : Default::filled_in);
    if (field.is_required) required.push_back(field.key);
  }
  properties["load"] = load();
  required.push_back("load");
  properties["objective"] = objective();
  properties["readiness"] = group("readiness", "What is known about starts before any was seen");
  properties["fallback"] = group("fallback", "What is done when the load is not known");
  properties["timeZone"] = text("Of the workload's days and of the calendar, such as Europe/Berlin. Default: UTC");
  properties["timeZone"]["default"] = AutoscalerObject{}.time_zone;
  properties["calendar"] = calendar();
  properties["metrics"] = metrics();
  properties["behavior"] = behavior();
  properties["policy"] = policy_choice();
  return with_rules(object("What is wanted", std::move(properties), required),
                    {rule("self.maxReplicas >= self.minReplicas", "must be >= minReplicas", ".maxReplicas"),
                     rule("!has(self.behavior) || has(self.metrics)",
                          "behavior is that of an HPA; give its metrics, too", ".behavior")});
}

Json conditions() {
  Json condition = object(
      "An aspect of how things are",
      {{"type", text("Ready: the object was understood. Acting: decisions are carried out. AbleToScale, ScalingActive, "
                     "ScalingLimited: as of a HorizontalPodAutoscaler")},
       {"status", choice("Whether it is so", {"True", "False", "Unknown"})},
       {"reason", text("Why, in a word")},
       {"message", text("Why, for people")},
       {"lastTransitionTime", time("When status changed last")}},
      {"type", "status"});
  Json all = list("In the words of the HorizontalPodAutoscaler where they mean the same", std::move(condition));
  all["x-kubernetes-list-type"] = "map";
  all["x-kubernetes-list-map-keys"] = {"type"};
  return all;
}

Json status() {
  Json forecast = list("Demand that is planned for",
                       object("So far ahead", {{"leadTime", text("From the decision")},
                                               {"level", number("Demand stays below with this probability")},
                                               {"demandRps", number("Requests per second")}}));
  forecast["x-kubernetes-list-type"] = "atomic";
  Json learned = object("What was learned about the workload",
                        {{"readinessLagSeconds", number("From asking for a pod until it is Ready, mean")},
                         {"capacityPerReplica", number("Requests per second that one ready replica serves")}});
  Json shadow = object("Books of mode Shadow", {{"since", time("When they were opened")},
                                                {"replicaHours", number("Of whoever is in charge")},
                                                {"wouldBeReplicaHours", number("Of this controller")},
                                                {"lateShare", number("Share of demand that was served late")},
                                                {"wouldBeLateShare", number("Share that would have been")}});
  return object("What is, and what was decided. Written by the controller",
                {{"observedGeneration", integer("Of the spec that this is about", -1e300, 9e18)},
                 {"currentReplicas", integer("Asked for in the target", -1e300, kLargestInt32)},
                 {"readyReplicas", integer("Ready now", -1e300, kLargestInt32)},
                 {"desiredReplicas", integer("Decided last", -1e300, kLargestInt32)},
                 {"demandRps", number("Requests per second that users send")},
                 {"lastDecisionTime", time("Of the decision below")},
                 {"lastScaleTime", time("When the target's replicas were set last")},
                 {"decision", text("The last one, in a sentence")},
                 {"forecast", std::move(forecast)},
                 {"learned", std::move(learned)},
                 {"shadow", std::move(shadow)},
                 {"conditions", conditions()}});
}

Json column(std::string_view name, std::string_view type, std::string_view path, std::string_view description = {},
            int priority = 0) {
  Json column = {{"name", name}, {"type", type}, {"jsonPath", path}};
  if (!description.empty()) column["description"] = description;
  if (priority > 0) column["priority"] = priority;
  return column;
}

Json columns() {
  return {column("Reference", "string", ".spec.scaleTargetRef.name", "what is scaled"),
          column("Mode", "string", ".spec.mode"),
          column("MinPods", "integer", ".spec.minReplicas"),
          column("MaxPods", "integer", ".spec.maxReplicas"),
          column("Replicas", "integer", ".status.currentReplicas", "asked for in the target"),
          column("Desired", "integer", ".status.desiredReplicas", "decided last"),
          column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", "the object was understood"),
          column("Acting", "string", ".status.conditions[?(@.type==\"Acting\")].status", "decisions are carried out"),
          column("Age", "date", ".metadata.creationTimestamp"),
          column("Demand", "number", ".status.demandRps", "requests per second", 1),
          column("Decision", "string", ".status.decision", "", 1)};
}

Json root_schema() {
  return object("Sets the replicas of a workload ahead of its demand. Begin with mode Recommend and read status",
                {{"apiVersion", text("Of this object")},
                 {"kind", text("Of this object")},
                 {"metadata", {{"type", "object"}}},
                 {"spec", spec()},
                 {"status", status()}},
                {"spec"});
}

std::pair<std::string, std::string> group_and_version() {
  const std::size_t slash = kAutoscalerApiVersion.find('/');
  return {std::string(kAutoscalerApiVersion.substr(0, slash)), std::string(kAutoscalerApiVersion.substr(slash + 1))};
}

}  // namespace

std::string crd_manifest() {
  const auto [group, version] = group_and_version();
  const Json served = {{"name", version},
                       {"served", true},
                       {"storage", true},
                       {"subresources", {{"status", Json::object()}}},
                       {"additionalPrinterColumns", columns()},
                       {"schema", {{"openAPIV3Schema", root_schema()}}}};
  const Json manifest = {{"apiVersion", "apiextensions.k8s.io/v1"},
                         {"kind", "CustomResourceDefinition"},
                         {"metadata", {{"name", cat(kAutoscalerResource, ".", group)}}},
                         {"spec",
                          {{"group", group},
                           {"scope", "Namespaced"},
                           {"names",
                            {{"kind", kAutoscalerKind},
                             {"listKind", cat(kAutoscalerKind, "List")},
                             {"plural", kAutoscalerResource},
                             {"singular", "predictiveautoscaler"},
                             {"shortNames", Json::array({"pa"})},
                             {"categories", Json::array({"all"})}}},
                           {"versions", Json::array({served})}}}};
  return cat("# Written by `mpc-autoscaler crd`; a test compares.\n", yaml_text(manifest));
}

}  // namespace mpca::config
