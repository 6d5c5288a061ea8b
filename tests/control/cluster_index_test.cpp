#include "control/cluster_index.h"

#include <gtest/gtest.h>

#include "control/cluster_texts.h"

namespace mpca::control {
namespace {

using Kind = kube::Change::Kind;

std::vector<std::string> names_of(const std::vector<std::shared_ptr<const kube::Pod>>& pods) {
  std::vector<std::string> names;
  for (const auto& pod : pods) names.push_back(pod->name);
  return names;
}

kube::LabelSelector selector(std::string_view text) { return kube::LabelSelector::parse(text).value(); }

TEST(ClusterIndex, FindsThePodsOfASelectorInItsNamespace) {
  ClusterIndex index;
  index.on_pod(pod_change("shop", "a", R"({"app":"web","tier":"front"})"));
  index.on_pod(pod_change("shop", "b", R"({"app":"web","tier":"back"})"));
  index.on_pod(pod_change("shop", "c", R"({"app":"other"})"));
  index.on_pod(pod_change("bank", "d", R"({"app":"web","tier":"front"})"));
  EXPECT_EQ(names_of(index.pods("shop", selector("app=web"))), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names_of(index.pods("shop", selector("app=web,tier=back"))), std::vector<std::string>{"b"});
  EXPECT_EQ(names_of(index.pods("shop", selector("app in (web,other),tier!=front"))),
            (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(index.pods("shop", selector("app=nobody")).empty());
  EXPECT_TRUE(index.pods("elsewhere", selector("app=web")).empty());
  EXPECT_EQ(index.pod_count(), 4U);
}

TEST(ClusterIndex, APodThatChangesItsLabelsOrGoesIsFoundNoMore) {
  ClusterIndex index;
  index.on_pod(pod_change("shop", "a", R"({"app":"web"})"));
  index.on_pod(pod_change("shop", "a", R"({"app":"drained"})", Kind::modified));
  EXPECT_TRUE(index.pods("shop", selector("app=web")).empty());
  EXPECT_EQ(names_of(index.pods("shop", selector("app=drained"))), std::vector<std::string>{"a"});
  index.on_pod({.kind = Kind::deleted, .namespace_name = "shop", .name = "a", .uid = "uid-a", .object = {}});
  EXPECT_TRUE(index.pods("shop", selector("app=drained")).empty());
  EXPECT_EQ(index.pod_count(), 0U);
}

TEST(ClusterIndex, KnowsTheReplicasOfATarget) {
  ClusterIndex index;
  const TargetRef web{.namespace_name = "shop", .name = "web"};
  EXPECT_FALSE(index.target(web));
  index.on_target("apps/v1", "Deployment", deployment_change("shop", "web", 3, "17"));
  ASSERT_TRUE(index.target(web));
  EXPECT_EQ(index.target(web)->spec_replicas, 3);
  EXPECT_EQ(index.target(web)->version, "17");
  EXPECT_EQ(index.target(web)->selector, kube::LabelSelector::parse("app=web"));
  EXPECT_FALSE(index.target({.kind = "StatefulSet", .namespace_name = "shop", .name = "web"}));
  index.on_target("apps/v1", "Deployment",
                  {.kind = Kind::deleted, .namespace_name = "shop", .name = "web", .uid = {}, .object = {}});
  EXPECT_FALSE(index.target(web));
}

// An HPA may name another version of the same API.
TEST(ClusterIndex, AnHpaIsFoundByItsTargetWhateverTheVersion) {
  ClusterIndex index;
  const TargetRef web{.namespace_name = "shop", .name = "web"};
  index.on_hpa(hpa_change("shop", "web-hpa", "apps/v1beta2", "web"));
  EXPECT_EQ(index.others_of(web), (std::vector<OtherAutoscaler>{{.name = "web-hpa", .owner_kind = ""}}));
  EXPECT_TRUE(index.others_of({.namespace_name = "bank", .name = "web"}).empty());
  EXPECT_TRUE(index.others_of({.kind = "StatefulSet", .namespace_name = "shop", .name = "web"}).empty());
}

TEST(ClusterIndex, AnHpaThatTurnsToAnotherTargetLeavesTheFirst) {
  ClusterIndex index;
  index.on_hpa(hpa_change("shop", "web-hpa", "apps/v1", "web"));
  index.on_hpa(hpa_change("shop", "web-hpa", "apps/v1", "api", Kind::modified));
  EXPECT_TRUE(index.others_of({.namespace_name = "shop", .name = "web"}).empty());
  EXPECT_EQ(index.others_of({.namespace_name = "shop", .name = "api"}).size(), 1U);
}

TEST(ClusterIndex, SaysWhenAnHpaIsKedas) {
  ClusterIndex index;
  kube::Change change = hpa_change("shop", "keda-hpa-web", "apps/v1", "web");
  change.object.insert(1, R"("metadata":{"ownerReferences":[{"kind":"ScaledObject","controller":true}]},)");
  index.on_hpa(change);
  const auto others = index.others_of({.namespace_name = "shop", .name = "web"});
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].owner_kind, "ScaledObject");
}

}  // namespace
}  // namespace mpca::control
