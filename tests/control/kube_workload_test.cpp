#include "control/kube_workload.h"

#include <gtest/gtest.h>

#include "core/text.h"
#include "support/fake_api_server.h"

namespace mpca::control {
namespace {

using namespace std::chrono_literals;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
const TimePoint kNow = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h);

class KubeWorkloadTest : public testing::Test {
 protected:
  KubeWorkloadTest() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    server.put_object(kWeb,
                      R"({"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}}},"status":{"replicas":3}})");
  }
  void put_pod(std::string_view name, std::string_view created, bool is_ready, std::string_view more = {},
               std::string_view phase = "Running") {
    server.put_object(
        cat("/api/v1/namespaces/shop/pods/", name),
        cat(R"({"metadata":{"labels":{"app":"web"},"uid":"uid-)", name, R"(","creationTimestamp":")", created, "\"",
            more, R"(},"status":{"phase":")", phase, R"(","conditions":[{"type":"Ready","status":")",
            is_ready ? "True" : "False", R"(","lastTransitionTime":")", created, R"("}]}})"));
  }

  test::FakeApiServer server;
  VirtualClock clock{kNow};
  kube::RateLimit limit{1000, 1000};
  kube::Client client{server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  KubeWorkload workload{{.namespace_name = "shop", .name = "web"}, client};
};

TEST_F(KubeWorkloadTest, ReadyStartingAndEndingPodsAreToldApart) {
  put_pod("a", "2026-11-26T10:00:00Z", true);
  put_pod("b", "2026-11-26T11:59:20Z", false);
  put_pod("c", "2026-11-26T11:59:50Z", false, {}, "Pending");
  put_pod("d", "2026-11-26T09:00:00Z", true, R"(,"deletionTimestamp":"2026-11-26T12:00:05Z")");
  put_pod("e", "2026-11-26T08:00:00Z", false, {}, "Failed");
  const auto view = workload.read(kNow);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->spec_replicas, 3);
  EXPECT_EQ(view->ready_replicas, 1);
  EXPECT_EQ(view->starting_pod_ages, (std::vector<Duration>{40s, 10s}));
  ASSERT_EQ(view->pods.size(), 4U) << "a failed pod is none";
  EXPECT_TRUE(view->pods[0].is_terminating) << "the oldest";
  EXPECT_TRUE(view->pods[1].is_ready);
}

TEST_F(KubeWorkloadTest, APodKeepsItsNumberAndALaterOneHasAGreater) {
  put_pod("a", "2026-11-26T10:00:00Z", true);
  put_pod("b", "2026-11-26T10:01:00Z", true);
  const auto before = workload.read(kNow);
  server.delete_object("/api/v1/namespaces/shop/pods/a");
  put_pod("c", "2026-11-26T11:00:00Z", true);
  const auto after = workload.read(kNow);
  ASSERT_EQ(after->pods.size(), 2U);
  EXPECT_EQ(after->pods[0].id, before->pods[1].id);
  EXPECT_GT(after->pods[1].id, before->pods[1].id);
}

TEST_F(KubeWorkloadTest, AWriteIsOfTheVersionThatWasRead) {
  const auto view = workload.read(kNow);
  ASSERT_TRUE(workload.set_replicas(7, view->version));
  EXPECT_EQ(workload.read(kNow)->spec_replicas, 7);
  const auto late = workload.set_replicas(9, view->version);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().trouble, Trouble::conflict);
  EXPECT_EQ(workload.read(kNow)->spec_replicas, 7);
}

TEST_F(KubeWorkloadTest, WithoutTheRightToListPodsTheScaleHasToDo) {
  server.add_fault({.status = 403, .reason = "Forbidden", .path = "/pods", .times = -1});
  const auto view = workload.read(kNow);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->ready_replicas, 3);
  EXPECT_TRUE(view->pods.empty());
}

TEST_F(KubeWorkloadTest, FailuresAreToldApart) {
  const auto trouble_of = [&](test::Fault fault) {
    server.add_fault(std::move(fault));
    const auto view = workload.read(kNow);
    server.clear_faults();
    return view ? std::string("none") : std::string(name_of(view.error().trouble));
  };
  ASSERT_TRUE(workload.read(kNow));
  EXPECT_EQ(trouble_of({.status = 503, .path = "/scale"}), "unreachable");
  EXPECT_EQ(trouble_of({.kind = test::Fault::Kind::reset, .path = "/scale", .times = -1}), "unreachable");
  EXPECT_EQ(trouble_of({.status = 403, .reason = "Forbidden", .path = "/scale"}), "forbidden");
  EXPECT_EQ(trouble_of({.status = 500, .path = "/pods"}), "unreachable") << "half a view is none";
  server.delete_object(kWeb);
  EXPECT_EQ(trouble_of({.status = 500, .path = "/nothing"}), "not_found");
}

TEST_F(KubeWorkloadTest, AKindWithoutScaleIsRefused) {
  KubeWorkload config_map({.api_version = "v2", .kind = "Nothing", .namespace_name = "shop", .name = "web"}, client);
  const auto view = config_map.read(kNow);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().trouble, Trouble::not_found);
}

}  // namespace
}  // namespace mpca::control
