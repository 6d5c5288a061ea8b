#include "policy/predictive/own_hpa.h"

#include <gtest/gtest.h>

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

constexpr Workload kWorkload{.min_replicas = 1, .max_replicas = 100};

std::unique_ptr<OwnHpa> own_hpa(std::string_view settings) {
  return OwnHpa::create(settings, kWorkload, "test").value();
}

/// 10 requests/s are a pod at its limit, and a core.
OwnHpa::Situation at(int second, double demand_rps) {
  return {.now = TimePoint(std::chrono::seconds(second)),
          .spec_replicas = 4,
          .demand_rps = demand_rps,
          .capacity_rps = 10.0,
          .cores_per_rps = 0.1,
          .readiness_lag = 30s};
}

// 4 pods at 50 %: 24 requests/s take 2.4 cores, 60 %, which is 4.8 pods. The fifth is Ready after 30 s; then 48 %,
// within the tolerance of a tenth.
TEST(OwnHpa, BeginsWithWhatIsThereAndItsPodsAreReadyAfterTheLag) {
  const auto hpa = own_hpa("target=50+stabilization=0s");
  EXPECT_EQ(hpa->decide(at(0, 24.0)), 5);
  EXPECT_EQ(hpa->decide(at(15, 24.0)), 5);
  EXPECT_EQ(hpa->decide(at(30, 24.0)), 5);
  EXPECT_EQ(hpa->decide(at(45, 24.0)), 5);
}

// Demand of 100 is no more than 4 cores to it while four pods are Ready: 4 x 100 % / 50 % = 8, with those that start
// taken for idle still 8. When they are there, 8 cores of 16.
TEST(OwnHpa, AnOverloadLooksToItLikeItsPodsAtTheirLimit) {
  const auto hpa = own_hpa("target=50+stabilization=0s");
  EXPECT_EQ(hpa->decide(at(0, 100.0)), 8);
  EXPECT_EQ(hpa->decide(at(15, 100.0)), 8);
  EXPECT_EQ(hpa->decide(at(30, 100.0)), 16);
  EXPECT_EQ(hpa->decide(at(60, 100.0)), 20);
}

// An external metric shows it all demand, at once: 100 / 20 a pod.
TEST(OwnHpa, AMetricOfWhatUsersSendShowsFailuresToo) {
  const auto hpa = own_hpa("metrics=external/offered-rate:20+stabilization=0s");
  EXPECT_EQ(hpa->decide(at(0, 100.0)), 5);
}

TEST(OwnHpa, TheYoungestPodsGoFirst) {
  const auto hpa = own_hpa("target=50+stabilization=0s");
  ASSERT_EQ(hpa->decide(at(0, 40.0)), 8);   // four start
  ASSERT_EQ(hpa->decide(at(15, 10.0)), 2);  // they go, and two old ones
  EXPECT_EQ(hpa->decide(at(30, 10.0)), 2) << "what was taken away does not become Ready";
  EXPECT_EQ(hpa->decide(at(45, 19.0)), 4) << "two Ready pods at 95 %";
}

TEST(OwnHpa, SettingsThatTheHpaRefusesAreRefused) {
  const auto bad = OwnHpa::create("target=0+min=3", kWorkload, "here");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "here: target is \"0\"; must be a whole number >= 1 and <= 10000");
}

TEST(OwnHpa, GoesOnFromItsStateAndNotFromThatOfAnotherObject) {
  const auto original = own_hpa("target=50");
  for (int second = 0; second < 600; second += 15) original->decide(at(second, second % 200 < 100 ? 24.0 : 80.0));
  StateWriter writer("test", 1);
  original->save(writer);
  const StateReader reader = StateReader::open(writer.take(), "test", 1).value();

  const auto restarted = own_hpa("target=50");
  EXPECT_TRUE(restarted->load(reader).value());
  for (int second = 600; second < 1800; second += 15) {
    const OwnHpa::Situation now = at(second, second % 300 < 100 ? 10.0 : 60.0);
    ASSERT_EQ(restarted->decide(now), original->decide(now)) << second;
  }
  EXPECT_FALSE(own_hpa("target=60")->load(reader).value());
  EXPECT_FALSE(own_hpa("target=50")->load(StateReader::open("mpca-state test 1\n", "test", 1).value()).value());
  const StateReader damaged =
      StateReader::open("mpca-state test 1\nown_hpa_name " + std::to_string(reader.integer("own_hpa_name").value()) +
                            "\nown_hpa_ready -2\n",
                        "test", 1)
          .value();
  EXPECT_FALSE(own_hpa("target=50")->load(damaged));
}

}  // namespace
}  // namespace mpca::policy
