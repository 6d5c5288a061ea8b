// Against the stand-in API server: what is set aside is in the cluster before it is gone, and comes back whatever
// fails.
#include "experiment/scaling_guard.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiment/objects.h"
#include "support/fake_api_server.h"

namespace mpca::experiment {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Fault;

class ScalingGuard : public testing::Test {
 protected:
  ScalingGuard() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    server.put_object(kDeploymentPath, deployment_object(3));
    server.put_object(kHpaPath, hpa_object("web", 60));
  }

  std::vector<LiveHpa> hpas() { return hpas_of(client, kWeb).value(); }
  SavedScaling set_aside() {
    SavedScaling saved{.run = "run 1", .replicas = 3, .hpas = {}};
    for (const LiveHpa& hpa : hpas()) saved.hpas.push_back(save_hpa(hpa));
    const auto owner = save_scaling(client, kWeb, saved);
    EXPECT_TRUE(owner) << owner.error().message;
    return saved;
  }
  void remove(SavedScaling& saved) {
    const auto removed = remove_hpas(client, kWeb, saved, clock, {});
    ASSERT_TRUE(removed) << removed.error().message;
    ASSERT_TRUE(hpas().empty());
  }
  Result<std::optional<Restored>> restore(OnDifference on_difference = OnDifference::leave) {
    return restore_scaling(client, kWeb, {}, on_difference);
  }
  /// As it was before: spec of the HPA, replicas, no ConfigMap.
  void expect_all_back() {
    ASSERT_EQ(hpas().size(), 1U);
    EXPECT_EQ(spec_of(hpas()[0].object), spec_of(hpa_object("web", 60)));
    EXPECT_EQ(read_deployment(client, kWeb)->state.spec_replicas, 3);
    EXPECT_TRUE(server.object(kMapPath).empty()) << "nothing is left to restore";
  }
  OnWord words() {
    return [this](const std::string& said) { talk.push_back(said); };
  }

  test::FakeApiServer server;
  VirtualClock clock;
  kube::RateLimit limit{1000, 1000};
  kube::Client client{server.connection(), {.timeout = 1s, .max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  std::vector<std::string> talk;
};

TEST_F(ScalingGuard, SetsAsideAndPutsBack) {
  SavedScaling saved = set_aside();
  remove(saved);
  ASSERT_TRUE(set_replicas(client, kWeb, 9));
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ((*restored)->done, (std::vector<std::string>{"Deployment web in namespace shop has 3 replicas as before",
                                                         "HorizontalPodAutoscaler web is back"}));
  expect_all_back();
  EXPECT_FALSE(restore().value()) << "a second time there is nothing to do";
}

TEST_F(ScalingGuard, HpasOfOthersAreNotTouched) {
  std::string other = hpa_object("other", 70);
  other.replace(other.find(R"("name":"web"},"min)"), 12, R"("name":"api")");
  server.put_object("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/other", other);
  SavedScaling saved = set_aside();
  EXPECT_EQ(saved.hpas.size(), 1U);
  remove(saved);
  EXPECT_FALSE(server.object("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/other").empty());
}

TEST_F(ScalingGuard, WhatIsDeletedIsWhatWasSaved) {
  SavedScaling saved = set_aside();
  // Between save and delete somebody edits it: theirs is what has to come back.
  server.put_object(kHpaPath, hpa_object("web", 75));
  remove(saved);
  EXPECT_EQ(parse_config_map(server.object(kMapPath))->hpas.at(0).object, saved.hpas.at(0).object);
  EXPECT_EQ(spec_of(saved.hpas[0].object), spec_of(hpa_object("web", 75)));
  ASSERT_TRUE(restore());
  EXPECT_EQ(spec_of(hpas().at(0).object), spec_of(hpa_object("web", 75)));
}

TEST_F(ScalingGuard, AVersionThatMovesOnIsReadAgain) {
  SavedScaling saved = set_aside();
  server.add_fault({.status = 409, .reason = "Conflict", .method = "DELETE", .path = "horizontalpodautoscalers"});
  remove(saved);
  EXPECT_EQ(server.count("DELETE", "horizontalpodautoscalers"), 2);
}

TEST_F(ScalingGuard, AnHpaThatIsMadeAgainByItsOwnerIsRefusedBeforeAnythingIsDeleted) {
  server.put_object(kHpaPath, hpa_object("web", 60, "uid-of-hpa", "ScaledObject"));
  SavedScaling saved = set_aside();
  const auto removed = remove_hpas(client, kWeb, saved, clock, {});
  ASSERT_FALSE(removed);
  EXPECT_EQ(
      removed.error().message,
      "HorizontalPodAutoscaler web belongs to KEDA's ScaledObject web-scaler, which makes it again. Pause that one "
      "for the experiment: kubectl annotate scaledobject web-scaler autoscaling.keda.sh/paused=true");
  EXPECT_EQ(server.count("DELETE"), 0);
}

TEST_F(ScalingGuard, AnHpaThatDoesNotGoIsSaid) {
  SavedScaling saved = set_aside();
  // Accepted and not carried out, as with a finalizer that nobody removes.
  server.add_fault({.status = 200, .method = "DELETE", .path = "horizontalpodautoscalers", .times = -1});
  const auto removed = remove_hpas(client, kWeb, saved, clock, {});
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().message,
            "HorizontalPodAutoscaler web was deleted and is still there after 30s; does it have a finalizer?");
}

TEST_F(ScalingGuard, OneExperimentAtATime) {
  set_aside();
  const auto second = save_scaling(client, kWeb, {.run = "run 2", .replicas = 5, .hpas = {}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::already_exists);
  EXPECT_EQ(parse_config_map(server.object(kMapPath))->run, "run 1");
}

TEST_F(ScalingGuard, AnHpaThatComesBackIsRemovedAndCounted) {
  SavedScaling saved = set_aside();
  remove(saved);
  GuardFindings findings;
  guard_round(client, kWeb, "run 1", true, findings, words());
  EXPECT_EQ(findings.came_back, 0);
  server.put_object(kHpaPath, hpa_object("web", 60, "uid-2"));
  guard_round(client, kWeb, "run 1", true, findings, words());
  EXPECT_EQ(findings.came_back, 1);
  EXPECT_TRUE(hpas().empty());
  EXPECT_EQ(
      talk,
      (std::vector<std::string>{"HorizontalPodAutoscaler web came back during the experiment and was removed again"}));
  ASSERT_TRUE(restore());
  expect_all_back();
}

TEST_F(ScalingGuard, ARunOfTheHpaItselfKeepsIt) {
  set_aside();
  GuardFindings findings;
  guard_round(client, kWeb, "run 1", false, findings, words());
  EXPECT_EQ(hpas().size(), 1U);
  EXPECT_EQ(findings.failed, 0);
}

TEST_F(ScalingGuard, ARoundThatFailsIsSaidOnceAndCounted) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.add_fault({.status = 503, .method = "PATCH", .path = "configmaps", .times = -1});
  GuardFindings findings;
  for (int i = 0; i < 3; ++i) guard_round(client, kWeb, "run 1", true, findings, words());
  EXPECT_EQ(findings.failed, 3);
  EXPECT_EQ(talk.size(), 1U);
}

TEST_F(ScalingGuard, ATargetForTheRunIsPutBack) {
  SavedScaling saved = set_aside();
  const auto set = set_cpu_target(client, kWeb, saved, 150);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(hpas().at(0).state.cpu_target_percent, 150);
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ((*restored)->done.back(), "HorizontalPodAutoscaler web is as it was");
  expect_all_back();
}

TEST_F(ScalingGuard, AChangeOfOthersIsNotOverwritten) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.put_object(kHpaPath, hpa_object("web", 80, "uid-2"));
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  ASSERT_EQ((*restored)->left.size(), 1U);
  EXPECT_TRUE((*restored)->left[0].starts_with("HorizontalPodAutoscaler web exists with another spec than before"));
  EXPECT_EQ(hpas().at(0).state.cpu_target_percent, 80);
  EXPECT_FALSE(server.object(kMapPath).empty()) << "what was saved is still there";
  ASSERT_TRUE(restore(OnDifference::overwrite));
  expect_all_back();
}

TEST_F(ScalingGuard, WhatIsNoObjectIsNotOverwritten) {
  SavedScaling saved = set_aside();
  remove(saved);
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  server.put_object(kHpaPath, cat(R"({"spec":{},"deep":)", deep, "}"));
  const auto restored = restore(OnDifference::overwrite);
  ASSERT_FALSE(restored);
  EXPECT_EQ(server.count("PUT", "horizontalpodautoscalers"), 0);
  EXPECT_FALSE(server.object(kMapPath).empty()) << "what was saved is still there";
}

TEST_F(ScalingGuard, AChangeOfOthersMayStay) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.put_object(kHpaPath, hpa_object("web", 80, "uid-2"));
  ASSERT_TRUE(restore(OnDifference::discard));
  EXPECT_EQ(hpas().at(0).state.cpu_target_percent, 80);
  EXPECT_TRUE(server.object(kMapPath).empty());
}

TEST_F(ScalingGuard, OnlyWhatARunHasSavedIsItsToRestore) {
  SavedScaling saved = set_aside();
  remove(saved);
  const auto other = restore_scaling(client, kWeb, "run 2", OnDifference::leave);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  EXPECT_TRUE(hpas().empty());
  ASSERT_TRUE(restore_scaling(client, kWeb, "run 1", OnDifference::leave).value());
  expect_all_back();
}

// Whatever request of a restore fails, in whatever way, the next try ends it.
TEST_F(ScalingGuard, RestoringGoesOnAfterEachFault) {
  const std::vector<std::pair<std::string, std::string>> requests = {
      {"GET", "configmaps"},  {"GET", "/scale"},    {"PATCH", "/scale"}, {"GET", "horizontalpodautoscalers"},
      {"POST", "horizontal"}, {"DELETE", "configm"}};
  for (const auto& [method, path] : requests) {
    for (const Fault::Kind kind : {Fault::Kind::status, Fault::Kind::reset, Fault::Kind::lost}) {
      SavedScaling saved = set_aside();
      remove(saved);
      ASSERT_TRUE(set_replicas(client, kWeb, 7));
      server.add_fault({.kind = kind, .status = 500, .method = method, .path = path, .times = 2});
      const auto restored = restore_with_patience(client, kWeb, "run 1", 1min, clock, {}, words());
      server.clear_faults();
      ASSERT_TRUE(restored) << method << " " << path << ": " << restored.error().message;
      expect_all_back();
    }
  }
}

TEST_F(ScalingGuard, PatienceEnds) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.add_fault({.status = 403, .reason = "Forbidden", .method = "POST", .path = "horizontal", .times = -1});
  const TimePoint begun = clock.now();
  const auto restored = restore_with_patience(client, kWeb, {}, 1min, clock, {}, words());
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message.find("403 Forbidden"), std::string::npos) << restored.error().message;
  EXPECT_LE(clock.now() - begun, 1min);
  EXPECT_EQ(talk.size(), 1U) << "the same trouble is said once";
  EXPECT_EQ(read_deployment(client, kWeb)->state.spec_replicas, 3) << "the rest is done all the same";
}

TEST_F(ScalingGuard, ADeploymentThatIsGoneDoesNotKeepItsHpaAway) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.delete_object(kDeploymentPath);
  const auto restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ((*restored)->done[0], "Deployment web in namespace shop is gone: nothing to scale");
  EXPECT_EQ(hpas().size(), 1U);
}

TEST_F(ScalingGuard, WhatWasLeftBehindIsRestored) {
  SavedScaling saved = set_aside();
  remove(saved);
  const TimePoint begun = clock.now();
  const auto restored = restore_if_left_behind(client, kWeb, {}, clock, {}, words(), OnDifference::leave);
  ASSERT_TRUE(restored) << restored.error().message;
  ASSERT_TRUE(*restored);
  EXPECT_GE(clock.now() - begun, kLeftBehindAfter) << "to know that nobody is there takes its time";
  expect_all_back();
}

/// Its guard comes by while another waits.
class AliveClock final : public Clock {
 public:
  explicit AliveClock(std::function<void()> round) : round_(std::move(round)) {}
  TimePoint now() const override { return clock_.now(); }
  void sleep_until(TimePoint time) override {
    clock_.sleep_until(time);
    if (clock_.now().time_since_epoch() >= 12s) round_();
  }

 private:
  VirtualClock clock_;
  std::function<void()> round_;
};

TEST_F(ScalingGuard, AnExperimentThatIsUnderWayIsLeftAlone) {
  SavedScaling saved = set_aside();
  remove(saved);
  GuardFindings findings;
  AliveClock alive([&] { guard_round(client, kWeb, "run 1", true, findings, words()); });
  const auto restored = restore_if_left_behind(client, kWeb, {}, alive, {}, words(), OnDifference::leave);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code, ErrorCode::already_exists);
  EXPECT_EQ(restored.error().message,
            "the experiment run 1 is under way on Deployment web in namespace shop; wait until it has ended");
  EXPECT_TRUE(hpas().empty());
}

// Somebody restores while the run goes on, or deletes the ConfigMap: the HPA that is there then is nowhere saved.
TEST_F(ScalingGuard, WithoutItsConfigMapTheGuardDeletesNothingAndTheExperimentIsOver) {
  SavedScaling saved = set_aside();
  remove(saved);
  ASSERT_TRUE(restore());
  GuardFindings findings;
  guard_round(client, kWeb, "run 1", true, findings, words());
  EXPECT_EQ(findings.over, "ConfigMap mpc-experiment-web is gone: somebody else has ended the experiment");
  expect_all_back();
  ASSERT_TRUE(save_scaling(client, kWeb, {.run = "run 2", .replicas = 3, .hpas = {}}));
  findings = {};
  guard_round(client, kWeb, "run 1", true, findings, words());
  EXPECT_TRUE(findings.over.starts_with("ConfigMap mpc-experiment-web is not this run's any more")) << findings.over;
  EXPECT_EQ(hpas().size(), 1U);
}

TEST_F(ScalingGuard, AnHpaThatWasNeverSavedIsNotDeletedAndTheExperimentIsOver) {
  SavedScaling saved = set_aside();
  remove(saved);
  for (const char* name : {"web", "web-v2"}) {
    const std::string path = std::string("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/") + name;
    server.put_object(path, hpa_object(name, 75, "uid-2"));
    GuardFindings findings;
    guard_round(client, kWeb, "run 1", true, findings, words());
    EXPECT_EQ(findings.over, cat("HorizontalPodAutoscaler ", name,
                                 " has come, which is none of those that were saved: somebody else has Deployment web "
                                 "in namespace shop scaled now"));
    EXPECT_EQ(hpas().size(), 1U) << name;
    server.delete_object(path);
  }
}

TEST_F(ScalingGuard, AnHpaThatIsBeingDeletedIsNotBackAndWhatWasSavedStays) {
  SavedScaling saved = set_aside();
  json going = json::parse(server.object(kHpaPath));
  going["metadata"]["deletionTimestamp"] = "2026-11-27T10:00:00Z";
  server.put_object(kHpaPath, going.dump());
  const auto restored = restore();
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().message,
            "HorizontalPodAutoscaler web is being deleted and not gone yet; does it have a finalizer?");
  EXPECT_FALSE(server.object(kMapPath).empty());
  server.delete_object(kHpaPath);
  ASSERT_TRUE(restore());
  expect_all_back();
}

TEST_F(ScalingGuard, LongAfterwardsAnHpaThatIsThereKeepsItsReplicas) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.put_object(kHpaPath, hpa_object("web", 60, "uid-2"));
  ASSERT_TRUE(set_replicas(client, kWeb, 50));
  const auto restored = restore_if_left_behind(client, kWeb, {}, clock, {}, words(), OnDifference::leave);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ((*restored)->done[0],
            "Deployment web in namespace shop keeps its replicas, since HorizontalPodAutoscaler web has scaled it "
            "meanwhile");
  EXPECT_EQ(read_deployment(client, kWeb)->state.spec_replicas, 50);
  EXPECT_TRUE(server.object(kMapPath).empty());
}

TEST_F(ScalingGuard, WhatTheConfigMapDoesNotKnowAnyMoreTheRunStillDoes) {
  SavedScaling saved = set_aside();
  remove(saved);
  server.delete_object(kMapPath);
  ASSERT_TRUE(set_replicas(client, kWeb, 9));
  const auto restored = restore_what_is_missing(client, kWeb, saved);
  ASSERT_TRUE(restored) << restored.error().message;
  expect_all_back();
  // Of another run's ConfigMap nothing is touched.
  set_aside();
  remove(saved);
  ASSERT_TRUE(restore_what_is_missing(client, kWeb, saved));
  EXPECT_TRUE(hpas().empty());
}

TEST_F(ScalingGuard, ARestoreOfOneRunLeavesWhatAnotherHasLeftBehind) {
  SavedScaling saved = set_aside();
  remove(saved);
  const auto restored = restore_if_left_behind(client, kWeb, "run 2", clock, {}, words(), OnDifference::leave);
  ASSERT_TRUE(restored);
  EXPECT_FALSE(*restored);
  EXPECT_TRUE(hpas().empty());
}

TEST_F(ScalingGuard, ScalingTriesAgainWhenTheObjectMoves) {
  server.add_fault({.status = 409, .reason = "Conflict", .method = "PATCH", .path = "/scale", .times = 3});
  ASSERT_TRUE(set_replicas(client, kWeb, 5));
  EXPECT_EQ(read_deployment(client, kWeb)->state.spec_replicas, 5);
}

}  // namespace
}  // namespace mpca::experiment
