#include "kube/events.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube/api_under_test.h"
#include "support/fake_api_server.h"

namespace mpca::kube {
namespace {

using namespace std::chrono_literals;

constexpr const char* kEvents = "/apis/events.k8s.io/v1/namespaces/shop/events";

Event rescale(std::string note = "New size: 7") {
  return {.regarding = {"apps/v1", "Deployment", "shop", "web", "u1"},
          .reason = "SuccessfulRescale",
          .action = "Rescale",
          .note = std::move(note)};
}

class EventsTest : public testing::Test {
 protected:
  bool record(const Event& event, Duration at) {
    return recorder.record(client, event, at_seconds(1795532400) + at).has_value();
  }
  nlohmann::json last_body() const { return nlohmann::json::parse(server.requests().back().body); }

  test::FakeApiServer server;
  RateLimit limit{1000, 1000};
  VirtualClock clock;
  Client client{server.connection(), {}, limit, clock, RandomStream(1, "events")};
  EventRecorder recorder{"mpc.dev/autoscaler", "pod-1"};
};

TEST_F(EventsTest, AnEventSaysWhoDidWhatToWhom) {
  ASSERT_TRUE(record(rescale(), 0s));
  EXPECT_EQ(server.requests().back().path, kEvents);
  EXPECT_EQ(last_body(), nlohmann::json::parse(R"({
    "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"generateName": "web-", "namespace": "shop"},
    "eventTime": "2026-11-24T15:00:00.000000Z", "reportingController": "mpc.dev/autoscaler",
    "reportingInstance": "pod-1", "type": "Normal", "reason": "SuccessfulRescale", "action": "Rescale",
    "note": "New size: 7", "regarding": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web",
    "namespace": "shop", "uid": "u1"}})"));
}

TEST_F(EventsTest, RepetitionsAreASeriesThatIsWrittenOnceAMinute) {
  for (int i = 0; i <= 120; ++i) ASSERT_TRUE(record(rescale(), i * 1s));
  EXPECT_EQ(server.count("POST"), 1);
  EXPECT_EQ(server.count("PATCH"), 2);  // at 1 s and at 61 s
  EXPECT_EQ(last_body()["series"]["count"], 62);
  EXPECT_EQ(last_body()["series"]["lastObservedTime"], "2026-11-24T15:01:01.000000Z");
}

TEST_F(EventsTest, OtherReasonsAndLongPausesMakeNewEvents) {
  Event other = rescale();
  other.is_warning = true;
  record(rescale(), 0s);
  record(other, 1s);
  record(rescale(), 6min + 1s);
  EXPECT_EQ(server.count("POST"), 3);
  EXPECT_EQ(server.count("PATCH"), 0);
}

TEST_F(EventsTest, ASeriesWhoseEventHasGoneBeginsAnew) {
  record(rescale(), 0s);
  server.delete_object(std::string(kEvents) + "/web-101");
  ASSERT_TRUE(record(rescale(), 1s));
  EXPECT_EQ(server.count("POST"), 2);
}

TEST_F(EventsTest, ALongNoteIsCutBetweenLetters) {
  record(rescale(std::string(1023, 'a') + "ä"), 0s);
  EXPECT_EQ(last_body()["note"], std::string(1023, 'a'));
}

TEST_F(EventsTest, AFailureIsToldAndTheNextAttemptIsAsIfItWereTheFirst) {
  server.add_fault({.status = 403, .reason = "Forbidden"});
  EXPECT_FALSE(record(rescale(), 0s));
  EXPECT_TRUE(record(rescale(), 1s));
  EXPECT_EQ(server.count("POST"), 2);
}

class EventSuite : public test::ApiSuite {};

TEST_P(EventSuite, AreAcceptedWithTheirSeries) {
  const auto made = make_deployment("told", 0);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EventRecorder recorder("mpc.dev/autoscaler", "suite");
  const std::string uid = nlohmann::json::parse(*made)["metadata"]["uid"];
  const Event event{.regarding = {"apps/v1", "Deployment", api_->namespace_name(), "told", uid},
                    .reason = "Tested",
                    .action = "Test",
                    .note = "by the suite"};
  for (int i = 0; i < 2; ++i) {
    const auto recorded = recorder.record(client, event, clock_.now());
    ASSERT_TRUE(recorded.has_value()) << recorded.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(Api, EventSuite, test::apis_under_test(), test::api_name);

}  // namespace
}  // namespace mpca::kube
