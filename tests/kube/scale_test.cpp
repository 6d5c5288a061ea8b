#include "kube/scale.h"

#include <gtest/gtest.h>

#include "support/fake_api_server.h"

namespace mpca::kube {
namespace {

constexpr const char* kShop = "/apis/shop.test/v1/namespaces/shop/baskets/big";

class ScaleTest : public testing::Test {
 protected:
  test::FakeApiServer server;
  RateLimit limit{1000, 1000};
  VirtualClock clock;
  Client client{server.connection(), {}, limit, clock, RandomStream(1, "scale")};
  ScaleTarget target{"shop.test/v1", "Basket", "shop", "big", "baskets"};
};

TEST_F(ScaleTest, ACustomResourceScalesLikeAnyOtherAndIsAskedForOnce) {
  server.make_scalable("shop.test/v1", "Basket", "baskets");
  server.put_object(kShop, R"({"spec":{"replicas":2,"selector":{"matchLabels":{"a":"b"}}},"status":{"replicas":1}})");
  Discovery discovery;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(discovery.scalable_resource(client, "shop.test/v1", "Basket").value(), "baskets");
  EXPECT_EQ(server.count("GET"), 1);
  const auto scale = get_scale(client, target);
  ASSERT_TRUE(scale.has_value()) << scale.error().message;
  EXPECT_EQ(scale->spec_replicas, 2);
  EXPECT_EQ(scale->status_replicas, 1);
  EXPECT_EQ(scale->selector, "a=b");
}

TEST_F(ScaleTest, AKindThatComesLaterIsFoundThen) {
  server.make_scalable("shop.test/v1", "Other", "others");
  Discovery discovery;
  EXPECT_FALSE(discovery.scalable_resource(client, "shop.test/v1", "Basket").has_value());
  server.make_scalable("shop.test/v1", "Basket", "baskets");
  EXPECT_TRUE(discovery.scalable_resource(client, "shop.test/v1", "Basket").has_value());
}

TEST_F(ScaleTest, TheWriteCarriesTheVersionAndZeroReplicasAreZero) {
  server.make_scalable("shop.test/v1", "Basket", "baskets");
  server.put_object(kShop, R"({"spec":{"replicas":2}})");
  const auto scale = get_scale(client, target);
  ASSERT_TRUE(patch_scale(client, target, 0, scale->resource_version).has_value());
  EXPECT_EQ(server.requests().back().body,
            R"({"metadata":{"resourceVersion":")" + scale->resource_version + R"("},"spec":{"replicas":0}})");
  EXPECT_EQ(get_scale(client, target)->spec_replicas, 0);
}

TEST_F(ScaleTest, ATargetThatHasGoneOrCannotScaleIsNotFound) {
  EXPECT_EQ(get_scale(client, target).error().failure, Failure::not_found);
  server.put_object(kShop, "{}");
  EXPECT_EQ(get_scale(client, target).error().failure, Failure::not_found);
}

TEST(ObjectPath, NamesCannotLeaveTheirSegment) {
  EXPECT_EQ(object_path("apps/v1", "shop", "deployments", "web"), "/apis/apps/v1/namespaces/shop/deployments/web");
  EXPECT_EQ(object_path("v1", "", "nodes", "a"), "/api/v1/nodes/a");
  EXPECT_EQ(object_path("v1", "a/b", "pods", "x?y"), "/api/v1/namespaces/a%2Fb/pods/x%3Fy");
}

}  // namespace
}  // namespace mpca::kube
