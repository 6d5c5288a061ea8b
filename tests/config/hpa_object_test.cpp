#include "config/hpa_object.h"

#include <gtest/gtest.h>

#include "config/policy_text.h"
#include "core/os/file.h"
#include "policy/policy.h"
#include "support/temporary_directory.h"

namespace mpca::config {
namespace {

const std::string kExamples = MPCA_TEST_DATA "/hpa/explain/";

TEST(HpaObject, AFileForKubectlIsRead) {
  const auto object = load_hpa_object(kExamples + "web.yaml");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->name, "web");
  EXPECT_EQ(object->namespace_name, "shop");
  EXPECT_EQ(object->target_kind, "Deployment");
  EXPECT_EQ(object->spec.min_replicas, 2);
  EXPECT_EQ(object->spec.max_replicas, 10);
  ASSERT_EQ(object->spec.metrics.size(), 1U);
  EXPECT_EQ(object->spec.metrics[0].average_utilization, 60);
  ASSERT_TRUE(object->spec.behavior);
  EXPECT_EQ(object->spec.behavior->scale_up.policies,
            (std::vector<hpa::ScalingPolicy>{{hpa::PolicyType::percent, 50, 60}}));
  EXPECT_EQ(object->spec.behavior->scale_down.stabilization_window_seconds, 120);
  EXPECT_FALSE(object->status);
}

TEST(HpaObject, WhatKubectlPrintsIsReadWithItsStatus) {
  const auto object = load_hpa_object(kExamples + "live.yaml");
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(hpa::metric_name(object->spec.metrics[1]),
            "external metric queue_depth(&LabelSelector{MatchLabels:map[string]string{queue: orders,},"
            "MatchExpressions:[]LabelSelectorRequirement{},})");
  ASSERT_TRUE(object->status);
  EXPECT_EQ(object->status->desired_replicas, 4);
  EXPECT_EQ(object->status->current_metrics[1].average_value_milli, 12'500);
  EXPECT_EQ(object->status->find(hpa::ConditionType::able_to_scale)->reason, hpa::Reason::ready_for_new_scale);
  EXPECT_EQ(seconds_since_epoch(*object->status->last_scale_time), 1'777'669'800.0);  // date -ud 2026-05-01T21:10 +%s
}

TEST(HpaObject, OneIsFoundAmongOtherDocumentsAndInAList) {
  const std::string body =
      "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
      "spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: web}}\n";
  EXPECT_TRUE(parse_hpa_object("kind: Deployment\n---\n" + body, "f"));
  EXPECT_TRUE(parse_hpa_object(R"({"kind":"List","items":[{"kind":"Service"},{"apiVersion":"autoscaling/v2",
      "kind":"HorizontalPodAutoscaler","spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"D","name":"w"}}}]})",
                               "f"));
  EXPECT_EQ(parse_hpa_object(body + "---\n" + body, "f").error().message,
            "f: holds 2 HorizontalPodAutoscalers; give a file with one");
  EXPECT_EQ(parse_hpa_object("kind: Service\n", "f").error().message,
            "f: holds no HorizontalPodAutoscaler (there is Service)");
}

TEST(HpaObject, EveryFieldThatTheApiServerRefusesIsNamedAtOnce) {
  const auto refused = parse_hpa_object(R"(
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
spec:
  scaleTargetRef: {kind: Deployment}
  minReplicas: 0
  maxReplicas: -1
  metric: []
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 0}}
    - type: Weather
    - type: External
      external: {metric: {name: ""}, target: {type: Value, value: "0", averageValue: 5}}
    - type: Pods
      pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: fast}}
    - 7
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 4000
      policies: []
      tolerance: -0.1
    scaleDown:
      selectPolicy: most
      policies: [{type: Pods, value: 0, periodSeconds: 2000}]
)",
                                        "f");
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "f: apiVersion is \"autoscaling/v1\"; must be autoscaling/v2 (kubectl get hpa.v2.autoscaling NAME -o yaml "
      "converts)\n"
      "f: spec.metric is not a field of this object (did you mean \"metrics\"?)\n"
      "f: spec.metrics[0].resource.target.averageUtilization is 0; must be >= 1\n"
      "f: spec.metrics[1].type is \"Weather\"; must be Resource, ContainerResource, Pods, Object or External\n"
      "f: spec.metrics[2].external.metric.name is empty\n"
      "f: spec.metrics[2].external.target.value is 0; must be > 0\n"
      "f: spec.metrics[2].external.target.value is there beside averageValue; give one of them\n"
      "f: spec.metrics[3].pods.target.averageValue is no quantity: \"fast\" is not a quantity; write such as 250m, "
      "1.5, 2k or 100Mi\n"
      "f: spec.metrics[4] is 7; must be an object\n"
      "f: spec.behavior.scaleUp.stabilizationWindowSeconds is 4000; must be between 0 and 3600\n"
      "f: spec.behavior.scaleUp.policies is empty; give at least one policy\n"
      "f: spec.behavior.scaleUp.tolerance is negative; must be >= 0\n"
      "f: spec.behavior.scaleDown.selectPolicy is \"most\"; must be Max, Min or Disabled\n"
      "f: spec.behavior.scaleDown.policies[0].value is 0; must be >= 1\n"
      "f: spec.behavior.scaleDown.policies[0].periodSeconds is 2000; must be between 1 and 1800\n"
      "f: spec.maxReplicas is -1; must be >= 1\n"
      "f: spec.scaleTargetRef.name is missing");
}

TEST(HpaObject, WhatIsNoYamlOrNoObjectIsRefused) {
  EXPECT_NE(parse_hpa_object("spec: [", "f").error().message.find("f: not valid YAML: line "), std::string::npos);
  // In which yaml-cpp 0.7 finds documents without end.
  EXPECT_NE(parse_hpa_object(R"(,"a":1}}],"b":[{"c":"d"}])", "f").error().message.find("f: not valid YAML: "),
            std::string::npos);
  EXPECT_FALSE(parse_hpa_object("", "f"));
  EXPECT_FALSE(parse_hpa_object("{\"spec\": 3", "f"));
  EXPECT_FALSE(parse_hpa_object("kind: HorizontalPodAutoscaler\nspec: 7\n", "f"));
  EXPECT_FALSE(parse_hpa_object(std::string(5000, '['), "f"));
}

TEST(Document, KeepsIntegersOf64BitsAndTheTextOfNumbers) {
  const auto node = parse_json(R"({"a": 9223372036854775807, "b": 0.10, "c": null, "d": "7"})");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->find("a")->integer, INT64_MAX);
  EXPECT_EQ(node->find("b")->text, "0.10");
  EXPECT_EQ(node->find("c"), nullptr);
  EXPECT_EQ(node->find("d")->kind, Node::Kind::text);
  EXPECT_NE(parse_json(R"({"a": 1, "a": 2})").error().message.find("twice"), std::string::npos);
  EXPECT_NE(parse_json(R"({"a": )").error().message.find("line 1"), std::string::npos);
  const auto yaml = parse_yaml("a: 12\nb: \"12\"\nc: yes\nd: true\ne: 1.50\n");
  ASSERT_TRUE(yaml);
  EXPECT_EQ((*yaml)[0].find("a")->integer, 12);
  EXPECT_EQ((*yaml)[0].find("b")->kind, Node::Kind::text);
  EXPECT_EQ((*yaml)[0].find("c")->text, "yes");
  EXPECT_EQ((*yaml)[0].find("d")->kind, Node::Kind::boolean);
  EXPECT_EQ((*yaml)[0].find("e")->text, "1.50");
}

TEST(PolicyText, AnObjectsFileIsWrittenOut) {
  const auto text = resolve_policy_text("hpa:@" + kExamples + "web.yaml,cpu-request=0.5");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "hpa:metrics=cpu:60%,min=2,max=10,up-policies=percent:50/60s,down-window=120s,cpu-request=0.5");
  EXPECT_TRUE(policy::create_policy(*text, {}, "test"));
  EXPECT_EQ(resolve_policy_text("reactive:target=0.7").value(), "reactive:target=0.7");
  EXPECT_EQ(resolve_policy_text("hpa:target=70").value(), "hpa:target=70");
}

TEST(PolicyText, AnObjectAsCandidateIsWrittenOutWithoutCommas) {
  const auto text = resolve_policy_text("predictive:late-price=30,hpa=@" + kExamples + "web.yaml");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text,
            "predictive:late-price=30,hpa=metrics=cpu:60%+min=2+max=10+up-policies=percent:50/60s+down-window=120s");
  EXPECT_TRUE(policy::create_policy(*text, {}, "test"));
}

TEST(PolicyText, AMetricThatNoWorldShowsIsNamed) {
  const auto refused = resolve_policy_texts({"hpa:@" + kExamples + "live.yaml", "hpa:@no-such-file.yaml"});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("live.yaml: spec.metrics[1].external.metric.name is \"queue_depth\""),
            std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("no-such-file.yaml"), std::string::npos);
}

TEST(PolicyText, AnEmptyBehaviorStaysABehavior) {
  test::TemporaryDirectory directory;
  const std::string path = directory.file("hpa.yaml");
  ASSERT_TRUE(os::write_file(path,
                             "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {maxReplicas: 3, "
                             "scaleTargetRef: {kind: D, name: w}, behavior: {}}\n"));
  EXPECT_EQ(resolve_policy_text("hpa:@" + path).value(), "hpa:metrics=cpu:80%,min=1,max=3,up-window=0s");
}

}  // namespace
}  // namespace mpca::config
