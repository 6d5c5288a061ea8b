#include "experiment/saved_scaling.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "experiment/objects.h"

namespace mpca::experiment {
namespace {

LiveHpa live_hpa(const std::string& object) { return {kube::parse_hpa_state(object).value(), object}; }

TEST(SavedScaling, TheConfigMapReadsBack) {
  const SavedScaling saved{
      .run = "spike/mpc-1 of 2026-11-26T12:00:00Z", .replicas = 3, .hpas = {save_hpa(live_hpa(hpa_object("web", 60)))}};
  const auto again = parse_config_map(config_map_of(saved, kWeb));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, saved);
}

TEST(SavedScaling, WhatTheServerAddsIsNotCreatedAgain) {
  const SavedHpa saved = save_hpa(live_hpa(
      R"({"metadata":{"name":"web","namespace":"shop","uid":"u1","resourceVersion":"7","generation":2,
          "creationTimestamp":"2026-11-26T12:00:00Z","managedFields":[{"manager":"kubectl"}],
          "labels":{"team":"shop"},"annotations":{"note":"ours"},
          "ownerReferences":[{"apiVersion":"v1","kind":"App","name":"shop","uid":"u9"}]},
          "spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"maxReplicas":9},
          "status":{"currentReplicas":3}})"));
  EXPECT_EQ(saved.object,
            R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"annotations":)"
            R"({"note":"ours"},"labels":{"team":"shop"},"name":"web","namespace":"shop","ownerReferences":)"
            R"([{"apiVersion":"v1","kind":"App","name":"shop","uid":"u9"}]},"spec":{"maxReplicas":9,)"
            R"("scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}})");
  EXPECT_EQ(saved.uid, "u1");
}

TEST(SavedScaling, WhatIsNoneIsRefusedWithItsName) {
  EXPECT_EQ(parse_config_map(R"({"metadata":{"name":"other"},"data":{}})").error().message,
            "ConfigMap other: has no saved.json of an experiment");
  std::string later = config_map_of({.run = "x", .replicas = 1, .hpas = {}}, kWeb);
  later.replace(later.find("\\\"version\\\": 1"), 14, "\\\"version\\\": 9");
  EXPECT_EQ(parse_config_map(later).error().message,
            "ConfigMap mpc-experiment-web: is of version 9; this program reads 1");
  EXPECT_FALSE(parse_config_map("no JSON"));
}

TEST(SavedScaling, ANameThatIsTooLongEndsInANumber) {
  const std::string name = saved_name({.namespace_name = "shop", .deployment = std::string(250, 'a')});
  EXPECT_EQ(name.size(), 253U);
  EXPECT_NE(name, saved_name({.namespace_name = "shop", .deployment = std::string(249, 'a') + "b"}));
}

TEST(SavedScaling, WhatIsToBeDoneAboutAnHpa) {
  SavedHpa saved = save_hpa(live_hpa(hpa_object("web", 60)));
  EXPECT_EQ(repair_of(saved, ""), HpaRepair::create);
  EXPECT_EQ(repair_of(saved, hpa_object("web", 60)), HpaRepair::nothing);
  EXPECT_EQ(repair_of(saved, hpa_object("web", 150)), HpaRepair::differs) << "not by us";
  saved.spec_during = spec_of(hpa_object("web", 150));
  EXPECT_EQ(repair_of(saved, hpa_object("web", 150)), HpaRepair::put_back);
  EXPECT_EQ(repair_of(saved, hpa_object("web", 150, "another-uid")), HpaRepair::differs) << "made anew by others";
  EXPECT_EQ(repair_of(saved, hpa_object("web", 90)), HpaRepair::differs);
}

TEST(SavedScaling, TheCpuTargetIsSetWhereThereIsOne) {
  const auto spec = spec_at_cpu_target(live_hpa(hpa_object("web", 60)), 150);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(*spec, spec_of(hpa_object("web", 150)));
  const auto none = spec_at_cpu_target(
      live_hpa(R"({"metadata":{"name":"web"},"spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"}}})"), 150);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "HorizontalPodAutoscaler web has no metric of CPU utilization that could be set to 150 %");
}

}  // namespace
}  // namespace mpca::experiment
