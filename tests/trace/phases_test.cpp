#include "trace/phases.h"

#include <gtest/gtest.h>

namespace mpca::trace {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<std::size_t> steps_of(std::vector<Duration> durations, Duration step) {
  std::vector<std::size_t> steps;
  for (const Duration duration : durations) {
    steps.push_back(trace_from_phases({{1, duration, 1.0}}, step, "t").value().demand_rps.size());
  }
  return steps;
}

TEST(Phases, UnitsAreSecondsMinutesAndHours) {
  const auto phases =
      parse_phases_csv("rate_rps,phase_idx,duration,note\r\n20,1,90s,\r\n0.5,2,3m,x\r\n7,3,1h,\r\n").value();
  EXPECT_EQ(phases, (std::vector<Phase>{{1, seconds(90), 20}, {2, minutes(3), 0.5}, {3, hours(1), 7}}));
  EXPECT_EQ(parse_phases_csv(phases_csv(phases)).value(), phases);
}

TEST(Phases, StepCountsRoundHalvesToEvenAndAreAtLeastOne) {
  // 75 s / 2 s = 37.5 -> 38; 5 s / 2 s = 2.5 -> 2; 7 s / 2 s = 3.5 -> 4; 1 s / 15 s -> at least 1.
  EXPECT_EQ(steps_of({seconds(75), seconds(5), seconds(7), seconds(6)}, seconds(2)),
            (std::vector<std::size_t>{38, 2, 4, 3}));
  EXPECT_EQ(steps_of({seconds(1), seconds(22), seconds(23)}, seconds(15)), (std::vector<std::size_t>{1, 1, 2}));
}

TEST(Phases, TheSpikePlanGivesThePackagedSpikeTrace) {
  const auto trace =
      trace_from_phases(parse_phases_csv("phase_idx,duration,rate_rps\n1,3m,20\n2,30s,200\n3,3m,20\n").value(),
                        seconds(15), "spike")
          .value();
  std::vector<double> demand(26, 20.0);
  demand[12] = demand[13] = 200.0;
  std::vector<int> phase(26, 1);
  phase[12] = phase[13] = 2;
  for (std::size_t i = 14; i < 26; ++i) phase[i] = 3;
  EXPECT_EQ(trace.demand_rps, demand);
  EXPECT_EQ(trace.phase_idx, phase);
  EXPECT_EQ(trace.step, seconds(15));
}

TEST(Phases, AllBadRowsAreReportedAtOnce) {
  const auto phases = parse_phases_csv(
      "phase_idx,duration,rate_rps\nx,30,20\n-1,0s,-1\n3,1.5m,nan\n4,99999999999h,1\n5,m,1\n6,10s,5\n");
  ASSERT_FALSE(phases);
  EXPECT_EQ(phases.error().message,
            "row 2: phase_idx must be an integer\n"
            "row 2: duration is \"30\"; must be a whole number with s, m or h, such as 30s\n"
            "row 3: phase_idx must be >= 0\n"
            "row 3: duration must be > 0\n"
            "row 3: rate_rps must be >= 0 requests/second\n"
            "row 4: duration is \"1.5m\"; must be a whole number with s, m or h, such as 30s\n"
            "row 4: rate_rps must be a number\n"
            "row 5: duration is \"99999999999h\"; must be a whole number with s, m or h, such as 30s\n"
            "row 6: duration is \"m\"; must be a whole number with s, m or h, such as 30s");
}

TEST(Phases, AFileWithoutHeaderColumnsOrRowsSaysSo) {
  EXPECT_EQ(parse_phases_csv("").error().message, "header row is required");
  EXPECT_EQ(parse_phases_csv("phase,rate_rps\n1,2\n").error().message, "missing required columns: phase_idx, duration");
  EXPECT_EQ(parse_phases_csv("phase_idx,duration,rate_rps\n").error().message,
            "phases CSV must contain at least one data row");
}

TEST(Phases, AnAbsurdPlanIsRefusedBeforeItFillsTheMemory) {
  EXPECT_FALSE(trace_from_phases({{1, hours(2'000'000), 1.0}}, std::chrono::milliseconds(1), "t"));
  EXPECT_FALSE(trace_from_phases({}, seconds(15), "t"));
  EXPECT_FALSE(trace_from_phases({{1, hours(1), 1.0}}, seconds(0), "t"));
}

}  // namespace
}  // namespace mpca::trace
