#include "kube/pods.h"

#include <gtest/gtest.h>

#include "support/fake_api_server.h"

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPod = R"({
 "metadata": {"name": "web-1", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-11-24T15:00:00Z",
              "labels": {"app": "web"}},
 "spec": {
  "containers": [
   {"name": "main", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}},
    "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}]},
   {"name": "side", "resources": {"requests": {"cpu": 1}}},
   {"name": "none"}],
  "initContainers": [{"name": "first", "resources": {"requests": {"cpu": "2"}}},
                     {"name": "proxy", "restartPolicy": "Always"}],
  "overhead": {"cpu": "10m"}},
 "status": {"phase": "Running", "startTime": "2026-11-24T15:00:02Z", "podIP": "10.1.0.7",
  "conditions": [{"type": "Initialized", "status": "True"},
                 {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-24T15:00:09Z"}]}
})";

TEST(Pods, HaveTheirTimesReadinessPortsAndRequests) {
  const auto pod = parse_pod(kPod);
  ASSERT_TRUE(pod.has_value());
  EXPECT_EQ(pod->namespace_name, "shop");
  EXPECT_EQ(pod->name, "web-1");
  EXPECT_EQ(pod->uid, "u1");
  EXPECT_EQ(pod->phase, hpa::PodPhase::running);
  EXPECT_EQ(seconds_since_epoch(*pod->created), 1795532400);
  EXPECT_EQ(*pod->started - *pod->created, 2s);
  EXPECT_EQ(pod->readiness, hpa::Readiness::not_ready);
  EXPECT_EQ(*pod->ready_changed - *pod->created, 9s);
  EXPECT_FALSE(pod->deleted.has_value());
  EXPECT_EQ(pod->ip, "10.1.0.7");
  ASSERT_EQ(pod->ports.size(), 2u);
  EXPECT_EQ(pod->ports[0].name, "http");
  EXPECT_EQ(pod->ports[1].number, 9090);
  ASSERT_EQ(pod->cpu.containers.size(), 3u);
  EXPECT_EQ(pod->cpu.containers[0].milli, 250);
  EXPECT_EQ(pod->cpu.containers[1].milli, 1000);
  EXPECT_EQ(pod->cpu.containers[2].milli, std::nullopt);
  EXPECT_EQ(pod->cpu.init_containers[0].milli, 2000);
  EXPECT_TRUE(pod->cpu.init_containers[1].restarts_always);
  EXPECT_EQ(pod->cpu.overhead_milli, 10);
  EXPECT_FALSE(pod->cpu.has_pod_level);
}

TEST(Pods, ThatNobodyHasStartedYetAreWithoutTimesAndNotReady) {
  const auto pod = parse_pod(R"({"metadata":{"name":"new"},"status":{"phase":"Pending"}})");
  ASSERT_TRUE(pod.has_value());
  EXPECT_EQ(pod->phase, hpa::PodPhase::pending);
  EXPECT_EQ(pod->readiness, hpa::Readiness::no_condition);
  EXPECT_FALSE(pod->started.has_value());
  EXPECT_EQ(pod->ip, "");
}

TEST(Pods, OfAnyOtherShapeDoNoHarm) {
  for (const char* bad : {"", "7", "[]", R"({"metadata":7})", R"({"metadata":{"name":""}})"})
    EXPECT_FALSE(parse_pod(bad).has_value()) << bad;
  EXPECT_TRUE(parse_pod(R"({"metadata":{"name":"a","creationTimestamp":"soon"},"spec":{"containers":{"a":1},
      "initContainers":"x"},"status":{"conditions":[7,{"type":"Ready"}]}})"));
  EXPECT_FALSE(parse_pod(R"({"metadata":{"name":"a"},"x":)" + std::string(100'000, '[')).has_value());
}

TEST(Pods, OfASelectorAreListed) {
  test::FakeApiServer server;
  RateLimit limit(1000, 1000);
  VirtualClock clock;
  Client client(server.connection(), {.list_limit = 1}, limit, clock, RandomStream(1, "pods"));
  server.put_object("/api/v1/namespaces/shop/pods/web-1", kPod);
  server.put_object("/api/v1/namespaces/shop/pods/web-2", kPod);
  server.put_object("/api/v1/namespaces/shop/pods/other", "{}");
  const auto pods = list_pods(client, "shop", "app=web");
  ASSERT_TRUE(pods.has_value()) << pods.error().message;
  ASSERT_EQ(pods->size(), 2u);
  EXPECT_EQ(pods->at(1).name, "web-2");
}

}  // namespace
}  // namespace mpca::kube
