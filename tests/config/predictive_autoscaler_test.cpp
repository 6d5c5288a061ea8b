#include "config/predictive_autoscaler.h"

#include <gtest/gtest.h>

#include "config/document.h"
#include "config/internal/autoscaler_fields.h"
#include "core/os/file.h"
#include "core/text.h"

namespace mpca::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLeast = R"(apiVersion: autoscaling.mpc.dev/v1alpha1
kind: PredictiveAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {kind: Deployment, name: web}
  maxReplicas: 20
  capacityPerReplica: 25
  load: {scrape: {}}
)";

/// kLeast with lines of the spec after it.
std::string with(std::string_view lines) { return cat(kLeast, lines); }

std::string message_of(const Result<AutoscalerObject>& object) {
  return object ? "it was accepted: " + object->policy : object.error().message;
}

TEST(PredictiveAutoscaler, WhatIsNotSaidIsTheTablesDefault) {
  const auto object = parse_autoscaler(kLeast, "f");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->name, "web");
  EXPECT_EQ(object->namespace_name, "shop");
  EXPECT_EQ(object->target_api_version, "apps/v1");
  EXPECT_EQ(object->target_kind, "Deployment");
  EXPECT_EQ(object->target_name, "web");
  EXPECT_EQ(object->mode, Mode::recommend);
  EXPECT_FALSE(object->is_paused);
  EXPECT_FALSE(object->is_deleted);
  policy::Workload workload;
  workload.max_replicas = 20;
  EXPECT_EQ(object->workload, workload);
  EXPECT_EQ(object->policy, "predictive");
  EXPECT_EQ(object->time_zone, "UTC");
  LoadSource load;
  load.scrape = ScrapeSource{};
  EXPECT_EQ(object->load, load);
  EXPECT_EQ(object->status, "");
}

TEST(PredictiveAutoscaler, EachFieldOfThePredictivePartIsASettingOfThePolicy) {
  const auto object = parse_autoscaler(with(R"(
  mode: Auto
  minReplicas: 3
  targetUtilization: 0.5
  period: 1m
  objective: {lateShare: 0.01, latencyTarget: 400ms}
  readiness: {lag: 1m30s, lagSpread: 0.4}
  fallback: {replicas: 8, blindAfter: 180s}
  policy: {settings: {dead-band: "0.08", learn-capacity: "false"}}
)"),
                                       "f");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->mode, Mode::automatic);
  EXPECT_EQ(object->workload.min_replicas, 3);
  EXPECT_EQ(object->workload.target_utilization, 0.5);
  EXPECT_EQ(object->workload.period, 1min);
  EXPECT_EQ(object->policy,
            "predictive:late-share=0.01,latency-target=400ms,readiness-lag=1m30s,readiness-lag-spread=0.4,"
            "fallback-replicas=8,blind-after=3m,dead-band=0.08,learn-capacity=false");
}

TEST(PredictiveAutoscaler, ADefaultThatTheApiServerHasFilledInIsNotAnotherPolicy) {
  EXPECT_EQ(message_of(parse_autoscaler(with("  objective: {latencyTarget: 250ms, latePrice: 10.0}\n"), "f")),
            "it was accepted: predictive");
}

// Berlin is an hour ahead of UTC in winter.
TEST(PredictiveAutoscaler, TheCalendarIsInLocalTime) {
  EXPECT_EQ(
      message_of(parse_autoscaler(with(R"(
  timeZone: Europe/Berlin
  calendar:
    events: [{name: sale, start: 2026-11-27T08:00, end: 2026-11-27T22:00, factor: 3}]
    alike: [{name: may, days: [2026-05-01], like: sunday}]
)"),
                                  "f")),
      "it was accepted: predictive:calendar=sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;may=sunday:2026-05-01");
}

constexpr std::string_view kHpa = R"(
  minReplicas: 2
  metrics:
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}
  behavior: {scaleDown: {stabilizationWindowSeconds: 120}}
)";

TEST(PredictiveAutoscaler, MetricsAreTheOwnHpaThatCompetes) {
  EXPECT_EQ(message_of(parse_autoscaler(with(kHpa), "f")),
            "it was accepted: predictive:hpa=metrics=cpu:60%+min=2+max=20+down-window=120s");
}

TEST(PredictiveAutoscaler, MetricsAreThePolicyHpaItself) {
  EXPECT_EQ(
      message_of(parse_autoscaler(with(cat(kHpa, "  policy: {name: hpa, settings: {tolerance: \"0.2\"}}\n")), "f")),
      "it was accepted: hpa:metrics=cpu:60%,min=2,max=20,down-window=120s,tolerance=0.2");
}

// Who has set zero meant it and is left alone: a decision for zero would be the last one.
TEST(PredictiveAutoscaler, NothingIsScaledToZero) {
  std::string text = with(kHpa);
  text.replace(text.find("minReplicas: 2"), 14, "minReplicas: 0");
  const std::string message = message_of(parse_autoscaler(text, "f"));
  EXPECT_NE(message.find("minReplicas is 0; must be a whole number >= 1"), std::string::npos) << message;
}

TEST(PredictiveAutoscaler, WhatIsStaleForTheLoadIsStaleForThePolicy) {
  std::string text(kLeast);
  text.replace(text.find("{scrape: {}}"), 12, "{scrape: {}, rateWindow: 30s, staleAfter: 45s}");
  const auto object = parse_autoscaler(text, "f");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->load.rate_window, 30s);
  EXPECT_EQ(object->load.stale_after, 45s);
  EXPECT_EQ(object->policy, "predictive:stale-after=45s");
}

TEST(PredictiveAutoscaler, APrometheusIsAskedByUrlOrThroughTheApiServer) {
  std::string text(kLeast);
  text.replace(text.find("{scrape: {}}"), 12,
               "{prometheus: {service: {name: prometheus}, queries: {servedRate: 'sum(rate(x[1m]))', cpuCores: c}}}");
  const auto object = parse_autoscaler(text, "f");
  ASSERT_TRUE(object) << object.error().message;
  PrometheusSource source;
  source.service = "prometheus:9090";
  source.service_namespace = "shop";  // the object's
  source.served_rate = "sum(rate(x[1m]))";
  source.cpu_cores = "c";
  EXPECT_EQ(object->load.prometheus, source);
}

TEST(PredictiveAutoscaler, PodsAreScrapedAsTheObjectSays) {
  std::string text(kLeast);
  text.replace(text.find("{scrape: {}}"), 12,
               "{scrape: {port: 9100, requests: http_requests_total, requestLabels: {handler: web}, inFlight: \"\"}}");
  const auto object = parse_autoscaler(text, "f");
  ASSERT_TRUE(object) << object.error().message;
  ScrapeSource source;
  source.port = 9100;
  source.requests = "http_requests_total";
  source.request_labels = {{"handler", "web"}};
  source.in_flight = "";
  EXPECT_EQ(object->load.scrape, source);
}

TEST(PredictiveAutoscaler, AnObjectOfTheApiServerHasItsIdentityPauseAndStatus) {
  const auto object = parse_autoscaler(
      R"({"apiVersion":"autoscaling.mpc.dev/v1alpha1","kind":"PredictiveAutoscaler","metadata":{"name":"web",)"
      R"("namespace":"shop","uid":"u1","resourceVersion":"77","generation":3,"managedFields":[{"manager":"kubectl"}],)"
      R"("annotations":{"autoscaling.mpc.dev/paused":"true"},"deletionTimestamp":"2026-05-01T10:00:00Z"},)"
      R"("spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"StatefulSet","name":"db"},"maxReplicas":5,)"
      R"("capacityPerReplica":2.5,"load":{"scrape":{}}},"status":{"desiredReplicas":4,"demandRps":0.5}})",
      "shop/web");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->uid, "u1");
  EXPECT_EQ(object->resource_version, "77");
  EXPECT_EQ(object->generation, 3);
  EXPECT_TRUE(object->is_paused);
  EXPECT_TRUE(object->is_deleted);
  EXPECT_EQ(object->target_kind, "StatefulSet");
  EXPECT_EQ(object->status, R"({"desiredReplicas":4,"demandRps":0.5})");
}

// kubectl apply of a manifest to a kube-apiserver 1.35 with deploy/crd.yaml, and kubectl get -o json.
TEST(PredictiveAutoscaler, AStoredObjectWithItsDefaultsFilledInIsReadAsItsManifest) {
  constexpr std::size_t kLargest = 1U << 20;
  const auto manifest = os::read_file(MPCA_TEST_DATA "/autoscaler/full.yaml", kLargest).value();
  const auto stored = os::read_file(MPCA_TEST_DATA "/autoscaler/full-stored.json", kLargest).value();
  const auto written = parse_autoscaler(manifest, "f"), read = parse_autoscaler(stored, "f");
  ASSERT_TRUE(written && read) << message_of(written) << message_of(read);
  EXPECT_EQ(read->policy, written->policy);
  EXPECT_EQ(read->workload, written->workload);
  EXPECT_EQ(read->load, written->load);
  EXPECT_EQ(read->mode, Mode::automatic);
  EXPECT_EQ(read->generation, 1);
  EXPECT_EQ(read->policy,
            "predictive:late-share=0.01,latency-target=400ms,readiness-lag=1m30s,readiness-lag-spread=0.4,"
            "fallback-replicas=8,blind-after=3m,"
            "calendar=sale@2026-11-27T07:00:00Z/2026-11-27T21:00:00Z*3;may=sunday:2026-05-01,"
            "hpa=metrics=cpu:60%;pods/served-rate:500m+min=1+max=20+down-window=120s+down-policies=percent:10/60s+"
            "down-tolerance=0.2,stale-after=45s,dead-band=0.08");
}

TEST(PredictiveAutoscaler, EveryProblemIsNamedWithItsField) {
  const auto object = parse_autoscaler(R"(apiVersion: autoscaling.mpc.dev/v1
kind: PredictiveAutoscaler
metadata: {}
spec:
  scaleTargetRef: {kind: "", nam: web}
  mode: auto
  minReplicas: -1
  targetUtilization: 1.5
  period: 15
  objectiv: {}
  objective: {latePrice: 0, lateShare: 0.01, latencyTarget: fast}
  readiness: {lag: 2h}
  fallback: {replicas: 2.5}
  timeZone: Berlin
  calendar: {events: [{name: a, start: 2026-11-27T08:00, end: 2026-11-27T22:00}]}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization}}}]
  policy: {name: predictive, settings: {late-price: "5", dead-bend: "1", dead-band: 0.1, prior: "@secret"}}
  load: {prometheus: {url: "http://me:pw@prometheus", job: 5}, scrape: {port: 0, path: metrics}, staleAfter: 0s}
)",
                                       "f.yaml");
  ASSERT_FALSE(object);
  EXPECT_EQ(
      object.error().message,
      "f.yaml: apiVersion is \"autoscaling.mpc.dev/v1\"; must be autoscaling.mpc.dev/v1alpha1\n"
      "f.yaml: metadata.name is missing\n"
      "f.yaml: spec.objectiv is not a field of this object (did you mean \"objective\"?)\n"
      "f.yaml: spec.scaleTargetRef.nam is not a field of this object (did you mean \"name\"?)\n"
      "f.yaml: spec.scaleTargetRef.kind is empty\n"
      "f.yaml: spec.scaleTargetRef.name is missing\n"
      "f.yaml: spec.mode is \"auto\"; must be Off, Recommend, Shadow or Auto\n"
      "f.yaml: spec.minReplicas is -1; must be a whole number >= 1 and <= 1000000\n"
      "f.yaml: spec.maxReplicas is missing\n"
      "f.yaml: spec.capacityPerReplica is missing\n"
      "f.yaml: spec.targetUtilization is 1.5; must be > 0 and <= 1\n"
      "f.yaml: spec.period is 15; must be a duration such as 45s or 1m30s, > 0s\n"
      "f.yaml: spec.load.staleAfter is \"0s\"; must be a duration such as 45s or 1m30s, > 0s\n"
      "f.yaml: spec.load.scrape is there beside prometheus; give one of them\n"
      "f.yaml: spec.load.prometheus.url is \"...@...\"; must be http:// or https:// with a host, and no user, password "
      "or query\n"
      "f.yaml: spec.load.prometheus.job is 5; must be a text\n"
      "f.yaml: spec.load.scrape.port is 0; must be a whole number >= 1 and <= 65535\n"
      "f.yaml: spec.load.scrape.path is \"metrics\"; must begin with /\n"
      "f.yaml: spec.timeZone is \"Berlin\"; must be a time zone's name such as Europe/Berlin or UTC\n"
      "f.yaml: spec.objective.latePrice is 0; must be >= 0.1 and <= 10000\n"
      "f.yaml: spec.objective.latencyTarget is \"fast\"; must be a duration such as 45s or 1m30s, > 0s\n"
      "f.yaml: spec.readiness.lag is \"2h\"; must be a duration such as 45s or 1m30s, >= 1s, <= 1h\n"
      "f.yaml: spec.fallback.replicas is 2.5; must be a whole number >= 0 and <= 1000000\n"
      "f.yaml: spec.objective.lateShare is there beside latePrice; give one of them\n"
      "f.yaml: spec.calendar.events[0].factor is missing; give it or demandRps\n"
      "f.yaml: spec.metrics[0].resource.target.averageUtilization is missing; give it or averageValue\n"
      "f.yaml: spec.policy.settings.late-price has a field of its own, spec.objective.latePrice\n"
      "f.yaml: spec.policy.settings.dead-bend is no setting of the policy predictive (did you mean \"dead-band\"?)\n"
      "f.yaml: spec.policy.settings.dead-band is 0.1; must be a text\n"
      "f.yaml: spec.policy.settings.prior is \"@secret\"; must be without , and @: lists are written with ; between, "
      "and "
      "files are not read");
}

struct Refused {
  std::string_view lines;
  std::string_view message;
};
class APredictiveAutoscaler : public testing::TestWithParam<Refused> {};

TEST_P(APredictiveAutoscaler, IsRefusedWithTheReason) {
  EXPECT_EQ(message_of(parse_autoscaler(with(GetParam().lines), "f")), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    PredictiveAutoscaler, APredictiveAutoscaler,
    testing::Values(
        Refused{"  minReplicas: 21\n", "f: spec.maxReplicas is 20; must be >= minReplicas, which is 21"},
        Refused{"  behavior: {}\n", "f: spec.behavior is that of an HPA; give its metrics, too"},
        Refused{"  policy: {name: predictiv}\n",
                "f: spec.policy.name is \"predictiv\"; no such policy (did you mean \"predictive\"?)"},
        Refused{"  policy: {name: static}\n  objective: {latePrice: 5}\n",
                "f: spec.objective.latePrice is no setting of the policy static"},
        Refused{"  policy: {settings: {dead-band: \"0.9\"}}\n",
                "f: spec.policy predictive: dead-band is \"0.9\"; must be >= 0 and <= 0.5"},
        Refused{
            "  metrics: [{type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: "
            "60}}}]\n",
            "f: spec.metrics[0].resource.name is \"memory\"; worlds show the resource cpu and, as Pods, External or "
            "Object metrics, served-rate, failed-rate, offered-rate, in-flight and cpu"},
        Refused{"  calendar: {events: [{name: a, start: 2026-11-27T08:00, end: 2026-11-27T07:00, factor: 2}]}\n",
                "f: spec.calendar event \"a\" ends at 2026-11-27T07:00:00Z; must be after its start, "
                "2026-11-27T08:00:00Z"}));

TEST(PredictiveAutoscaler, OthersInTheFileAreLeftAloneAndListsAreLookedInto) {
  EXPECT_EQ(message_of(parse_autoscaler("kind: Service\n", "f")), "f: holds no PredictiveAutoscaler");
  const std::string two = cat("kind: Deployment\n---\n", kLeast, "---\n", kLeast);
  EXPECT_EQ(parse_autoscalers(two, "f").value().size(), 2U);
  EXPECT_EQ(message_of(parse_autoscaler(two, "f")), "f: holds 2 PredictiveAutoscalers; must be one");
  const std::string list =
      cat("kind: List\nitems:\n- apiVersion: autoscaling.mpc.dev/v1alpha1\n  kind: "
          "PredictiveAutoscaler\n  metadata: {name: a}\n  spec: {scaleTargetRef: {kind: "
          "Deployment, name: a}, maxReplicas: 3, capacityPerReplica: 1, load: {scrape: {}}}\n");
  EXPECT_EQ(parse_autoscaler(list, "f").value().name, "a");
}

AutoscalerObject stored_object() {
  AutoscalerObject object;
  object.name = "web";
  object.namespace_name = "shop";
  object.uid = "u1";
  return object;
}

AutoscalerStatus full_status() {
  const TimePoint noon = at_seconds(1'777'629'600);  // 2026-05-01T10:00:00Z
  AutoscalerStatus status;
  status.observed_generation = 3;
  status.current_replicas = 4;
  status.ready_replicas = 3;
  status.desired_replicas = 6;
  status.demand_rps = 81.25;
  status.last_decision = noon + 15s;
  status.last_scale = noon + 15s + 250us;
  status.decision = "6 replicas: \"demand\" may reach 120 rps within 1m";
  status.forecast = {{.lead_time = 75s, .level = 0.95, .demand_rps = 120.5}};
  status.readiness_lag_s = 42.5;
  status.capacity_rps = 24.0;
  status.shadow = ShadowStatus{.since = noon,
                               .replica_hours = 10.5,
                               .would_be_replica_hours = 8.25,
                               .late_share = 0.01,
                               .would_be_late_share = 0.0};
  status.conditions = {
      {.type = "Ready", .status = ConditionStatus::yes, .reason = "Understood", .message = "", .last_transition = noon},
      {.type = "Acting",
       .status = ConditionStatus::no,
       .reason = "DryRun",
       .message = "the controller runs without --apply",
       .last_transition = noon - 24h},
      {.type = "ScalingActive",
       .status = ConditionStatus::unknown,
       .reason = "",
       .message = "",
       .last_transition = noon}};
  return status;
}

std::string status_of_body(const std::string& body) { return json_text(*parse_json(body).value().find("status")); }

TEST(PredictiveAutoscalerStatus, IsReadBackAsItWasWrittenWithItsTransitionTimes) {
  const std::string body = status_apply_body(stored_object(), full_status());
  const auto read = parse_status(status_of_body(body));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, full_status());
  EXPECT_EQ(parse_status(status_of_body(status_apply_body(stored_object(), {}))).value(), AutoscalerStatus{});
  EXPECT_EQ(parse_status("{}").value(), AutoscalerStatus{});
}

TEST(PredictiveAutoscalerStatus, IsAppliedToThisVeryObjectAndToNothingElse) {
  AutoscalerStatus status;
  status.current_replicas = 2;
  status.demand_rps = std::numeric_limits<double>::quiet_NaN();  // JSON has none: left out
  status.conditions = {
      {.type = "Ready", .status = ConditionStatus::yes, .reason = "R", .message = "m\xff", .last_transition = {}}};
  EXPECT_EQ(status_apply_body(stored_object(), status),
            R"({"apiVersion":"autoscaling.mpc.dev/v1alpha1","kind":"PredictiveAutoscaler",)"
            R"("metadata":{"name":"web","namespace":"shop","uid":"u1"},"status":{"observedGeneration":0,)"
            R"("currentReplicas":2,"readyReplicas":0,"desiredReplicas":0,"conditions":[{"type":"Ready",)"
            R"("status":"True","reason":"R","message":"m)"
            "\xEF\xBF\xBD"
            R"(","lastTransitionTime":"1970-01-01T00:00:00Z"}]}})");
}

TEST(PredictiveAutoscalerStatus, EveryFieldThatIsWrittenIsInTheSchema) {
  const Node manifest = parse_yaml(crd_manifest()).value().at(0);
  const Node* schema = manifest.find("spec")->find("versions")->items[0].find("schema")->find("openAPIV3Schema");
  const auto check = [](auto&& self, const Node& value, const Node& of, const std::string& path) -> void {
    if (value.kind == Node::Kind::list) {
      for (const Node& item : value.items) self(self, item, *of.find("items"), path + "[]");
      return;
    }
    for (const auto& [key, member] : value.members) {
      const Node* known = of.find("properties")->find(key);
      ASSERT_NE(known, nullptr) << path << "." << key;
      self(self, member, *known, path + "." + key);
    }
  };
  const Node status = parse_json(status_of_body(status_apply_body(stored_object(), full_status()))).value();
  check(check, status, *schema->find("properties")->find("status"), "status");
}

TEST(PredictiveAutoscalerStatus, WhatIsNoStatusIsRefusedWithItsFields) {
  EXPECT_EQ(parse_status("[]").error().message, "status is a list; must be an object");
  EXPECT_EQ(
      parse_status(R"({"currentReplicas":"4","forecast":[{"leadTime":"soon"}],)"
                   R"("conditions":[{"type":"Ready","lastTransitionTime":"noon"}]})")
          .error()
          .message,
      "status: currentReplicas is \"4\"; must be a whole number\n"
      "status: forecast[0].leadTime is \"soon\" is not a duration; use a number with a unit, such as 45s, 1m30s or "
      "150ms\n"
      "status: conditions[0].lastTransitionTime is \"noon\"; must be a time such as 2026-05-01T10:00:00Z");
}

TEST(CustomResourceDefinition, IsWhatDeployHolds) {
  // Not EXPECT_EQ, which would print both.
  EXPECT_TRUE(os::read_file(MPCA_SOURCE_DIR "/deploy/crd.yaml", 1U << 20).value() == crd_manifest())
      << "mpc-autoscaler crd > deploy/crd.yaml";
}

const Node& property(const Node& schema, std::string_view key) { return *schema.find("properties")->find(key); }

Node spec_schema() {
  const Node manifest = parse_yaml(crd_manifest()).value().at(0);
  const Node* schema = manifest.find("spec")->find("versions")->items[0].find("schema")->find("openAPIV3Schema");
  return property(*schema, "spec");
}

// Of the tables: policy/workload.cpp, plant/plant_model.cpp, policy/safety/safety_settings.cpp.
TEST(CustomResourceDefinition, HasTheDefaultsAndLimitsOfTheTables) {
  const Node spec = spec_schema();
  EXPECT_EQ(
      json_text(property(spec, "targetUtilization")),
      R"({"description":"Share of capacity that users should not see exceeded. Default: 0.7.","type":"number","minimum":0.0,)"
      R"("exclusiveMinimum":true,"maximum":1.0,"default":0.7})");
  EXPECT_EQ(
      json_text(property(spec, "minReplicas")),
      R"({"description":"Lower bound of every decision. Default: 2.","type":"integer","format":"int32","minimum":1,)"
      R"("maximum":1000000,"default":2})");
  EXPECT_EQ(property(spec, "maxReplicas").find("default"), nullptr);
  EXPECT_EQ(property(spec, "mode").find("default")->text, "Recommend");
  EXPECT_EQ(property(spec, "period").find("default")->text, "15s");
  EXPECT_EQ(property(property(spec, "readiness"), "lag").find("x-kubernetes-validations")->items[0].find("rule")->text,
            "duration(self) >= duration('1s') && duration(self) <= duration('1h')");
  EXPECT_EQ(property(property(spec, "fallback"), "replicas").find("maximum")->integer, 1'000'000);
}

// The reader and the schema take their limits from a setting's description; the policy has the places themselves.
TEST(CustomResourceDefinition, EachLimitIsThePolicys) {
  const std::vector<SettingInfo> infos = internal::find_policy("predictive")->settings();
  const auto is_accepted = [&](const SettingInfo& info, double value) {
    const std::string text = info.kind == SettingKind::duration  ? format_duration(from_seconds(value))
                             : info.kind == SettingKind::integer ? fixed(value, 0)
                                                                 : shortest(value);
    return policy::create_policy(cat("predictive:", info.name, "=", text), {}, "f").has_value();
  };
  int limits = 0;
  for (const internal::PolicyField& field : internal::kPolicyFields) {
    const SettingInfo* info = internal::find_setting(infos, field.setting);
    ASSERT_NE(info, nullptr) << field.setting;
    const Range& range = info->range;
    const double step = info->kind == SettingKind::integer ? 1.0 : 1e-9;
    for (const bool is_low : {true, false}) {
      const double limit = is_low ? range.low : range.high;
      if (!(is_low ? range.has_low() : range.has_high())) continue;
      ++limits;
      EXPECT_EQ(is_accepted(*info, limit), !(is_low ? range.low_open : range.high_open)) << field.setting;
      if (const double beyond = limit + (is_low ? -step : step); beyond >= 0.0) {
        EXPECT_FALSE(is_accepted(*info, beyond)) << field.setting;
      }
    }
  }
  EXPECT_GE(limits, 12);
}

TEST(CustomResourceDefinition, EachFieldOfTheSpecHasADescription) {
  int fields = 0;
  const auto check = [&](auto&& self, const Node& schema, const std::string& path) -> void {
    ++fields;
    const Node* description = schema.find("description");
    ASSERT_NE(description, nullptr) << path;
    EXPECT_TRUE(description->text.ends_with('.')) << path;
    if (const Node* items = schema.find("items")) self(self, *items, path + "[]");
    if (const Node* properties = schema.find("properties"))
      for (const auto& [key, value] : properties->members) self(self, value, path + "." + key);
  };
  check(check, spec_schema(), "spec");
  EXPECT_GT(fields, 80);
}

}  // namespace
}  // namespace mpca::config
