#include "report/verdict.h"

#include <gtest/gtest.h>

#include "report/sample_measured.h"

namespace mpca::report {
namespace {

using Standings = std::vector<Standing>;

Verdict judge_spike(const Standings& standings) { return judge("On spike", standings, 0.7); }

struct Case {
  const char* why;
  Standings standings;  // policy, time over target, requests beyond capacity, replica-hours
  Outcome outcome;
  const char* server;
  const char* cheapest;
};

const Case kCases[] = {
    {"better and cheaper wins", {{"a", 0.04, 0.0, 6.9}, {"b", 0.09, 0.0, 10.0}}, Outcome::winner, "a", "a"},
    {"as good and cheaper wins", {{"a", 0.040, 0.0, 10.0}, {"b", 0.044, 0.0, 6.9}}, Outcome::winner, "b", "b"},
    {"better at the same cost wins", {{"a", 0.04, 0.0, 10.05}, {"b", 0.09, 0.0, 10.0}}, Outcome::winner, "a", "a"},
    {"better but dearer is a trade-off",
     {{"a", 0.04, 0.0, 12.0}, {"b", 0.09, 0.0, 10.0}},
     Outcome::trade_off,
     "a",
     "b"},
    {"half a point of time and 1% of cost are nothing",
     {{"a", 0.040, 0.0, 10.0}, {"b", 0.045, 0.001, 10.09}},
     Outcome::tie,
     "a",
     "a"},
    {"unserved requests decide where the time is equal",
     {{"a", 0.04, 0.05, 10.0}, {"b", 0.04, 0.01, 10.0}},
     Outcome::winner,
     "b",
     "b"},
    {"the greedy spender is no winner",
     {{"static:12", 0.0, 0.0, 30.0}, {"a", 0.3, 0.1, 5.0}},
     Outcome::trade_off,
     "static:12",
     "a"},
    {"of equally good servers the cheaper one stands for them",
     {{"static:12", 0.0, 0.0, 30.0}, {"static:10", 0.0, 0.0, 25.0}, {"a", 0.3, 0.1, 5.0}},
     Outcome::trade_off,
     "static:10",
     "a"},
    {"of equally cheap ones the better server stands for them",
     {{"a", 0.0, 0.0, 30.0}, {"b", 0.3, 0.1, 5.0}, {"c", 0.2, 0.1, 5.01}},
     Outcome::trade_off,
     "a",
     "c"},
    {"one policy has nobody to beat", {{"a", 0.04, 0.0, 6.9}}, Outcome::alone, "a", "a"},
    {"a policy that never runs anything is cheap, not good",
     {{"a", 0.0, 0.0, 10.0}, {"static:0", 1.0, 1.0, 0.0}},
     Outcome::trade_off,
     "a",
     "static:0"},
};

TEST(Verdict, FollowsTheRules) {
  for (const Case& c : kCases) {
    const Verdict verdict = judge_spike(c.standings);
    EXPECT_EQ(verdict.outcome, c.outcome) << c.why;
    EXPECT_EQ(c.standings[static_cast<std::size_t>(verdict.server)].policy, c.server) << c.why;
    EXPECT_EQ(c.standings[static_cast<std::size_t>(verdict.cheapest)].policy, c.cheapest) << c.why;
  }
}

TEST(Verdict, DoesNotDependOnTheOrderOfPolicies) {
  for (const Case& c : kCases) {
    Standings reversed(c.standings.rbegin(), c.standings.rend());
    const Verdict verdict = judge_spike(reversed);
    EXPECT_EQ(verdict.outcome, c.outcome) << c.why;
    if (c.outcome == Outcome::tie) continue;
    EXPECT_EQ(reversed[static_cast<std::size_t>(verdict.server)].policy, c.server) << c.why;
  }
}

TEST(Verdict, AWinnerIsToldWithBothFigures) {
  EXPECT_EQ(judge_spike({{"mpc", 0.04, 0.0, 6.9}, {"hpa", 0.09, 0.0, 10.0}}).sentence,
            "On spike, mpc kept utilization within the 70% target 96.0% of the time with 31% fewer replica-hours than "
            "hpa (91.0% of the time).");
}

TEST(Verdict, AWinnerByCostAloneSaysThatServiceWasEqual) {
  EXPECT_EQ(judge_spike({{"mpc", 0.0, 0.0, 9.5}, {"hpa", 0.0, 0.0, 10.0}}).sentence,
            "On spike, mpc kept utilization within the 70% target all of the time with 5.0% fewer replica-hours than "
            "hpa, which served users as well.");
}

TEST(Verdict, AWinnerByServiceAloneSaysThatCostWasEqual) {
  EXPECT_EQ(judge_spike({{"mpc", 0.04, 0.001, 10.0}, {"hpa", 0.04, 0.02, 10.0}}).sentence,
            "On spike, mpc kept utilization within the 70% target 96.0% of the time with as many replica-hours as hpa, "
            "which left 2.0% of the requests beyond capacity (mpc: 0.1%).");
}

TEST(Verdict, ATradeOffNamesWhatEachSideGivesUp) {
  EXPECT_EQ(judge_spike({{"mpc", 0.04, 0.0, 12.0}, {"hpa", 0.09, 0.02, 9.0}}).sentence,
            "On spike, it is a trade-off: mpc kept utilization within the 70% target 96.0% of the time, hpa 91.0% of "
            "the time with 25% fewer replica-hours.");
}

TEST(Verdict, ATradeOffInUnservedRequestsNamesThem) {
  EXPECT_EQ(judge_spike({{"mpc", 0.04, 0.001, 12.0}, {"hpa", 0.04, 0.02, 9.0}}).sentence,
            "On spike, it is a trade-off: hpa took 25% fewer replica-hours than mpc, but left 2.0% of the requests "
            "beyond capacity (mpc: 0.1%).");
}

TEST(Verdict, ATieNamesNoWinner) {
  EXPECT_EQ(judge_spike({{"a", 0.04, 0.0, 10.0}, {"b", 0.041, 0.0, 10.0}}).sentence,
            "On spike, there is no difference that matters: both policies kept utilization within the 70% target 96.0% "
            "of the time with as many replica-hours.");
}

// reactive is between the two and beaten by nobody; hpa is beaten by mpc, which is the cheapest.
TEST(Verdict, WhoIsBeatenInEverythingIsTold) {
  const Verdict verdict = judge_spike({{"static:12", 0.0, 0.0, 25.0},
                                       {"mpc", 0.04, 0.0, 10.0},
                                       {"hpa", 0.09, 0.004, 12.0},
                                       {"reactive", 0.02, 0.0, 11.0}});
  ASSERT_EQ(verdict.details.size(), 1u);
  EXPECT_EQ(verdict.details[0],
            "hpa against mpc: over the target 5.0 points more of the time, 0.4 points more of the requests beyond "
            "capacity, 20% more replica-hours; better in nothing.");
}

TEST(Verdict, SeveralThatAreEquallyGoodShareTheWin) {
  const Verdict verdict = judge_spike(
      {{"mpc", 0.0, 0.0, 5.0}, {"static:12", 0.0, 0.0, 10.0}, {"hpa", 0.001, 0.0, 5.0}, {"c", 0.0, 0.0, 5.0}});
  EXPECT_EQ(verdict.outcome, Outcome::shared);
  EXPECT_EQ(verdict.sentence,
            "On spike, mpc, hpa and c each kept utilization within the 70% target all of the time with 50% fewer "
            "replica-hours than static:12, which served users as well.");
  EXPECT_TRUE(verdict.details.empty());
}

TEST(Verdict, TheTargetIsShownAsItIs) {
  EXPECT_EQ(judge("On spike", Standings{{"a", 0.04, 0.0, 10.0}}, 0.625).sentence,
            "On spike, a kept utilization within the 62.5% target 96.0% of the time; there is no other policy to "
            "compare it with.");
}

TEST(Verdict, ABestThatIsBadIsCalledBad) {
  const Verdict verdict = judge_spike({{"a", 0.43, 0.1, 10.0}, {"b", 0.5, 0.2, 12.0}});
  EXPECT_EQ(verdict.outcome, Outcome::winner);
  EXPECT_EQ(verdict.details.front(), "None held the target well: even a was over it for 43.0% of the time.");
}

TEST(Verdict, RoundingNeverHidesAViolation) {
  EXPECT_NE(judge_spike({{"a", 0.0001, 0.0, 10.0}}).sentence.find("over 99.9% of the time"), std::string::npos);
}

RepeatedFigure exactly(double value) { return {value, value, value}; }

MeasuredStanding measured(const char* policy, double failed, double p95_s, double p99_s, double hours) {
  return {policy, exactly(failed), exactly(p95_s), exactly(p99_s), exactly(hours)};
}

Verdict judge_lab(const std::vector<MeasuredStanding>& standings) { return judge_measured("On spike", standings); }

TEST(MeasuredVerdict, AWinnerIsToldByWhatUsersGot) {
  EXPECT_EQ(judge_lab({measured("mpc", 0.001, 0.120, 0.340, 0.69), measured("hpa", 0.032, 0.480, 2.1, 1.0)}).sentence,
            "On spike, mpc served users better and took 31% fewer replica-hours than hpa: p95 latency 120 ms against "
            "480 ms, p99 340 ms against 2.10 s, 0.1% of the requests failed against 3.2%.");
}

TEST(MeasuredVerdict, ATradeOffNamesWhatEachSideGivesUp) {
  const Verdict verdict = judge_lab({measured("mpc", 0.0, 0.120, 0.340, 1.0), measured("hpa", 0.0, 0.480, 2.1, 0.8)});
  EXPECT_EQ(verdict.outcome, Outcome::trade_off);
  EXPECT_EQ(verdict.sentence,
            "On spike, it is a trade-off: mpc served users better (p95 latency 120 ms against 480 ms, p99 340 ms "
            "against 2.10 s, no request failed), hpa took 20% fewer replica-hours.");
}

// Failures decide before latency: refusing everything at once is fast.
TEST(MeasuredVerdict, FastFailuresAreNoService) {
  const Verdict verdict = judge_lab({measured("mpc", 0.0, 0.400, 0.900, 1.0), measured("fails", 0.5, 0.01, 0.02, 1.0)});
  EXPECT_EQ(verdict.outcome, Outcome::winner);
  EXPECT_EQ(verdict.server, 0);
}

TEST(MeasuredVerdict, ATenthOfLatencyIsNoDifference) {
  const Verdict verdict =
      judge_lab({measured("a", 0.0, 0.120, 0.340, 1.0), measured("b", 0.0005, 0.131, 0.370, 1.009)});
  EXPECT_EQ(verdict.outcome, Outcome::tie);
  EXPECT_EQ(
      verdict.sentence,
      "On spike, there is no difference that matters: a had a p95 latency of 120 ms, a p99 of 340 ms and no failed "
      "request, b much the same, with as many replica-hours.");
}

// p95 of 120 ms (100 to 300) against 200 ms (150 to 260): the medians differ by 40%, the repeats overlap.
TEST(MeasuredVerdict, ADifferenceWithinTheRepeatsDoesNotCountAndIsSaid) {
  std::vector<MeasuredStanding> standings = {measured("a", 0.0, 0, 0.340, 1.0), measured("b", 0.0, 0, 0.340, 0.8)};
  standings[0].latency_p95_s = {0.120, 0.100, 0.300};
  standings[1].latency_p95_s = {0.200, 0.150, 0.260};
  const Verdict verdict = judge_lab(standings);
  EXPECT_EQ(verdict.outcome, Outcome::winner);
  EXPECT_EQ(verdict.server, 1);
  ASSERT_EQ(verdict.details.size(), 1u);
  EXPECT_EQ(
      verdict.details[0],
      "No difference in p95 latency that the repeats confirm, their ranges overlap: b 200 ms (150 ms to 260 ms), a "
      "120 ms (100 ms to 300 ms).");
}

TEST(MeasuredVerdict, ADifferenceBeyondTheRepeatsCounts) {
  std::vector<MeasuredStanding> standings = {measured("a", 0.0, 0, 0.340, 1.0), measured("b", 0.0, 0, 0.340, 1.0)};
  standings[0].latency_p95_s = {0.120, 0.100, 0.149};
  standings[1].latency_p95_s = {0.200, 0.150, 0.260};
  EXPECT_EQ(judge_lab(standings).outcome, Outcome::winner);
  EXPECT_EQ(judge_lab(standings).server, 0);
}

TEST(MeasuredVerdict, ADoubtfulResultBeginsWithTheDoubt) {
  const Verdict verdict = overall_verdict(sample_measured(1, true));
  EXPECT_TRUE(verdict.is_doubtful);
  EXPECT_EQ(verdict.sentence.find("Not to be trusted, see the cautions on lab-hpa. On spike, "), 0u);
  EXPECT_FALSE(overall_verdict(sample_measured()).is_doubtful);
}

TEST(MeasuredVerdict, WithRepeatsTheirMediansAreJudged) {
  EXPECT_EQ(overall_verdict(sample_measured(3)).sentence.find("In the medians of 3 repeats, "), 0u);
}

TEST(MeasuredVerdict, OneRunSaysThatItIsOne) {
  EXPECT_EQ(overall_verdict(sample_measured()).details.back(),
            "Every policy ran once: how much of a difference is chance, only repeats can tell.");
}

RunMetrics run_of(double duration_s, double mean_replicas, double violation_ratio) {
  RunMetrics metrics;
  metrics.duration_s = duration_s;
  metrics.mean_replicas = mean_replicas;
  metrics.replica_hours = mean_replicas * duration_s / 3600.0;
  metrics.violation_ratio = violation_ratio;
  return metrics;
}

Comparison two_traces() {
  Comparison comparison;
  for (const char* name : {"short", "long"}) {
    TraceComparison& trace = comparison.traces.emplace_back();
    trace.name = name;
    for (const char* policy : {"mpc", "hpa"}) trace.runs.emplace_back().policy = policy;
  }
  return comparison;
}

// mpc: time over target (0 + 0.10) / 2 = 5%, replicas sqrt(2 x 8) = 4. hpa: (0.20 + 0.10) / 2 = 15%, sqrt(4 x 16) = 8.
TEST(OverallVerdict, CountsEveryTraceTheSame) {
  Comparison comparison = two_traces();
  comparison.traces[0].runs[0].metrics = run_of(60, 2, 0.0);
  comparison.traces[0].runs[1].metrics = run_of(60, 4, 0.2);
  comparison.traces[1].runs[0].metrics = run_of(1e6, 8, 0.1);
  comparison.traces[1].runs[1].metrics = run_of(1e6, 16, 0.1);
  EXPECT_EQ(overall_verdict(comparison).sentence,
            "Over all 2 traces, mpc kept utilization within the 70% target 95.0% of the time with 50% fewer "
            "replica-hours than hpa (85.0% of the time).");
}

TEST(OverallVerdict, OfOneTraceIsTheVerdictOfThatTrace) {
  Comparison comparison = two_traces();
  comparison.traces.pop_back();
  EXPECT_EQ(overall_verdict(comparison).sentence, verdict_of(comparison.traces[0], 0.7).sentence);
}

}  // namespace
}  // namespace mpca::report
