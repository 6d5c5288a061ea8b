#include "control/session.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "control/cluster_texts.h"
#include "control/fakes.h"
#include "support/fake_api_server.h"

namespace mpca::control {
namespace {

using nlohmann::json;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kObject = "/apis/autoscaling.mpc.dev/v1alpha1/namespaces/shop/predictiveautoscalers/web";
constexpr const char* kState = "/api/v1/namespaces/mpc-system/configmaps/mpc-autoscaler-state-uid-of-web";

class FakeLoad final : public LoadReader {
 public:
  LiveReading read(const LoadQuestion& question) override {
    asked_ready = question.ready_replicas;
    addresses = question.addresses.size();
    return metrics.read(question.ready_replicas);
  }
  FakeMetrics metrics;
  int asked_ready = -1;
  std::size_t addresses = 0;
};

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    set_deployment(3);
    index.on_pod(pod_change("shop", "web-a", R"({"app":"web"})"));
    index.on_pod(pod_change("shop", "web-b", R"({"app":"web"})", kube::Change::Kind::added, false));
  }
  /// As if somebody had set it, and the watch had told.
  void set_deployment(int replicas) {
    server.put_object(kWeb, cat(R"({"spec":{"replicas":)", replicas,
                                R"(,"selector":{"matchLabels":{"app":"web"}}},"status":{"replicas":2}})"));
    tell();
  }
  void tell() {
    index.on_target("apps/v1", "Deployment",
                    {.kind = kube::Change::Kind::modified,
                     .namespace_name = "shop",
                     .name = "web",
                     .uid = "uid-web",
                     .object = server.object(kWeb)});
  }
  Session& session(const std::string& object) {
    server.put_object(kObject, object);
    auto parsed = config::parse_autoscaler(object, "shop/web");
    EXPECT_TRUE(parsed) << parsed.error().message;
    session_ = std::make_unique<Session>(environment, parsed.value_or(config::AutoscalerObject{}), std::nullopt);
    return *session_;
  }
  int replicas() const { return json::parse(server.object(kWeb))["spec"]["replicas"]; }
  json condition(const std::string& type) const {
    const std::string text = server.object(kObject);
    const json object = json::parse(text.empty() ? "{}" : text);
    for (const json& each : object.value("status", json::object()).value("conditions", json::array()))
      if (each["type"] == type) return each;
    return json::object();
  }
  std::string reason(const std::string& type) const { return condition(type).value("reason", ""); }

  test::FakeApiServer server;
  VirtualClock clock{TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h)};
  kube::RateLimit limit{1000, 1000};
  kube::Client client{server.connection(), {.max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  FakeLoad load;
  SessionTools tools{client, load};
  ClusterIndex index;
  SavedStates states{"mpc-system"};
  bool leads = true, applies = true, has_rival = false, has_room = true;
  std::vector<std::string> lines;
  SessionEnvironment environment{.index = index,
                                 .states = states,
                                 .clock = clock,
                                 .may_write = [this] { return leads; },
                                 .may_apply = [this] { return applies; },
                                 .has_room = [this] { return has_room; },
                                 .has_rival = [this](const config::AutoscalerObject&) { return has_rival; },
                                 .program = "test",
                                 .took = [](Stage, Duration) {},
                                 .log = [this](const std::string& line) { lines.push_back(line); },
                                 .instance = "test"};

 private:
  std::unique_ptr<Session> session_;
};

TEST_F(SessionTest, InModeAutoTheDecisionIsCarriedOutAndTold) {
  EXPECT_EQ(session(autoscaler_object("Auto")).run_period(tools, 1), PeriodResult::decided);
  EXPECT_EQ(replicas(), 6);
  EXPECT_EQ(load.asked_ready, 1) << "of two pods one is ready";
  EXPECT_EQ(load.addresses, 2U);
  EXPECT_EQ(reason("Acting"), "Acting");
  EXPECT_EQ(reason("AbleToScale"), "SucceededRescale");
  EXPECT_EQ(reason("ScalingActive"), "ValidMetricFound");
  const json status = json::parse(server.object(kObject))["status"];
  EXPECT_EQ(status["desiredReplicas"], 6);
  EXPECT_EQ(status["currentReplicas"], 6);
  EXPECT_EQ(server.count("POST", "/events"), 1);
}

struct Refusal {
  std::string mode, more, reason;
  bool applies = true, has_hpa = false, has_rival = false;
};

class SessionRefusals : public SessionTest, public testing::WithParamInterface<Refusal> {};

// All that has to be there for acting, one thing missing at a time.
TEST_P(SessionRefusals, NothingIsWrittenAndTheConditionSaysWhatIsMissing) {
  const Refusal& refusal = GetParam();
  applies = refusal.applies;
  has_rival = refusal.has_rival;
  if (refusal.has_hpa) index.on_hpa(hpa_change("shop", "web-hpa", "apps/v1", "web"));
  session(autoscaler_object(refusal.mode, R"({"name":"static","settings":{"replicas":"6"}})", refusal.more))
      .run_period(tools, 1);
  EXPECT_EQ(server.count("PATCH", "/scale"), 0);
  EXPECT_EQ(replicas(), 3);
  EXPECT_EQ(condition("Acting").value("status", ""), "False");
  EXPECT_EQ(reason("Acting"), refusal.reason);
}

INSTANTIATE_TEST_SUITE_P(
    All, SessionRefusals,
    testing::Values(Refusal{"Off", "", "ModeOff"}, Refusal{"Recommend", "", "ModeRecommend"},
                    Refusal{"Shadow", "", "ModeShadow"},
                    Refusal{"Auto", R"(,"annotations":{"autoscaling.mpc.dev/paused":"true"})", "Paused"},
                    Refusal{.mode = "Auto", .more = "", .reason = "DryRun", .applies = false},
                    Refusal{.mode = "Auto", .more = "", .reason = "AnotherAutoscaler", .has_hpa = true},
                    Refusal{.mode = "Auto", .more = "", .reason = "AnotherAutoscaler", .has_rival = true}),
    [](const auto& test) { return test.param.reason + std::to_string(test.index); });

TEST_F(SessionTest, RecommendSaysWhatItWouldDo) {
  session(autoscaler_object("Recommend")).run_period(tools, 1);
  const json status = json::parse(server.object(kObject))["status"];
  EXPECT_EQ(status["desiredReplicas"], 6);
  EXPECT_EQ(status["currentReplicas"], 3);
}

TEST_F(SessionTest, ShadowKeepsBooksOfBoth) {
  Session& shadow = session(autoscaler_object("Shadow"));
  for (int i = 0; i < 61; ++i) {
    shadow.run_period(tools, 1);
    clock.sleep_until(clock.now() + 2s);
  }
  ASSERT_TRUE(shadow.status().shadow);
  EXPECT_NEAR(shadow.status().shadow->replica_hours, 3.0 * 120 / 3600, 1e-9);
  EXPECT_NEAR(shadow.status().shadow->would_be_replica_hours, 6.0 * 120 / 3600, 1e-9);
}

// The watch is later than we are: what was written counts until it has told of it.
TEST_F(SessionTest, WhatWasWrittenIsNotWrittenAgainWhileTheWatchIsLate) {
  Session& web = session(autoscaler_object("Auto"));
  web.run_period(tools, 1);
  clock.sleep_until(clock.now() + 1s);
  web.run_period(tools, 1);
  EXPECT_EQ(server.count("PATCH", "/scale"), 1);
  EXPECT_EQ(web.status().current_replicas, 6);
}

// Between the watch and the write somebody has set 9; the version tells.
TEST_F(SessionTest, ReplicasThatSomebodyElseHasSetStay) {
  Session& web = session(autoscaler_object("Auto"));
  server.put_object(kWeb,
                    R"({"spec":{"replicas":9,"selector":{"matchLabels":{"app":"web"}}},"status":{"replicas":2}})");
  web.run_period(tools, 1);
  EXPECT_EQ(replicas(), 9);
  EXPECT_EQ(reason("AbleToScale"), "FailedUpdateScale");
}

// A status update moves the version and not the replicas: read again, written after all.
TEST_F(SessionTest, AVersionThatHasMovedIsReadAndWrittenAgain) {
  Session& web = session(autoscaler_object("Auto"));
  server.put_object(kWeb,
                    R"({"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}}},"status":{"replicas":3}})");
  web.run_period(tools, 1);
  EXPECT_EQ(replicas(), 6);
  EXPECT_EQ(server.count("PATCH", "/scale"), 2);
}

TEST_F(SessionTest, WhoDoesNotLeadAnyMoreWritesNothing) {
  Session& web = session(autoscaler_object("Auto"));
  leads = false;
  web.run_period(tools, 1);
  EXPECT_EQ(replicas(), 3);
  EXPECT_EQ(server.count("PATCH"), 0);
}

TEST_F(SessionTest, ATargetThatIsNotThereIsSaid) {
  index.on_target(
      "apps/v1", "Deployment",
      {.kind = kube::Change::Kind::deleted, .namespace_name = "shop", .name = "web", .uid = {}, .object = {}});
  EXPECT_EQ(session(autoscaler_object("Auto")).run_period(tools, 1), PeriodResult::no_decision);
  EXPECT_EQ(reason("AbleToScale"), "TargetNotFound");
}

TEST_F(SessionTest, ATargetAtZeroIsLeftAlone) {
  set_deployment(0);
  EXPECT_EQ(session(autoscaler_object("Auto")).run_period(tools, 1), PeriodResult::off);
  EXPECT_EQ(replicas(), 0);
  EXPECT_EQ(reason("ScalingActive"), "ScalingDisabled");
}

TEST_F(SessionTest, MissingMetricsAreSaidAndLowerNothing) {
  load.metrics.reading = {};
  load.metrics.reading.trouble = "request rate: no series";
  Session& web = session(autoscaler_object("Auto", R"({"name":"predictive"})"));
  web.run_period(tools, 1);
  EXPECT_EQ(reason("ScalingActive"), "FailedGetMetrics");
  EXPECT_EQ(condition("ScalingActive").value("message", ""), "request rate: no series");
  EXPECT_GE(replicas(), 3);
}

TEST_F(SessionTest, AStatusInWhichNothingChangedIsWrittenOnceAMinute) {
  Session& web = session(autoscaler_object("Recommend"));
  for (int i = 0; i < 61; ++i) {
    web.run_period(tools, 1);
    clock.sleep_until(clock.now() + 1s);
  }
  EXPECT_EQ(server.count("PATCH", "/status"), 2);
}

TEST_F(SessionTest, AnObjectThatIsBeingDeletedDoesNotActAnyMore) {
  std::string going = autoscaler_object("Auto");
  going.replace(going.find(R"("generation":1)"), 14, R"("generation":1,"deletionTimestamp":"2026-11-26T11:00:00Z")");
  session(going).run_period(tools, 1);
  EXPECT_EQ(replicas(), 3);
  EXPECT_EQ(reason("Acting"), "Deleted");
}

// Telling waits, scaling does not.
TEST_F(SessionTest, WhenTheApiServerMayNotBeAskedMuchTheStatusIsToldLater) {
  has_room = false;
  Session& web = session(autoscaler_object("Auto"));
  web.run_period(tools, 1);
  EXPECT_EQ(replicas(), 6);
  EXPECT_EQ(server.count("PATCH", "/status"), 0);
  has_room = true;
  web.run_period(tools, 1);
  EXPECT_EQ(server.count("PATCH", "/status"), 1);
}

// Each status would keep a thread waiting for its time limit, in each period of each object.
TEST_F(SessionTest, WhileAStatusHangsNoneIsWrittenForAWhileAndDecidingGoesOn) {
  kube::Client quick{server.connection(), {.timeout = 100ms, .max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  const SessionTools with_quick{quick, load};
  server.add_fault({.kind = test::Fault::Kind::hang, .method = "PATCH", .path = "/status", .times = -1});
  Session& web = session(autoscaler_object("Auto"));
  const auto tries_after = [&](Duration passed) {
    clock.sleep_until(clock.now() + passed);
    EXPECT_EQ(web.run_period(with_quick, 1), PeriodResult::decided);
    return server.count("PATCH", "/status");
  };
  EXPECT_EQ(tries_after(0s), 1);
  EXPECT_EQ(replicas(), 6);
  EXPECT_EQ(tries_after(15s), 1);
  EXPECT_EQ(tries_after(15s), 2);
  EXPECT_EQ(tries_after(45s), 2) << "twice as long the second time";
  server.clear_faults();
  EXPECT_EQ(tries_after(15s), 3);
  EXPECT_EQ(tries_after(1min), 4) << "all is well again";
}

// ---- what was learned ----

TEST_F(SessionTest, WhatWasLearnedIsFoundByTheNextLeader) {
  Session& first = session(autoscaler_object("Recommend", R"({"name":"predictive"})"));
  for (int i = 0; i < 20; ++i) {
    first.run_period(tools, 1);
    clock.sleep_until(clock.now() + 15s);
  }
  first.save(tools);
  ASSERT_NE(server.object(kState), "");

  const auto next_of = [&](Session& session) {
    session.run_period(tools, 1);
    return session.status().decision;
  };
  Session second(environment, first.object(), std::nullopt);
  Session forgetful(environment, first.object(), std::nullopt);
  const std::string expected = next_of(first);
  EXPECT_EQ(next_of(second), expected);
  server.delete_object(kState);
  EXPECT_NE(next_of(forgetful), expected) << "the test would show nothing";
}

// Else what is learned anew would be written over it.
TEST_F(SessionTest, WithoutAnAnswerAboutWhatWasSavedNothingIsDecided) {
  Session& web = session(autoscaler_object("Auto"));
  server.add_fault({.status = 503, .method = "GET", .path = "configmaps"});
  EXPECT_EQ(web.run_period(tools, 1), PeriodResult::no_decision);
  EXPECT_EQ(replicas(), 3);
  EXPECT_EQ(reason("ScalingActive"), "FailedLoadState");
  EXPECT_EQ(web.run_period(tools, 1), PeriodResult::decided);
  EXPECT_EQ(replicas(), 6);
}

TEST_F(SessionTest, ASavedStateThatIsNoneIsSaidAndLeft) {
  for (const char* map : {R"({"data":{"bytes":"4"}})", R"({"data":{"bytes":"4"},"binaryData":{"state.zlib":"AAAA"}})",
                          R"({"data":{"bytes":"999999999999"},"binaryData":{"state.zlib":"AAAA"}})", "{}"}) {
    server.put_object(kState, map);
    lines.clear();
    EXPECT_EQ(session(autoscaler_object("Auto")).run_period(tools, 1), PeriodResult::decided);
    ASSERT_FALSE(lines.empty());
    EXPECT_NE(lines.front().find("begins to learn anew: ConfigMap"), std::string::npos) << lines.front();
  }
}

TEST_F(SessionTest, AnObjectThatIsNotUnderstoodIsToldSo) {
  config::AutoscalerObject object;
  object.namespace_name = "shop";
  object.name = "web";
  server.put_object(kObject, "{}");
  Session web(environment, object, "spec.maxReplicas is missing");
  EXPECT_EQ(web.run_period(tools, 1), PeriodResult::no_decision);
  EXPECT_EQ(reason("Ready"), "InvalidSpec");
  EXPECT_EQ(condition("Ready").value("message", ""), "spec.maxReplicas is missing");
}

// With a slip of the pen in between, too. Compared is what is saved.
TEST_F(SessionTest, ANewSpecKeepsWhatWasLearned) {
  Session& web = session(autoscaler_object("Recommend", R"({"name":"predictive"})"));
  Session slipped(environment, web.object(), std::nullopt);
  for (int i = 0; i < 5; ++i) {
    web.run_period(tools, 1);
    slipped.run_period(tools, 1);
    clock.sleep_until(clock.now() + 15s);
  }
  config::AutoscalerObject bad;
  bad.namespace_name = "shop";
  bad.name = "web";
  bad.uid = web.object().uid;
  bad.generation = 2;
  slipped.update(bad, "spec.mode is \"Autopilot\"");
  EXPECT_EQ(slipped.run_period(tools, 1), PeriodResult::no_decision);
  EXPECT_EQ(reason("Ready"), "InvalidSpec");
  EXPECT_EQ(reason("Acting"), "InvalidSpec");
  EXPECT_EQ(json::parse(server.object(kObject))["status"]["observedGeneration"], 2);

  const auto mended = config::parse_autoscaler(
      autoscaler_object("Auto", R"({"name":"predictive","settings":{"dead-band":"0.05"}})"), "x");
  ASSERT_TRUE(mended) << mended.error().message;
  web.update(*mended, std::nullopt);
  slipped.update(*mended, std::nullopt);
  EXPECT_TRUE(lines.empty()) << lines.front();
  applies = false;  // so that each sees the same replicas
  server.delete_object(kState);
  Session forgetful(environment, *mended, std::nullopt);
  const auto saved_by = [&](Session& session) {
    server.delete_object(kState);
    EXPECT_EQ(session.run_period(tools, 1), PeriodResult::decided);
    session.save(tools);
    return json::parse(server.object(kState))["binaryData"];
  };
  const json expected = saved_by(web);
  EXPECT_EQ(saved_by(slipped), expected);
  EXPECT_NE(saved_by(forgetful), expected) << "the test would show nothing";
  applies = true;
  slipped.run_period(tools, 1);
  EXPECT_EQ(reason("Acting"), "Acting");
}

}  // namespace
}  // namespace mpca::control
