// The controller with its threads, its watches and its lease against an API server of the tests.
#include "control/controller.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "control/cluster_texts.h"
#include "control/process.h"
#include "core/os/real_clock.h"
#include "support/fake_api_server.h"

namespace mpca::control {
namespace {

using nlohmann::json;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kObjects = "/apis/autoscaling.mpc.dev/v1alpha1/namespaces/shop/predictiveautoscalers/";
constexpr const char* kState = "/api/v1/namespaces/mpc-system/configmaps/mpc-autoscaler-state-uid-of-web";

class ControllerTest : public testing::Test {
 protected:
  ControllerTest() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    set_replicas(3);
    server.put_object("/api/v1/namespaces/shop/pods/web-a", pod_object("shop", "web-a", R"({"app":"web"})"));
  }
  void set_replicas(int replicas) {
    server.put_object(kWeb, cat(R"({"spec":{"replicas":)", replicas,
                                R"(,"selector":{"matchLabels":{"app":"web"}}},"status":{"replicas":1}})"));
  }
  void put(const std::string& object, const std::string& name = "web") { server.put_object(kObjects + name, object); }
  int replicas() const { return json::parse(server.object(kWeb))["spec"]["replicas"]; }
  std::string reason(const std::string& type, const std::string& name = "web") const {
    const std::string text = server.object(kObjects + name);
    const json object = json::parse(text.empty() ? "{}" : text);
    for (const json& each : object.value("status", json::object()).value("conditions", json::array()))
      if (each["type"] == type) return each["reason"];
    return {};
  }
  test::FakeApiServer server;
};

TEST_F(ControllerTest, AnObjectIsFoundActedOnAndForgottenWithItsState) {
  auto process = std::make_unique<Process>(server, 1);
  put(autoscaler_object("Auto"));
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "Acting"; }));
  process.reset();
  EXPECT_NE(server.object(kState), "") << "saved at the end";

  Process next(server, 2);
  EXPECT_TRUE(eventually([&] { return next.figures().decided > 0; }));
  server.delete_object(kObjects + std::string("web"));
  EXPECT_TRUE(eventually([&] { return server.object(kState).empty(); }));
}

// Two controllers with namespaces of their own may keep their states in one.
TEST_F(ControllerTest, WhatAnUnknownObjectHasSavedStaysUnlessAllObjectsAreWatched) {
  put(autoscaler_object("Auto"));
  const std::string other = std::string(kState) + "-elsewhere";
  server.put_object(other, R"({"metadata":{"labels":{"autoscaling.mpc.dev/saved-state":"true"}}})");
  {
    Process some(server, 1, {.sees_all_objects = false});
    EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
    pause(300ms);
    EXPECT_FALSE(server.object(other).empty());
  }
  Process all(server, 2);
  EXPECT_TRUE(eventually([&] { return server.object(other).empty(); }));
}

// The watches go on while what was learned is saved; under the address sanitizer this shows who frees too early.
TEST_F(ControllerTest, AnObjectThatGoesWhileItIsSavedAtTheEndIsThereUntilThen) {
  put(autoscaler_object("Recommend"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return process.figures().decided > 0; }));
  server.add_fault({.kind = test::Fault::Kind::hang, .method = "PATCH", .path = "configmaps"});
  const auto saves = [&] { return server.count("PATCH", "configmaps"); };
  const int before = saves();
  std::jthread stopping([&] { process.stop(); });
  EXPECT_TRUE(eventually([&] { return saves() > before; }));
  server.delete_object(kObjects + std::string("web"));
  EXPECT_TRUE(eventually([&] { return !process.summary("web"); }));
  stopping.join();
}

TEST_F(ControllerTest, WhoAsksIsToldTheLastDecisionAndItsTime) {
  const TimePoint begin = os::RealClock().now();
  Process process(server, 1, {.applies = false});
  EXPECT_FALSE(process.summary("web"));
  put(autoscaler_object("Recommend"));
  ASSERT_TRUE(eventually([&] { return process.figures().decided > 0; }));
  const auto summary = process.summary("web");
  ASSERT_TRUE(summary && summary->last_decision);
  EXPECT_EQ(summary->desired_replicas, 6);
  EXPECT_GE(*summary->last_decision, begin);
  EXPECT_GT(summary->period, 0s);
  EXPECT_FALSE(process.summary("api"));
}

TEST_F(ControllerTest, AChangeOfTheObjectIsTakenOverAtOnce) {
  Process process(server, 1);
  put(autoscaler_object("Recommend"));
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "ModeRecommend"; }));
  EXPECT_EQ(replicas(), 3);
  put(autoscaler_object("Auto", R"({"name":"static","settings":{"replicas":"7"}})"));
  EXPECT_TRUE(eventually([&] { return replicas() == 7; }));
}

TEST_F(ControllerTest, WithoutPermissionOfTheProcessNothingIsWritten) {
  Process process(server, 1, {.applies = false});
  put(autoscaler_object("Auto"));
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "DryRun"; }));
  EXPECT_EQ(server.count("PATCH", "/scale"), 0);
}

TEST_F(ControllerTest, TwoObjectsOfOneTargetRefuseBoth) {
  put(autoscaler_object("Auto"));
  put(autoscaler_object("Auto", R"({"name":"static","settings":{"replicas":"9"}})", "", "web2"), "web2");
  Process process(server, 1);
  EXPECT_TRUE(eventually(
      [&] { return reason("Acting") == "AnotherAutoscaler" && reason("Acting", "web2") == "AnotherAutoscaler"; }));
  EXPECT_EQ(replicas(), 3);
  server.delete_object(kObjects + std::string("web2"));
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
}

// Of a custom kind that is served in two versions, both show the same objects.
TEST_F(ControllerTest, ATargetNamedInAnotherVersionOfItsApiIsTheSameTarget) {
  put(autoscaler_object("Auto"));
  std::string other = autoscaler_object("Auto", R"({"name":"static","settings":{"replicas":"9"}})", "", "web2");
  other.replace(other.find("apps/v1"), 7, "apps/v2");
  put(other, "web2");
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "AnotherAutoscaler"; }));
  EXPECT_EQ(replicas(), 3);
}

TEST_F(ControllerTest, AnHpaThatComesStopsActingAndOneThatGoesAllowsIt) {
  const std::string hpa = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web";
  server.put_object(hpa, hpa_change("shop", "web", "apps/v1", "web").object);
  put(autoscaler_object("Auto"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "AnotherAutoscaler"; }));
  EXPECT_EQ(replicas(), 3);
  server.delete_object(hpa);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
}

TEST_F(ControllerTest, OneOfTwoProcessesDecidesAndTheOtherTakesOver) {
  put(autoscaler_object("Auto"));
  auto first = std::make_unique<Process>(server, 1);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  Process second(server, 2);
  EXPECT_TRUE(first->figures().is_leading);
  first->stop();
  EXPECT_FALSE(second.figures().is_leading) << "the first one still has the lease";
  first.reset();  // gives it back
  EXPECT_TRUE(eventually([&] { return second.figures().is_leading && second.figures().decided > 0; }));
  set_replicas(2);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
}

// A write is of the version that was read: whoever was paused between the two finds it moved.
TEST_F(ControllerTest, NoTwoWritesAreOfTheSameVersion) {
  put(autoscaler_object("Auto"));
  Process first(server, 1);
  Process second(server, 2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
    set_replicas(2 + i);
  }
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  std::map<std::string, int> successes;
  for (const auto& request : server.requests()) {
    if (request.method != "PATCH" || request.path.find("/scale") == std::string::npos) continue;
    ++successes[json::parse(request.body)["metadata"]["resourceVersion"]];
  }
  for (const auto& [version, count] : successes) EXPECT_EQ(count, 1) << version;
}

TEST_F(ControllerTest, AnObjectThatIsMadeAgainWhileItsPeriodRunsInheritsNothing) {
  put(autoscaler_object("Auto"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  server.add_fault({.kind = test::Fault::Kind::late, .method = "PATCH", .path = "/scale", .times = 1});
  set_replicas(2);
  EXPECT_TRUE(eventually([&] { return server.count("PATCH", "/scale") == 2; })) << "its write hangs";
  server.delete_object(kObjects + std::string("web"));
  std::string again = autoscaler_object("Auto");
  again.replace(again.find("uid-of-web"), 10, "uid-of-new");
  put(again);
  pause(300ms);
  server.clear_faults();
  const std::string state = "/api/v1/namespaces/mpc-system/configmaps/mpc-autoscaler-state-uid-of-new";
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  set_replicas(2);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  process.stop();
  EXPECT_FALSE(server.object(state).empty()) << "its memory is its own";
  EXPECT_TRUE(server.object(kState).empty());
}

TEST_F(ControllerTest, AnObjectThatIsNotUnderstoodIsToldAndTheOthersGoOn) {
  put(R"({"apiVersion":"autoscaling.mpc.dev/v1alpha1","kind":"PredictiveAutoscaler","metadata":{"namespace":"shop",)"
      R"("name":"bad","generation":4},"spec":{"mode":"Autopilot"}})",
      "bad");
  put(autoscaler_object("Auto"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return reason("Ready", "bad") == "InvalidSpec"; }));
  EXPECT_EQ(json::parse(server.object(kObjects + std::string("bad")))["status"]["observedGeneration"], 4);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
}

// While nothing answers, nothing is asked in a hot loop; then all goes on.
TEST_F(ControllerTest, AnApiServerThatFailsIsNotHammeredAndAllGoesOnAfterwards) {
  put(autoscaler_object("Auto"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  server.add_fault({.status = 503, .times = -1});
  server.cut_connections();
  EXPECT_TRUE(eventually([&] { return !process.figures().is_leading; }));
  const int before = static_cast<int>(server.requests().size());
  const Duration began = os::monotonic_now();
  pause(2s);
  const double per_second = static_cast<int>(server.requests().size()) - before;
  EXPECT_LT(per_second / to_seconds(os::monotonic_now() - began), 30.0);
  server.clear_faults();
  set_replicas(2);
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
}

// Pods that are not seen any more would be taken for those that are there, and their part of the load for all of it.
TEST_F(ControllerTest, NothingIsDecidedOnWhatAWatchHasNotToldForLongAndNothingIsForgottenMeanwhile) {
  put(autoscaler_object("Auto"));
  Process process(server, 1, {.watch_patience = 300ms});
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  server.add_fault({.status = 503, .path = "/pods", .times = -1});
  server.end_watches();
  EXPECT_TRUE(eventually([&] { return !process.figures().is_leading; }));
  const auto decided = process.figures().decided;
  set_replicas(2);
  pause(1500ms);
  EXPECT_EQ(process.figures().decided, decided);
  EXPECT_EQ(replicas(), 2);
  const int loaded = server.count("GET", "configmaps/");
  server.clear_faults();
  EXPECT_TRUE(eventually([&] { return replicas() == 6; }));
  EXPECT_EQ(server.count("GET", "configmaps/"), loaded) << "what it knows is newer than what it has saved";
}

TEST_F(ControllerTest, ItsMetricsTellOfEachObjectAndStage) {
  put(autoscaler_object("Recommend"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return process.figures().decided > 0; }));
  const std::string text = process.metrics();
  for (const char* line :
       {"mpca_desired_replicas{namespace=\"shop\",name=\"web\"} 6\n",
        "mpca_acting{namespace=\"shop\",name=\"web\"} 0\n", "mpca_leading 1\n", "mpca_objects{mode=\"Recommend\"} 1\n",
        "mpca_stage_duration_seconds_count{stage=\"decide\"}"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
}

TEST_F(ControllerTest, WhoDoesNotLeadAnyMoreTellsOfNoObject) {
  put(autoscaler_object("Auto"));
  Process process(server, 1);
  EXPECT_TRUE(eventually([&] { return reason("Acting") == "Acting" && process.figures().decided > 0; }));
  EXPECT_NE(process.metrics().find("mpca_acting{"), std::string::npos);
  server.add_fault({.status = 503, .times = -1});
  EXPECT_TRUE(eventually([&] { return !process.figures().is_leading; }));
  const std::string text = process.metrics();
  EXPECT_NE(text.find("mpca_leading 0\n"), std::string::npos) << text;
  for (const char* family : {"mpca_acting", "mpca_desired_replicas", "mpca_objects"})
    EXPECT_EQ(text.find(family), std::string::npos) << text;
}

TEST(ControllerHealth, APeriodThatNeverEndsIsAReasonToRestart) {
  EXPECT_FALSE(stuck({.overdue = 2s, .longest_running = 20s, .is_leading = true}));
  EXPECT_TRUE(stuck({.overdue = 2s, .longest_running = 4min, .is_leading = true}));
  EXPECT_TRUE(stuck({.overdue = 4min, .longest_running = 0s, .since_last_end = 4min, .is_leading = true}));
  EXPECT_FALSE(stuck({.overdue = 40min, .longest_running = 5s, .since_last_end = 1s, .is_leading = true}))
      << "a long queue that moves on";
}

TEST(ControllerServer, AnswersItsThreePages) {
  std::optional<std::string> why_not = "listing";
  auto server = ControllerServer::start("127.0.0.1:0", {.metrics = [] { return std::string("up 1\n"); },
                                                        .health = [] { return std::nullopt; },
                                                        .readiness = [&] { return why_not; }});
  ASSERT_TRUE(server) << server.error().message;
  net::HttpClient client({});
  const auto get = [&](const std::string& path) {
    return client.send({.url = cat("http://127.0.0.1:", server->port(), path)});
  };
  EXPECT_EQ(get("/metrics")->body, "up 1\n");
  EXPECT_EQ(get("/healthz")->status, 200);
  EXPECT_EQ(get("/readyz")->status, 503);
  EXPECT_EQ(get("/readyz")->body, "listing\n");
  EXPECT_EQ(get("/")->status, 404);
  EXPECT_FALSE(ControllerServer::start("nowhere", {}));
}

}  // namespace
}  // namespace mpca::control
