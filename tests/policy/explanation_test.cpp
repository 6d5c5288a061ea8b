// The sentence of a decision.
#include <gtest/gtest.h>

#include "policy/decision.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

Observation holding(int replicas) {
  Observation observation;
  observation.spec_replicas = replicas;
  return observation;
}

Decision planned() {
  Decision decision{.replicas = 12, .explanation = {}};
  Explanation& why = decision.explanation;
  why.rule = "mean of the candidates, weighted by what they would have cost";
  why.demand_rps = 212.0;
  why.demand_source = "served rate + failed rate";
  why.forecast = {{48s, 0.5, 220.0}, {48s, 0.97, 260.0}, {48s, 0.998, 300.0}};
  why.candidates = {{"planner q 0.97", 0.714, 11.0, 1.3, 0.002}, {"level x1.15", 0.2, 10.0, 1.2, 0.01}};
  why.band = {9, 11};
  why.recommendation = 11.4;
  why.guards = {{"reactive_floor", 11, 12}};
  why.status = "late price 10";
  return decision;
}

TEST(ExplanationSentence, APlanSaysItsFanWhoCarriedItAndItsBand) {
  EXPECT_EQ(explanation_sentence(holding(10), planned()),
            "demand 212.0 rps (served rate + failed rate), at most 260.0 rps (q 0.97) within 48s; \"planner q 0.97\" "
            "weighs 71 %; wanted 11.40 (below 9 raise, above 11 lower), reactive_floor 11 -> 12, late price 10: raise "
            "from 10 to 12 replicas");
}

TEST(ExplanationSentence, WhatIsNotKnownIsNotSaid) {
  Decision decision = planned();
  decision.explanation.candidates.clear();
  decision.explanation.band = {11, 11};
  decision.explanation.guards.clear();
  decision.explanation.status.clear();
  EXPECT_EQ(explanation_sentence(holding(12), decision),
            "demand 212.0 rps (served rate + failed rate), at most 260.0 rps (q 0.97) within 48s; wanted 11.40: stay "
            "at 12 replicas");
  decision.explanation = {};
  EXPECT_EQ(explanation_sentence(holding(13), decision), "lower from 13 to 12 replicas");
}

TEST(ExplanationSentence, AnotherPolicySaysItsRule) {
  Decision decision{.replicas = 4, .explanation = {}};
  Explanation& why = decision.explanation;
  why.rule = "ceil(demand / 17.5)";
  why.demand_rps = 80.0;
  why.demand_source = "served rate";
  why.forecast = {{0s, 0.5, 80.0}, {15s, 0.5, 81.0}};
  why.recommendation = 4.571;
  why.guards = {{"max_step", 6, 4}};
  why.status = "optimal";
  EXPECT_EQ(explanation_sentence(holding(7), decision),
            "demand 80.0 rps (served rate), forecast 81.0 rps at +15s, the rule ceil(demand / 17.5) asks for 4.57, "
            "max_step 6 -> 4, status optimal: lower from 7 to 4 replicas");
}

}  // namespace
}  // namespace mpca::policy
