// What any API server does, fake or real.
#include <nlohmann/json.hpp>

#include "kube/api_under_test.h"
#include "kube/scale.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

class ClientSuite : public test::ApiSuite {
 protected:
  ScaleTarget target(const std::string& name) {
    return {"apps/v1", "Deployment", api_->namespace_name(), name, "deployments"};
  }
};

TEST_P(ClientSuite, AnObjectIsMadeOnceAndReadBack) {
  ASSERT_TRUE(make_deployment("once", 0).has_value());
  EXPECT_EQ(make_deployment("once", 0).error().failure, Failure::already_exists);
  const auto read = client.get(deployments("once"));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(json::parse(*read)["metadata"]["name"], "once");
  EXPECT_EQ(client.get(deployments("never")).error().failure, Failure::not_found);
  EXPECT_EQ(client.get(deployments("never")).error().reason, "NotFound");
}

TEST_P(ClientSuite, APutOfAnOldVersionIsAConflict) {
  ASSERT_TRUE(make_deployment("put", 0).has_value());
  json object = json::parse(client.get(deployments("put")).value());
  json newer = object;
  newer["metadata"]["labels"]["seen"] = "yes";
  ASSERT_TRUE(client.put(deployments("put"), newer.dump()).has_value());
  newer["metadata"]["labels"]["seen"] = "no";
  EXPECT_EQ(client.put(deployments("put"), newer.dump()).error().failure, Failure::conflict);
}

TEST_P(ClientSuite, TheScaleOfAKindIsFoundReadAndSet) {
  ASSERT_TRUE(make_deployment("web", 3).has_value());
  Discovery discovery;
  EXPECT_EQ(discovery.scalable_resource(client, "apps/v1", "Deployment").value(), "deployments");
  EXPECT_EQ(discovery.scalable_resource(client, "apps/v1", "StatefulSet").value(), "statefulsets");
  const auto before = get_scale(client, target("web"));
  ASSERT_TRUE(before.has_value()) << before.error().message;
  EXPECT_EQ(before->spec_replicas, 3);
  EXPECT_EQ(before->selector, "app=web");
  for (const int replicas : {5, 0, 1}) {
    const auto now = get_scale(client, target("web"));
    ASSERT_TRUE(now.has_value());
    const auto after = patch_scale(client, target("web"), replicas, now->resource_version);
    // A controller may have written its status in between.
    if (!after && after.error().failure == Failure::conflict) continue;
    ASSERT_TRUE(after.has_value()) << after.error().message;
    EXPECT_EQ(after->spec_replicas, replicas);
    EXPECT_EQ(get_scale(client, target("web"))->spec_replicas, replicas);
  }
}

TEST_P(ClientSuite, NoTwoScaleWritesAreBasedOnTheSameVersion) {
  ASSERT_TRUE(make_deployment("twice", 3).has_value());
  auto read = get_scale(client, target("twice"));
  auto first = patch_scale(client, target("twice"), 4, read->resource_version);
  for (int i = 0; i < 10 && !first && first.error().failure == Failure::conflict; ++i) {
    read = get_scale(client, target("twice"));
    first = patch_scale(client, target("twice"), 4, read->resource_version);
  }
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto second = patch_scale(client, target("twice"), 9, read->resource_version);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().failure, Failure::conflict);
  EXPECT_EQ(get_scale(client, target("twice"))->spec_replicas, 4);
}

TEST_P(ClientSuite, AFailedTestOfAJsonPatchIsInvalidAndNotAConflict) {
  ASSERT_TRUE(make_deployment("guard", 3).has_value());
  const auto patch = [&](int expected) {
    return client.patch(deployments("guard"), PatchKind::json,
                        R"([{"op":"test","path":"/spec/replicas","value":)" + std::to_string(expected) +
                            R"(},{"op":"replace","path":"/spec/replicas","value":7}])");
  };
  EXPECT_EQ(patch(5).error().failure, Failure::invalid);
  EXPECT_TRUE(patch(3).has_value());
}

TEST_P(ClientSuite, KindsThatAreNotThereOrCannotScaleAreToldApart) {
  Discovery discovery;
  const auto misspelt = discovery.scalable_resource(client, "apps/v1", "Deploymnt");
  EXPECT_EQ(misspelt.error().failure, Failure::not_found);
  EXPECT_TRUE(misspelt.error().message.ends_with(R"(apps/v1 has no kind Deploymnt (did you mean "Deployment"?))"))
      << misspelt.error().message;
  const auto revisions = discovery.scalable_resource(client, "apps/v1", "ControllerRevision");
  EXPECT_EQ(revisions.error().failure, Failure::invalid);
  EXPECT_EQ(discovery.scalable_resource(client, "nowhere.test/v1", "Thing").error().failure, Failure::not_found);
}

TEST_P(ClientSuite, AListHasAllOfTheSelectorAndAVersionToWatchFrom) {
  for (const char* name : {"one", "two"}) ASSERT_TRUE(make_deployment(name, 0).has_value());
  const auto list = client.list(deployments() + "?labelSelector=app%3Dtwo");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(json::parse(list->items[0])["metadata"]["name"], "two");
  EXPECT_FALSE(list->resource_version.empty());
}

TEST_P(ClientSuite, OnWishAnswersHoldTheMetadataAlone) {
  ASSERT_TRUE(make_deployment("meta", 0).has_value());
  const auto list = client.list(deployments() + "?labelSelector=app%3Dmeta", Detail::metadata);
  ASSERT_TRUE(list.has_value()) << list.error().message;
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(json::parse(list->items[0])["metadata"]["name"], "meta");
  EXPECT_FALSE(json::parse(list->items[0]).contains("spec"));
  const auto patched = client.patch(deployments("meta"), PatchKind::merge, R"({"metadata":{"labels":{"seen":"yes"}}})",
                                    Priority::normal, Detail::metadata);
  ASSERT_TRUE(patched.has_value()) << patched.error().message;
  EXPECT_EQ(json::parse(*patched)["metadata"]["labels"]["seen"], "yes");
  EXPECT_FALSE(json::parse(*patched).contains("spec"));
}

INSTANTIATE_TEST_SUITE_P(Api, ClientSuite, test::apis_under_test(), test::api_name);

}  // namespace
}  // namespace mpca::kube
