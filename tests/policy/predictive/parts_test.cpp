#include "policy/predictive/parts.h"

#include <gtest/gtest.h>

namespace mpca::policy {
namespace {

TEST(Parts, NothingIsLeftOutUnlessNamed) {
  EXPECT_TRUE(candidates_without(parse_parts("").value()).all());
  EXPECT_TRUE(candidates_without(parse_parts("contexts;mean").value()).all());
}

// 32 levels, 16 trends, 7 planners, 5 planners that keep, and the own HPA.
TEST(Parts, CandidatesAreLeftOutByFamily) {
  EXPECT_EQ(candidates_without(parse_parts("levels").value()).count(), 16U + 7U + 5U + 1U);
  const auto without_planners = candidates_without(parse_parts("planners; keeping").value());
  EXPECT_EQ(without_planners.count(), 32U + 16U + 1U);
  EXPECT_TRUE(without_planners[Candidates::kOwnHpa]);
  EXPECT_FALSE(without_planners[32 + 16]) << Candidates::name(32 + 16);
  EXPECT_FALSE(without_planners[Candidates::kOwnHpa - 1]);
}

TEST(Parts, UnknownNamesAndLeavingOutEverybodyAreRefused) {
  EXPECT_EQ(parse_parts("levels;plan").error().message,
            "\"plan\" must be one of levels, trends, planners, keeping, contexts, mean, in-flight, backlog");
  EXPECT_EQ(parse_parts("levels;trends;planners;keeping").error().message,
            "somebody has to decide: not all of levels, trends, planners and keeping can be left out");
}

}  // namespace
}  // namespace mpca::policy
