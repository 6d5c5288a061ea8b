#include "experiment/load_job.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiment/objects.h"
#include "load/result_in_log.h"
#include "support/fake_api_server.h"

namespace mpca::experiment {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr const char* kPod = "/api/v1/namespaces/shop/pods/mpc-load-7-abc";

lab::RunPlan spike() {
  lab::RunPlan plan;
  plan.scenario = "spike";
  plan.phases = {{0, 3min, 20.0}, {1, 30s, 200.0}};
  plan.load = load::plan_from_phases(plan.phases);
  plan.load.seed = 7;
  return plan;
}

LoadJobSettings settings() {
  LoadJobSettings settings;
  settings.url = "http://web.shop.svc/work?cpu_ms=20";
  return settings;
}

TEST(LoadJob, ThePodHasNoRightsAndSaysItsLoad) {
  const json job = json::parse(load_job_of(kWeb, "mpc-load-7", spike(), settings(), {.name = "m", .uid = "u1"}));
  EXPECT_EQ(job["metadata"]["ownerReferences"][0],
            json({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "m"}, {"uid", "u1"}}));
  const json& spec = job["spec"];
  EXPECT_EQ(spec["backoffLimit"], 0) << "a second try would be a second load";
  // 5 min to start, 1 min to wait, 210 s of load, 30 s for the last answer.
  EXPECT_EQ(spec["activeDeadlineSeconds"], 300 + 60 + 210 + 30);
  EXPECT_EQ(spec["ttlSecondsAfterFinished"], 3600);
  EXPECT_EQ(spec["template"]["metadata"]["labels"]["sidecar.istio.io/inject"], "false");
  EXPECT_EQ(spec["template"]["metadata"]["annotations"], json({{"linkerd.io/inject", "disabled"}}));
  const json& pod = spec["template"]["spec"];
  EXPECT_EQ(pod["automountServiceAccountToken"], false);
  EXPECT_EQ(pod["serviceAccountName"], "mpc-experiment-load");
  EXPECT_EQ(pod["restartPolicy"], "Never");
  EXPECT_EQ(pod["securityContext"]["runAsNonRoot"], true);
  EXPECT_EQ(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
  const json& container = pod["containers"][0];
  EXPECT_EQ(container["securityContext"], json({{"allowPrivilegeEscalation", false},
                                                {"readOnlyRootFilesystem", true},
                                                {"capabilities", {{"drop", json::array({"ALL"})}}}}));
  EXPECT_EQ(container["command"], json::array({"loadgen"}));
  EXPECT_EQ(container["args"], json::array({"--url", "http://web.shop.svc/work?cpu_ms=20", "--phase", "3m@20",
                                            "--phase", "30s@200", "--arrivals", "constant", "--seed", "7", "--timeout",
                                            "30s", "--wait", "1m", "--report", "log"}));
}

class LoadJobInACluster : public testing::Test {
 protected:
  kube::Client make_client() {
    return {server.connection(), {.timeout = 1s, .max_attempts = 1}, limit, clock, RandomStream(1, "test")};
  }
  LoadJob create() {
    auto job = LoadJob::create(make_client(), kWeb, "mpc-load-7", spike(), settings(), {.name = "m", .uid = "u1"});
    EXPECT_TRUE(job) << job.error().message;
    return *std::move(job);
  }
  void put_pod(const std::string& status) {
    server.put_object(kPod,
                      R"({"metadata":{"labels":{"experiment.mpc.dev/load":"mpc-load-7"}},"status":)" + status + "}");
  }

  test::FakeApiServer server;
  VirtualClock clock;
  kube::RateLimit limit{1000, 1000};
};

TEST_F(LoadJobInACluster, TellsHowItsPodIs) {
  LoadJob job = create();
  EXPECT_EQ(job.look()->reason, "it has no pod yet");
  put_pod(R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable",)"
          R"("message":"0/3 nodes are available"}]})");
  EXPECT_EQ(job.look()->reason, "Unschedulable: 0/3 nodes are available");
  put_pod(
      R"({"phase":"Pending","containerStatuses":[{"name":"loadgen","state":{"waiting":{"reason":"ImagePullBackOff",)"
      R"("message":"Back-off pulling image"}}}]})");
  EXPECT_EQ(job.look()->reason, "ImagePullBackOff: Back-off pulling image");
  put_pod(R"({"phase":"Running","containerStatuses":[{"name":"loadgen","state":{"running":{}}}]})");
  EXPECT_EQ(job.look()->state, kube::PodRun::State::running);
  put_pod(
      R"({"phase":"Failed","containerStatuses":[{"name":"loadgen","state":{"terminated":{"reason":"OOMKilled","exitCode":137}}}]})");
  EXPECT_EQ(job.look()->state, kube::PodRun::State::failed);
  EXPECT_EQ(job.look()->reason, "OOMKilled, exit code 137");
  server.delete_object(kPod);
  EXPECT_EQ(job.look()->reason, "its pod is gone");
  EXPECT_EQ(job.look()->state, kube::PodRun::State::failed);
}

TEST_F(LoadJobInACluster, AContainerThatAMeshPutBesideItDoesNotCount) {
  LoadJob job = create();
  EXPECT_FALSE(job.look()->has_pod);
  const auto beside = [&](const std::string& state) {
    put_pod(R"({"phase":"Running","containerStatuses":[{"name":"istio-proxy","state":{"running":{}}},)"
            R"({"name":"loadgen","state":)" +
            state + "}]}");
    return *job.look();
  };
  EXPECT_EQ(beside(R"({"waiting":{"reason":"ContainerCreating"}})").state, kube::PodRun::State::waiting);
  EXPECT_EQ(beside(R"({"running":{}})").state, kube::PodRun::State::running);
  const LoadJob::View failed = beside(R"({"terminated":{"reason":"Error","exitCode":1}})");
  EXPECT_EQ(failed.state, kube::PodRun::State::failed);
  EXPECT_EQ(failed.reason, "Error, exit code 1");
  EXPECT_TRUE(failed.has_pod);
  EXPECT_EQ(beside(R"({"terminated":{"reason":"Completed","exitCode":0}})").state, kube::PodRun::State::succeeded);
}

TEST_F(LoadJobInACluster, ReadsTheResultOutOfTheLogAndLeavesNothing) {
  load::LoadResult measured;
  measured.length = 210s;
  measured.phases.resize(1);
  measured.phases[0].planned_length = 210s;
  {
    LoadJob job = create();
    put_pod(R"({"phase":"Succeeded"})");
    server.put_log(kPod, "a word\n" + load::result_lines(measured));
    ASSERT_EQ(job.look()->state, kube::PodRun::State::succeeded);
    const auto result = job.result();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->length, 210s);
    EXPECT_EQ(server.count("GET", "/log?container=loadgen"), 1) << "a pod of two is asked for one";
    server.put_log(kPod, "no good answer within 1m: connection refused\n");
    EXPECT_EQ(job.result().error().message,
              "load Job mpc-load-7: the log holds no result of loadgen; its log ends with: no good answer within 1m: "
              "connection refused");
  }
  EXPECT_TRUE(server.object("/apis/batch/v1/namespaces/shop/jobs/mpc-load-7").empty());
  EXPECT_EQ(server.count("DELETE", "propagationPolicy=Background"), 1);
}

TEST_F(LoadJobInACluster, AJobWhoseCreationGotNoAnswerIsOursAllTheSame) {
  server.add_fault({.kind = test::Fault::Kind::lost, .method = "POST", .path = "jobs"});
  const LoadJob job = create();
  EXPECT_FALSE(server.object("/apis/batch/v1/namespaces/shop/jobs/mpc-load-7").empty());
}

TEST_F(LoadJobInACluster, AJobThatWasGivenUpIsSaid) {
  LoadJob job = create();
  server.put_object("/apis/batch/v1/namespaces/shop/jobs/mpc-load-7",
                    R"({"status":{"conditions":[{"type":"Failed","status":"True","reason":"DeadlineExceeded",)"
                    R"("message":"Job was active longer than specified deadline"}]}})");
  EXPECT_EQ(job.look()->state, kube::PodRun::State::failed);
  EXPECT_EQ(job.look()->reason, "DeadlineExceeded: Job was active longer than specified deadline");
}

}  // namespace
}  // namespace mpca::experiment
