#include "study/play.h"

#include <gtest/gtest.h>

#include <numeric>

namespace mpca::study {
namespace {

using namespace std::chrono_literals;

trace::DemandTrace trace_of(std::vector<double> rps, Duration step) {
  return {.name = "t", .start = {}, .step = step, .demand_rps = std::move(rps), .phase_idx = {}};
}

TEST(Prepare, ScalesThePeakToSixtyReplicas) {
  // 1000 equal steps of 2 rps: the quantile is 2 rps, 60 replicas of 25 rps are 1500 rps.
  const Preset preset = load_preset("standard").value();
  const Play play = prepare(trace_of(std::vector<double>(1000, 2.0), 15s), "dir/t.csv", preset).value();
  EXPECT_DOUBLE_EQ(play.played.scale, 750.0);
  EXPECT_EQ(play.rate_rps.size(), 15000u);
  EXPECT_NEAR(play.rate_rps[77], 1500.0, 1e-9);
  EXPECT_EQ(play.played.file, "t.csv") << "no folders of a machine in results";
}

TEST(Prepare, PlaysLongStepsAtAMinuteAndCutsThePlay) {
  const Preset preset = load_preset("standard").value();
  const Play play = prepare(trace_of(std::vector<double>(5000, 1.0), 600s), "t", preset).value();
  EXPECT_EQ(play.played.file_step_s, 600.0);
  EXPECT_EQ(play.played.played_step_s, 60.0);
  EXPECT_EQ(play.played.seconds, 60.0 * 3333) << "200,000 s hold 3333 whole steps";
  const Preset native = load_preset("standard-native").value();
  EXPECT_EQ(prepare(trace_of(std::vector<double>(5000, 1.0), 600s), "t", native).value().played.played_step_s, 600.0);
}

TEST(Prepare, StraightLinesBetweenMiddlesAndPhasesHeld) {
  const Preset preset = load_preset("standard", {"peak-level=1", "peak-replicas=2"}).value();
  // Scaled by 1: 0 and 50 rps in steps of 20 s; the line rises from 0 at 10 s to 50 at 30 s.
  const Play lines = prepare(trace_of({0, 50}, 20s), "t", preset).value();
  EXPECT_DOUBLE_EQ(lines.rate_rps[5], 0.0);
  EXPECT_DOUBLE_EQ(lines.rate_rps[19], 23.75) << "from 22.5 to 25";
  EXPECT_DOUBLE_EQ(lines.rate_rps[39], 50.0);
  trace::DemandTrace phases = trace_of({0, 50}, 20s);
  phases.phase_idx = {0, 1};
  const Play held = prepare(phases, "t", preset).value();
  EXPECT_TRUE(held.played.is_held);
  EXPECT_DOUBLE_EQ(held.rate_rps[19], 0.0);
  EXPECT_DOUBLE_EQ(held.rate_rps[20], 50.0);
}

TEST(Prepare, NoDemandAndNoTimeAreErrorsThatNameTheFile) {
  const Preset preset = load_preset("standard").value();
  const auto idle = prepare(trace_of({0, 0, 0}, 15s), "idle.csv", preset);
  ASSERT_FALSE(idle.has_value());
  EXPECT_TRUE(idle.error().message.starts_with("idle.csv: no demand")) << idle.error().message;
  const auto brief = prepare(trace_of({1}, 5s), "brief.csv", preset);
  ASSERT_FALSE(brief.has_value());
  EXPECT_TRUE(brief.error().message.starts_with("brief.csv: shorter than")) << brief.error().message;
}

TEST(ArrivalsOf, AreTheSameForTheSameSeedOnly) {
  const Preset preset = load_preset("standard").value();
  const Play play = prepare(trace_of(std::vector<double>(40, 2.0), 15s), "t", preset).value();
  EXPECT_EQ(arrivals_of(play, preset, 1)->count, arrivals_of(play, preset, 1)->count);
  EXPECT_NE(arrivals_of(play, preset, 1)->count, arrivals_of(play, preset, 2)->count);
}

TEST(WorldMaker, PutsThePresetsFaultsIntoBothWorlds) {
  const Preset faulty = load_preset("standard", {"faults=missing", "fault-share=1"}).value();
  const Play play = prepare(trace_of(std::vector<double>(40, 2.0), 15s), "t", faulty).value();
  for (const char* name : {"fluid", "requests"}) {
    const WorldMaker make_world(faulty, name);
    const auto world = make_world(arrivals_of(play, faulty, 1), 70);
    for (int step = 0; step < 4; ++step) {
      EXPECT_EQ(world->next()->in_flight_requests, policy::Signal{}) << name;
      world->apply({.replicas = 70, .explanation = {}});
    }
  }
}

TEST(InitialReplicas, RunAtSixtyPercentOfTheGreatestRateOfTheFirstFiveMinutes) {
  const Preset preset = load_preset("standard").value();
  std::vector<double> rps(40, 1.0);
  rps[18] = 2.0;  // from 270 s on
  Play play =
      prepare(trace_of(rps, 15s), "t", load_preset("standard", {"peak-level=1", "interpolation=held"}).value()).value();
  EXPECT_EQ(initial_replicas(play, preset), 100) << "1500 rps / (25 x 0.6)";
  rps[18] = 1.0;
  rps[20] = 2.0;  // at 300 s it is too late
  play =
      prepare(trace_of(rps, 15s), "t", load_preset("standard", {"peak-level=1", "interpolation=held"}).value()).value();
  EXPECT_EQ(initial_replicas(play, preset), 50);
}

}  // namespace
}  // namespace mpca::study
