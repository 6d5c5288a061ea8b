// `hpa explain`, called as main calls it.
#include <gtest/gtest.h>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

const std::string kExamples = MPCA_TEST_DATA "/hpa/explain/";

Answer explain(const std::string& file, const std::string& state) {
  return call(hpa_explain_command(), {{"file", file}, {"state", state}});
}

// By hand: 3 x 600m of 3 x 500m is 120 %, ratio 2. The starting pod counts as idle: 1800 / 2000 is 90 %, 1.5 x 4 pods
// is 6. Half may be added per minute: 4 now, 1 of them came 30 s ago, so 3 x 1.5 = 4.5, rounded up 5.
TEST(HpaExplain, TellsTheArithmeticOfARolloutUnderARateLimit) {
  const Answer answer = explain(kExamples + "web.yaml", kExamples + "rollout.yaml");
  ASSERT_EQ(answer.code, 0) << answer.err;
  for (const std::string_view words :
       {"web for Deployment web", "3 pods count as they are (web-a, web-b, web-c)",
        "1 pod unready: left out, and idle if that damps a scale-up (web-d)",
        "ratio: 120 % (600m per pod) / 60 % = 2\n", "unready pods and of pods without a sample: 1.5\n",
        "tolerance: 0.9 to 1.1", "ceil(1.5 x 4 pods) = 6", "limits: ScaleUpLimit, 6 -> 5",
        "result: 4 -> 5; reason: cpu resource utilization (percentage of request) above target",
        "ScalingLimited True ScaleUpLimit", "events: SuccessfulRescale"}) {
    EXPECT_NE(answer.out.find(words), std::string::npos) << words << "\nin\n" << answer.out;
  }
}

// By hand: 24 % / 60 % = 0.4, x 4 = 1.6, so 2. Queue: 40 / (30 x 4) = 0.33, ceil(40 / 30) = 2. In the window of 300 s
// are 3 and 2; the 5 is 400 s old.
TEST(HpaExplain, TellsWhatHoldsALiveObjectUp) {
  const Answer answer = explain(kExamples + "live.yaml", kExamples + "quiet-evening.yaml");
  ASSERT_EQ(answer.code, 0) << answer.err;
  for (const std::string_view words :
       {"ceil(0.4 x 4 pods) = 2", "target 30 per pod", "greatest recommendation of the last 5m\n", "3 (2m30s ago)",
        "2 (now) -> 3", "result: 4 -> 3; reason: All metrics below target"}) {
    EXPECT_NE(answer.out.find(words), std::string::npos) << words << "\nin\n" << answer.out;
  }
  EXPECT_EQ(answer.out.find("5 ("), std::string::npos) << answer.out;
}

TEST(HpaExplain, BadInputIsRefusedWithEveryFieldOfBothFiles) {
  test::TemporaryDirectory directory;
  const std::string object = directory.file("hpa.yaml");
  const std::string state = directory.file("state.yaml");
  ASSERT_TRUE(os::write_file(object,
                             "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
                             "spec:\n  scaleTargetRef: {kind: Deployment, name: web}\n  maxReplica: 3\n"));
  ASSERT_TRUE(os::write_file(state, "now_s: soon\nscale: {spec_replicas: 3}\npods: [{name: a, phase: Sleeping}]\n"));
  const Answer answer = explain(object, state);
  EXPECT_EQ(answer.code, 2);
  EXPECT_EQ(answer.err, object + ": spec.maxReplica is not a field of this object (did you mean \"maxReplicas\"?)\n" +
                            object + ": spec.maxReplicas is missing\n" + state +
                            ": now_s is \"soon\"; must be a whole number\n" + state +
                            ": pods[0].phase is \"Sleeping\"; must be Pending, Running, Succeeded, Failed or Unknown");
}

}  // namespace
}  // namespace mpca::app
