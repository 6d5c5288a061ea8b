// replay, explain and report shadow of a flight recorder's directory, called as main calls them.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "apps/call_command.h"
#include "core/os/file.h"
#include "core/text.h"
#include "runlog/flight_recorder.h"
#include "support/observations.h"
#include "support/temporary_directory.h"

namespace mpca::app {
namespace {

using test::TemporaryDirectory;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Two workloads, 200 decisions each, the whole hour on four replicas.
void record_an_hour(const std::string& directory) {
  auto recorder = runlog::FlightRecorder::open(directory, {}).value();
  for (const auto& [name, policy_text] :
       {std::pair<std::string, std::string>{"shop/web", "predictive"}, {"shop/api", "reactive:target=0.7"}}) {
    const runlog::DecisionLogHeader header{
        .policy = policy_text, .workload = {}, .world = "cluster", .trace = name, .program = "test"};
    const auto policy = policy::create_policy(policy_text, header.workload, "test").value();
    for (int i = 0; i < 200; ++i) {
      const policy::Observation observation = test::observed(15 * i, 4, 60.0 + 30.0 * std::sin(0.1 * i));
      const std::string memory =
          recorder.wants_state(name, header, observation.now) ? policy->save_state() : std::string();
      ASSERT_TRUE(recorder.record(name, header, memory, {observation, policy->decide(observation)}));
    }
  }
}

TEST(RecordingCommands, ReplayNamesTheWorkloadsAndRepeatsTheOneThatIsAskedFor) {
  TemporaryDirectory directory;
  record_an_hour(directory.path());
  const Answer which = call(replay_command(), {{"log", directory.path()}});
  EXPECT_EQ(which.code, 2);
  EXPECT_TRUE(contains(which.err, "say which with --workload: shop/api, shop/web")) << which.err;

  const Answer list = call(replay_command(), {{"log", directory.path()}, {"list", "true"}});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(contains(list.out, "shop/api: 200 decisions, 1970-01-01T00:00:00Z to 1970-01-01T00:49:45Z\n"))
      << list.out;

  const Answer same = call(replay_command(), {{"log", directory.path()}, {"workload", "shop/web"}});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_TRUE(contains(same.out, "200 decisions of predictive: 200 the same, 0 with other replicas")) << same.out;

  const Answer other =
      call(replay_command(), {{"log", directory.path()}, {"workload", "shop/web"}, {"policy", "static:9"}});
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(contains(other.out, "asked of static:9: 0 the same, 200 with other replicas")) << other.out;

  const Answer none = call(replay_command(), {{"log", directory.path()}, {"workload", "shop/db"}});
  EXPECT_EQ(none.code, 2);
  EXPECT_TRUE(contains(none.err, "no workload \"shop/db\" is recorded")) << none.err;
}

TEST(RecordingCommands, ARecordingIsWrittenAsALogOfLines) {
  TemporaryDirectory directory;
  record_an_hour(directory.file("records"));
  const std::string lines = directory.file("web.jsonl");
  const Answer written =
      call(replay_command(), {{"log", directory.file("records")}, {"workload", "shop/web"}, {"write-jsonl", lines}});
  EXPECT_EQ(written.code, 0) << written.err;
  EXPECT_EQ(written.out, "Wrote 200 decisions: " + lines + "\n");
  const Answer replayed = call(replay_command(), {{"log", lines}});
  EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  const Answer named = call(replay_command(), {{"log", lines}, {"workload", "shop/web"}});
  EXPECT_EQ(named.code, 2);
  EXPECT_TRUE(contains(named.err, "--workload has no meaning")) << named.err;
}

TEST(RecordingCommands, ExplainReadsARecording) {
  TemporaryDirectory directory;
  record_an_hour(directory.path());
  const Answer answer = call(explain_command(), {{"run", directory.path()}, {"workload", "shop/web"}, {"at", "30m"}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_TRUE(contains(answer.out, "decision 120 of 200, 30m after the start")) << answer.out;
}

TEST(RecordingCommands, ReportShadowTellsBothBillsAndWritesThePage) {
  TemporaryDirectory directory;
  record_an_hour(directory.file("records"));
  const std::string page = directory.file("out/shadow.html");
  const Answer answer =
      call(report_shadow_command(), {{"log", directory.file("records")}, {"workload", "shop/web"}, {"html", page}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_TRUE(contains(answer.out, "shop/web: 200 decisions of predictive, 1970-01-01 00:00 to 1970-01-01 00:49 UTC"))
      << answer.out;
  // Four replicas for 199 periods of 15 s.
  EXPECT_TRUE(contains(answer.out, "3.3")) << answer.out;
  EXPECT_TRUE(contains(os::read_file(page).value_or(""), "--workload shop/web --html"))
      << "the command that repeats it";
}

TEST(RecordingCommands, ReportShadowKeepsPageAndTextApartOnTheStandardOutput) {
  TemporaryDirectory directory;
  record_an_hour(directory.path());
  const Answer answer =
      call(report_shadow_command(), {{"log", directory.path()}, {"workload", "shop/web"}, {"html", "-"}});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with("<!doctype html>"));
  EXPECT_TRUE(trim(answer.out).ends_with("</html>"));
  EXPECT_TRUE(contains(answer.err, "shop/web: 200 decisions of predictive")) << answer.err;
  EXPECT_FALSE(answer.err.contains("<html"));
}

}  // namespace
}  // namespace mpca::app
