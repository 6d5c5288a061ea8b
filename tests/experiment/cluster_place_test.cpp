// Whole runs against the stand-in API server, with a stand-in for what a cluster does of itself: pods of Jobs, and a
// Deployment whose pods are ready at once.
#include "experiment/cluster_place.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/document.h"
#include "control/fakes.h"
#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "experiment/objects.h"
#include "load/result_in_log.h"
#include "runlog/replay.h"
#include "runlog/run_directory.h"
#include "support/fake_api_server.h"
#include "support/temporary_directory.h"

namespace mpca::experiment {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// What the controllers and the kubelet do.
class Controllers {
 public:
  explicit Controllers(test::FakeApiServer& server)
      : server_(server), thread_([this](const std::stop_token& stop) {
          os::RealClock clock;
          while (!stop.stop_requested()) {
            run_deployment();
            run_job(clock);
            clock.sleep_until(clock.now() + 20ms);
          }
        }) {}
  Duration load_length = 3s;
  std::string load_phase = "Succeeded";
  std::string log_instead{};
  std::function<void()> when_running{};
  std::atomic<bool> hpa_was_there_while_running = false;

 private:
  void run_deployment() {
    json object = json::parse(server_.object(kDeploymentPath), nullptr, false);
    if (!object.is_object() || object["status"]["replicas"] == object["spec"]["replicas"]) return;
    for (const char* count : {"replicas", "readyReplicas", "availableReplicas"})
      object["status"][count] = object["spec"]["replicas"];
    object["metadata"].erase("resourceVersion");
    server_.put_object(kDeploymentPath, object.dump());
  }
  void run_job(Clock& clock) {
    for (const auto& request : server_.requests()) {
      if (request.method != "POST" || !request.path.ends_with("/jobs")) continue;
      const json job = json::parse(request.body, nullptr, false);
      if (job.is_object() && job["metadata"]["name"] != name_) begin(job, clock);
    }
    if (name_.empty() || is_over_) return;
    if (!server_.object(kHpaPath).empty()) hpa_was_there_while_running = true;
    if (clock.now() < started_ + load_length) return;
    is_over_ = true;
    server_.put_log(pod(), log_instead.empty() ? load::result_lines(result()) : log_instead);
    put_pod(load_phase, {{"terminated", {{"exitCode", load_phase == "Succeeded" ? 0 : 1}}}});
  }
  void begin(const json& job, Clock& clock) {
    name_ = job["metadata"]["name"];
    is_over_ = false;
    started_ = clock.now();
    put_pod("Running", {{"running", json::object()}});
    if (when_running) when_running();
  }
  std::string pod() const { return cat("/api/v1/namespaces/shop/pods/", name_, "-x"); }
  void put_pod(const std::string& phase, const json& state) {
    const json status = {{"phase", phase},
                         {"containerStatuses", json::array({{{"name", "loadgen"}, {"state", state}}})}};
    const json object = {{"metadata", {{"labels", {{"experiment.mpc.dev/load", name_}}}}}, {"status", status}};
    server_.put_object(pod(), object.dump());
  }
  /// Twenty requests in each second, all of them answered after 30 ms.
  load::LoadResult result() const {
    load::LoadResult result;
    result.started_at = started_;
    result.length = load_length;
    load::PhaseResult& phase = result.phases.emplace_back();
    phase.planned_length = load_length;
    for (Duration start{}; start < load_length; start += 1s) {
      load::IntervalResult& interval = result.intervals.emplace_back();
      interval.start = start;
      interval.counts.due = interval.counts.succeeded = interval.counts.by_status[200] = 20;
      interval.latency.record(30ms, 20);
      phase.counts.add(interval.counts);
      phase.latency.record(30ms, 20);
    }
    phase.last_due = phase.last_end = load_length;
    return result;
  }

  test::FakeApiServer& server_;
  std::string name_;
  TimePoint started_{};
  bool is_over_ = false;
  std::jthread thread_;
};

/// Says the same each time, as long as it is told to.
class ScriptedMetrics final : public control::LiveMetrics {
 public:
  using Script = std::function<control::LiveReading(int number)>;
  ScriptedMetrics(Script script, std::atomic<int>& number) : script_(std::move(script)), number_(number) {}
  control::LiveReading read(int) override { return script_(number_++); }

 private:
  Script script_;
  std::atomic<int>& number_;
};

control::LiveReading no_series() {
  control::LiveReading reading;
  reading.trouble = "request rate: no series";
  return reading;
}

class ClusterPlaceTest : public testing::Test {
 protected:
  ClusterPlaceTest() {
    server.make_scalable("apps/v1", "Deployment", "deployments");
    server.put_object(kDeploymentPath, deployment_object(3));
    server.put_object(kHpaPath, hpa_object("web", 60));
  }
  ClusterSettings settings() {
    ClusterSettings settings;
    settings.target = kWeb;
    settings.context = "test";
    settings.min_replicas = 1;
    settings.max_replicas = 9;
    settings.period = 500ms;
    settings.settle_limit = 5s;
    settings.guard_every = 300ms;
    settings.load.url = "http://web.shop.svc/work?cpu_ms=20&jitter_ms=5";
    settings.guardian_program = MPCA_PROGRAM;
    settings.guardian_arguments = {"experiment",   "restore", "--when-stdin-ends", "--namespace", "shop",
                                   "--deployment", "web",     "--kube-server",     server.url()};
    return settings;
  }
  ClusterTools tools() {
    return {.make_client =
                [this](const kube::ClientSettings& wanted) {
                  return kube::Client(server.connection(), wanted, limit, clock, RandomStream(1, "test", ++clients));
                },
            .make_metrics = [this](Duration) -> Result<std::unique_ptr<control::LiveMetrics>> {
              return std::make_unique<ScriptedMetrics>(reading, readings);
            },
            .clock = clock,
            .say =
                [this](const std::string& words) {
                  const std::scoped_lock lock(mutex);
                  talk.push_back(words);
                }};
  }
  lab::RunPlan plan(const std::string& policy) {
    lab::RunPlan plan;
    plan.scenario = "three-seconds";
    plan.policy = policy;
    plan.label = policy;
    plan.mode = "mpc-online";
    plan.phases = {{0, 3s, 20.0}};
    plan.load = load::plan_from_phases(plan.phases);
    plan.directory = directory.path() + "/run-1";
    plan.program = "test";
    plan.git_revision = "abc1234";
    return plan;
  }
  Result<lab::MeasuredRun> run(const lab::RunPlan& plan, const std::stop_token& stop = {}) {
    ClusterPlace place(settings(), tools());
    return place.run(plan, stop, [](const lab::Progress&) {});
  }
  /// The HPA and the replicas as before, no ConfigMap, no Job.
  void expect_all_back() {
    EXPECT_EQ(spec_of(server.object(kHpaPath)), spec_of(hpa_object("web", 60)));
    EXPECT_EQ(json::parse(server.object(kDeploymentPath))["spec"]["replicas"], 3);
    EXPECT_TRUE(server.object(kMapPath).empty());
    EXPECT_EQ(server.count("DELETE", "/jobs/"), server.count("POST", "/jobs"));
  }

  test::FakeApiServer server;
  test::TemporaryDirectory directory;
  os::RealClock clock;
  kube::RateLimit limit{1000, 1000};
  std::atomic<std::uint32_t> clients = 0;
  ScriptedMetrics::Script reading = [](int) { return control::FakeMetrics().reading; };
  std::atomic<int> readings = 0;
  std::mutex mutex;
  std::vector<std::string> talk;
};

TEST_F(ClusterPlaceTest, ARunOfAPolicyLeavesARunDirectoryAndPutsTheHpaBack) {
  Controllers controllers(server);
  const auto measured = run(plan("static:5"));
  ASSERT_TRUE(measured) << measured.error().message;
  expect_all_back();
  EXPECT_FALSE(controllers.hpa_was_there_while_running);
  EXPECT_EQ(measured->counts.due, 60U);
  EXPECT_EQ(measured->world, "cluster");
  EXPECT_EQ(measured->fleet.size(), 3U);
  EXPECT_EQ(measured->fleet.back().spec_replicas, 5) << "the policy's word was carried out";
  EXPECT_EQ(measured->cautions, std::vector<std::string>{});

  const auto read = runlog::read_run_directory(directory.path() + "/run-1");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->meta.mode, "mpc-online");
  EXPECT_EQ(read->meta.values.at("namespace"), "shop");
  EXPECT_EQ(read->meta.values.at("workload_knobs.cpu_ms"), "20");
  EXPECT_EQ(read->meta.values.at("artifacts.hpa_live"), "hpa-live.yaml");
  EXPECT_EQ(read->meta.values.at("control_stdout"), "mpc-loop.log");
  EXPECT_EQ(read->meta.values.at("mpc_apply"), "true");
  ASSERT_TRUE(read->replica_watch && read->control_log && read->report_text && read->control_summary);
  EXPECT_GE(read->control_log->size(), 3U) << "a decision every 500 ms";
  const auto replayed = runlog::replay(directory.path() + "/run-1/decisions.jsonl", {}, [](const auto&) {});
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->different_replicas + replayed->different_explanations, 0);
  const std::string hpa = os::read_file(directory.path() + "/run-1/hpa-live.yaml").value();
  EXPECT_NE(hpa.find("averageUtilization: 60\n"), std::string::npos) << hpa;
  EXPECT_NE(os::read_file(directory.path() + "/run-1/mpc-loop.log")->find("[mpc] "), std::string::npos);
}

TEST_F(ClusterPlaceTest, ARunOfTheHpaKeepsItAndChangesItsTargetForTheRun) {
  Controllers controllers(server);
  std::optional<int> percent;
  controllers.when_running = [&] { percent = kube::parse_hpa_state(server.object(kHpaPath))->cpu_target_percent; };
  lab::RunPlan wanted = plan("cluster-hpa:target=150");
  wanted.mode = "hpa-target-grid";
  const auto measured = run(wanted);
  ASSERT_TRUE(measured) << measured.error().message;
  expect_all_back();
  EXPECT_TRUE(controllers.hpa_was_there_while_running);
  EXPECT_EQ(percent, 150);
  const auto read = runlog::read_run_directory(directory.path() + "/run-1");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->meta.hpa_target_average_utilization, "150");
  EXPECT_FALSE(read->control_log) << "nobody of ours decided";
  EXPECT_NE(os::read_file(directory.path() + "/run-1/replica-watch.csv")->find(",2,3\n"), std::string::npos)
      << "what the HPA said";
}

TEST_F(ClusterPlaceTest, AfterAFailedLoadEverythingIsBackAndNothingIsWritten) {
  Controllers controllers(server);
  controllers.load_phase = "Failed";
  controllers.log_instead = "no good answer within 1m: connection refused\n";
  const auto measured = run(plan("static:5"));
  ASSERT_FALSE(measured);
  EXPECT_NE(measured.error().message.find("the load failed: exit code 1; load Job mpc-load-"), std::string::npos)
      << measured.error().message;
  EXPECT_NE(measured.error().message.find("connection refused"), std::string::npos);
  expect_all_back();
  EXPECT_TRUE(directory.names().empty());
}

TEST_F(ClusterPlaceTest, AnInterruptEndsTheLoadAndPutsEverythingBack) {
  Controllers controllers(server);
  controllers.load_length = 1h;
  std::stop_source stop;
  controllers.when_running = [&] { stop.request_stop(); };
  const auto measured = run(plan("static:5"), stop.get_token());
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::interrupted);
  expect_all_back();
  EXPECT_TRUE(directory.names().empty());
}

TEST_F(ClusterPlaceTest, AnApiServerThatIsAwayAtTheEndIsWaitedFor) {
  Controllers controllers(server);
  controllers.when_running = [&] {
    server.add_fault({.status = 503, .method = "POST", .path = "horizontalpodautoscalers", .times = 2});
  };
  const auto measured = run(plan("static:5"));
  ASSERT_TRUE(measured) << measured.error().message;
  expect_all_back();
  EXPECT_EQ(talk.size(), 1U);
}

TEST_F(ClusterPlaceTest, AReturningHpaIsACaution) {
  Controllers controllers(server);
  controllers.when_running = [&] { server.put_object(kHpaPath, hpa_object("web", 60, "uid-2")); };
  const auto measured = run(plan("static:5"));
  ASSERT_TRUE(measured) << measured.error().message;
  ASSERT_EQ(measured->cautions.size(), 1U);
  EXPECT_TRUE(measured->cautions[0].starts_with("an HPA came back once during the run")) << measured->cautions[0];
  expect_all_back();
}

TEST_F(ClusterPlaceTest, AnHpaOfSomebodyElseEndsTheRunAndStays) {
  Controllers controllers(server);
  controllers.when_running = [&] { server.put_object(kHpaPath, hpa_object("web", 75, "uid-2")); };
  const auto measured = run(plan("static:5"));
  ASSERT_FALSE(measured);
  EXPECT_TRUE(measured.error().message.starts_with("HorizontalPodAutoscaler web has come, which is none of those"))
      << measured.error().message;
  EXPECT_NE(measured.error().message.find("with --discard forgets it"), std::string::npos) << measured.error().message;
  EXPECT_EQ(spec_of(server.object(kHpaPath)), spec_of(hpa_object("web", 75)));
}

TEST_F(ClusterPlaceTest, ARunWhoseConfigMapIsDeletedStillPutsBackWhatItKnows) {
  Controllers controllers(server);
  controllers.when_running = [&] { server.delete_object(kMapPath); };
  const auto measured = run(plan("static:5"));
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().message, "ConfigMap mpc-experiment-web is gone: somebody else has ended the experiment");
  expect_all_back();
}

TEST_F(ClusterPlaceTest, AnHpaWithAFinalizerIsRefusedBeforeAnythingIsTouched) {
  json hpa = json::parse(hpa_object("web", 60));
  hpa["metadata"]["finalizers"] = json::array({"example.com/keep"});
  server.put_object(kHpaPath, hpa.dump());
  ClusterPlace place(settings(), tools());
  const auto checked = place.check(plan("static:5"));
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("web has a finalizer, [\"example.com/keep\"]"), std::string::npos)
      << checked.error().message;
}

TEST_F(ClusterPlaceTest, MetricsThatWereMissingNowAndThenAreACaution) {
  Controllers controllers(server);
  reading = [](int number) { return number % 2 == 1 ? no_series() : control::FakeMetrics().reading; };
  const auto measured = run(plan("reactive"));
  ASSERT_TRUE(measured) << measured.error().message;
  ASSERT_EQ(measured->cautions.size(), 1U);
  EXPECT_TRUE(measured->cautions[0].starts_with("the policy had no request rate, or one that was minutes old, in "))
      << measured->cautions[0];
  EXPECT_TRUE(measured->cautions[0].ends_with(" control periods: request rate: no series")) << measured->cautions[0];
  expect_all_back();
}

TEST_F(ClusterPlaceTest, ARateOfSomeOfThePodsMostOfTheTimeIsACaution) {
  Controllers controllers(server);
  reading = [](int) {
    control::LiveReading some = control::FakeMetrics().reading;
    some.served_rate_rps.quality = policy::Quality::stale;
    return some;
  };
  const auto measured = run(plan("reactive"));
  ASSERT_TRUE(measured) << measured.error().message;
  ASSERT_EQ(measured->cautions.size(), 1U);
  EXPECT_TRUE(measured->cautions[0].starts_with("the policy had the request rate of some of the pods only in "));
}

TEST_F(ClusterPlaceTest, ARunWithoutAnyMetricsHasFailed) {
  Controllers controllers(server);
  reading = [](int) { return no_series(); };
  const auto measured = run(plan("reactive"));
  ASSERT_FALSE(measured);
  EXPECT_TRUE(measured.error().message.starts_with("the policy had no request rate in any of "))
      << measured.error().message;
  expect_all_back();
  EXPECT_TRUE(directory.names().empty());
}

TEST_F(ClusterPlaceTest, APolicyThatAsksNobodyNeedsNoMetrics) {
  Controllers controllers(server);
  reading = [](int) { return no_series(); };
  const auto measured = run(plan("static:5"));
  ASSERT_TRUE(measured) << measured.error().message;
  EXPECT_EQ(measured->cautions, std::vector<std::string>{});
}

TEST_F(ClusterPlaceTest, MetricsAreAskedForBeforeAnythingIsTouched) {
  ClusterSettings through_proxy = settings();
  through_proxy.metrics_right = kube::Right{
      .verb = "get", .group = "", .resource = "services/proxy", .namespace_name = "mon", .name = "http:prom:9090"};
  const auto message = [&](const std::string& policy) {
    ClusterPlace place(through_proxy, tools());
    const auto checked = place.check(plan(policy));
    return checked ? std::string("fine") : checked.error().message;
  };
  EXPECT_EQ(message("reactive"), "fine");
  reading = [](int) { return no_series(); };
  EXPECT_EQ(message("reactive"), "fine") << "may come with the load";
  EXPECT_EQ(talk, std::vector<std::string>{
                      "before the load, metrics of Deployment web in namespace shop: request rate: no series"});
  reading = [](int) {
    control::LiveReading nobody = no_series();
    nobody.was_answered = false;
    nobody.trouble = "request rate: 404";
    return nobody;
  };
  EXPECT_EQ(message("reactive"),
            "the policy decides by metrics, and Prometheus did not answer: request rate: 404; give --prom-namespace "
            "and --prom-service, or --prom-url");
  EXPECT_EQ(message("static:5"), "fine");
  EXPECT_EQ(message("cluster-hpa"), "fine");
  server.forbid("get", "services/proxy");
  EXPECT_TRUE(message("reactive")
                  .starts_with("missing right: get services/proxy in namespace mon (http:prom:9090); "
                               "deploy/optional/prometheus-proxy.yaml"))
      << message("reactive");
  EXPECT_EQ(message("static:5"), "fine");
  EXPECT_EQ(server.count("DELETE") + server.count("PATCH"), 0);
}

TEST_F(ClusterPlaceTest, WhatIsMissingIsSaidBeforeAnythingIsTouched) {
  ClusterPlace place(settings(), tools());
  server.forbid("delete", "horizontalpodautoscalers");
  server.forbid("create", "jobs");
  const auto without_rights = place.check(plan("static:5"));
  ASSERT_FALSE(without_rights);
  EXPECT_EQ(without_rights.error().message,
            "missing right: delete horizontalpodautoscalers of autoscaling in namespace shop; "
            "deploy/optional/experiments.yaml grants it\n"
            "missing right: create jobs of batch in namespace shop; deploy/optional/experiments.yaml grants it");
  EXPECT_EQ(server.count("DELETE") + server.count("PATCH"), 0);
}

TEST_F(ClusterPlaceTest, BadPlansAreRefusedWithTheirReason) {
  const auto message = [&](const lab::RunPlan& bad) {
    ClusterPlace place(settings(), tools());
    const auto checked = place.check(bad);
    return checked ? std::string("fine") : checked.error().message;
  };
  EXPECT_EQ(message(plan("static:5")), "fine");
  EXPECT_EQ(message(plan("cluster-hpa")), "fine");
  EXPECT_EQ(
      message(plan("cluster-hpa:target=lots")),
      "--policy cluster-hpa:target=lots: must be cluster-hpa or cluster-hpa:target=PERCENT, with a CPU target of 1 "
      "to 10000 % of the pods' requests");
  EXPECT_TRUE(message(plan("statik:5")).starts_with("--policy")) << message(plan("statik:5"));
  lab::RunPlan no_phases = plan("static:5");
  no_phases.phases.clear();
  EXPECT_NE(message(no_phases).find("has no phases of a constant rate"), std::string::npos);
  server.put_object(kHpaPath, hpa_object("web", 60, "uid", "ScaledObject"));
  EXPECT_NE(message(plan("static:5")).find("KEDA's ScaledObject web-scaler"), std::string::npos);
  EXPECT_EQ(message(plan("cluster-hpa")), "fine") << "measured as it is, it may belong to anybody";
  server.delete_object(kHpaPath);
  EXPECT_EQ(message(plan("static:5")), "fine") << "nothing to set aside";
  EXPECT_TRUE(
      message(plan("cluster-hpa"))
          .starts_with("no HorizontalPodAutoscaler scales Deployment web in namespace shop: nothing to measure"));
  server.delete_object(kDeploymentPath);
  EXPECT_NE(message(plan("static:5")).find("404 NotFound"), std::string::npos);
}

/// `get deployments/scale of apps`, sorted.
std::vector<std::string> granted_by_manifest() {
  const auto documents =
      config::parse_yaml(os::read_file(MPCA_SOURCE_DIR "/deploy/optional/experiments.yaml").value()).value();
  std::vector<std::string> granted;
  for (const config::Node& document : documents) {
    const config::Node* rules = document.find("rules");
    if (rules == nullptr) continue;
    for (const config::Node& rule : rules->items)
      for (const config::Node& group : rule.find("apiGroups")->items)
        for (const config::Node& resource : rule.find("resources")->items)
          for (const config::Node& verb : rule.find("verbs")->items)
            granted.push_back(cat(verb.text, " ", resource.text, " of ", group.text));
  }
  std::ranges::sort(granted);
  return granted;
}

TEST(NeededRights, AreThoseOfTheManifest) {
  std::vector<std::string> needed;
  for (const kube::Right& right : needed_rights(kWeb)) {
    EXPECT_EQ(right.namespace_name, "shop");
    needed.push_back(cat(right.verb, " ", right.resource, " of ", right.group));
  }
  std::ranges::sort(needed);
  EXPECT_EQ(needed, granted_by_manifest());
}

TEST(Tuning, IsThatOfTheScenarioUnlessSaidOtherwise) {
  ClusterSettings settings;
  EXPECT_EQ(tuning_of(settings, "spike").workload.min_replicas, 6);
  EXPECT_EQ(tuning_of(settings, "spike").rate_window, 15s);
  EXPECT_EQ(tuning_of(settings, "spike").workload.period, 5s);
  EXPECT_EQ(tuning_of(settings, "mine").workload.max_replicas, 12);
  settings.max_replicas = 20;
  EXPECT_EQ(tuning_of(settings, "spike").workload.max_replicas, 20);
}

}  // namespace
}  // namespace mpca::experiment
