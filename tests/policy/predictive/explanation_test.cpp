#include "policy/predictive/explanation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/random.h"
#include "policy/guards.h"
#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;
using test::observed;

std::unique_ptr<Policy> predictive(std::string_view settings = "") {
  return create_policy("predictive" + (settings.empty() ? "" : ":" + std::string(settings)),
                       {.min_replicas = 1, .max_replicas = 100}, "test")
      .value();
}

/// Each 15 s a demand that rises and falls by chance; what is decided is carried out. Calls look(observation,
/// decision).
template <class Look>
void noisy_hours(Policy& policy, int steps, Look look) {
  RandomStream random(17, "noise");
  int replicas = 10;
  double rps = 200.0;
  for (int step = 0; step < steps; ++step) {
    rps = std::clamp(rps * std::exp(0.15 * random.normal()), 20.0, 1500.0);
    const Observation observation = observed(15 * step, replicas, std::min(rps, replicas * 25.0));
    const Decision decision = policy.decide(observation);
    look(observation, decision);
    replicas = decision.replicas;
  }
}

TEST(ExplanationOfPredictive, TheCandidatesThatCarryComeFirstAndTheCheapestIsNamed) {
  const auto policy = predictive();
  int with_books = 0;
  noisy_hours(*policy, 500, [&](const Observation&, const Decision& decision) {
    const std::vector<CandidateVote>& votes = decision.explanation.candidates;
    if (votes.empty()) return;
    ++with_books;
    ASSERT_GE(votes.size(), 3U);
    ASSERT_LE(votes.size(), 6U);
    double sum = 0.0, cheapest = votes.front().cost + 10.0 * votes.front().late_share;
    for (std::size_t i = 0; i < votes.size(); ++i) {
      sum += votes[i].weight;
      ASSERT_GE(votes[i].weight, 0.0);
      ASSERT_GE(votes[i].cost, 0.0);
      ASSERT_GE(votes[i].late_share, 0.0);
      ASSERT_LE(votes[i].late_share, 1.0 + 1e-6);
      ASSERT_GE(votes[i].replicas, 1.0);
      ASSERT_LE(votes[i].replicas, 100.0);
      ASSERT_LE(votes[i].weight, votes[i > 0 ? i - 1 : 0].weight);
      ASSERT_TRUE(i <= 2 || i + 1 == votes.size() || votes[i].weight >= 0.05);
      cheapest = std::min(cheapest, votes[i].cost + 10.0 * votes[i].late_share);
    }
    ASSERT_LE(sum, 1.0 + 1e-9);
    // Only the last may weigh little, and then because nothing else is cheaper.
    const bool is_cheapest_only = votes.size() > 3 && votes.back().weight < 0.05;
    ASSERT_TRUE(!is_cheapest_only || votes.back().cost + 10.0 * votes.back().late_share <= cheapest + 1e-9);
  });
  EXPECT_GT(with_books, 490);
}

// A load of 8 for hours: who holds 12 pays 12 / 8 = 1.5 for each replica that is busy; who pays 1.5 is late for
// nothing.
TEST(ExplanationOfPredictive, CostIsWhatWasHeldPerReplicaOfDemand) {
  const auto policy = predictive();
  int replicas = 10;
  Decision decision;
  for (int second = 0; second < 7200; second += 15) {
    decision = policy->decide(observed(second, replicas, 200.0));
    replicas = decision.replicas;
  }
  ASSERT_FALSE(decision.explanation.candidates.empty());
  for (const CandidateVote& vote : decision.explanation.candidates)
    EXPECT_NEAR(vote.cost, vote.replicas / 8.0, 0.01) << vote.name;
}

// Without `hold` and guards, the decision is never outside the band: with less than its lower end we raise, with more
// than its upper end we lower.
TEST(ExplanationOfPredictive, TheBandSaysWhenItRaisesAndWhenItLowers) {
  for (const char* settings : {"", "late-price=100", "late-share=0.01"}) {
    const auto policy = predictive(settings);
    int wide = 0;
    noisy_hours(*policy, 1500, [&](const Observation&, const Decision& decision) {
      const Explanation& why = decision.explanation;
      ASSERT_TRUE(why.band && why.recommendation);
      ASSERT_LE(why.band->raise_below, why.band->lower_above);
      const int wanted = ceil_replicas(*why.recommendation - 0.4);
      ASSERT_GE(wanted, why.band->raise_below);
      ASSERT_LE(wanted, why.band->lower_above);
      wide += why.band->raise_below < why.band->lower_above ? 1 : 0;
    });
    EXPECT_GT(wide, 10) << settings;
  }
}

TEST(ExplanationOfPredictive, TheStatusSaysByWhatItIsJudged) {
  std::string status;
  const auto last_status = [&](const char* settings) {
    const auto policy = predictive(settings);
    noisy_hours(*policy, 5,
                [&](const Observation&, const Decision& decision) { status = decision.explanation.status; });
    return status;
  };
  EXPECT_EQ(last_status(""), "late price 10");
  EXPECT_EQ(last_status("late-price=2.3"), "late price 2.3");
  EXPECT_EQ(last_status("late-share=0.07"), "target share 7 %");
}

TEST(ExplanationOfPredictive, MissingMetricsAreSaidInItsStatus) {
  const auto policy = predictive();
  policy->decide(observed(0, 5, 100.0));
  Observation blind = observed(15, 5, 0.0);
  blind.served_rate_rps = {};
  EXPECT_EQ(policy->decide(blind).explanation.status, "hold: the served rate is missing");
}

}  // namespace
}  // namespace mpca::policy
