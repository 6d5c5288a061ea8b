#include "policy/shadow_books.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;
using test::observed;

constexpr Workload kWorkload{.capacity_rps = 10.0, .min_replicas = 1, .max_replicas = 100, .period = 15s};

Decision decided(int replicas, std::optional<double> demand_rps, std::vector<NamedValue> values = {}) {
  Decision decision{.replicas = replicas, .explanation = {}};
  decision.explanation.demand_rps = demand_rps;
  decision.explanation.values = std::move(values);
  return decision;
}

// In charge: 4 replicas all the time. Ours: 7 from 0 s on, three more Ready at 30 s. Demand 60 rps, a pod serves 10.
// By hand, 0 to 60 s: in charge 4 x 60 s, late 20 rps x 60 s. Ours 7 x 60 s, late 20 rps x 30 s and then nothing.
TEST(ShadowBooks, WhatWeWouldHaveIsPaidAtOnceAndServesAfterTheReadinessLag) {
  ShadowBooks books(kWorkload, {.readiness_lag = 30s});
  for (int second = 0; second <= 60; second += 15) books.observe(observed(second, 4, 40.0), decided(7, 60.0));
  const ShadowFigures& figures = books.figures();
  EXPECT_EQ(figures.since, at_seconds(0));
  EXPECT_EQ(figures.booked, 60s);
  EXPECT_DOUBLE_EQ(figures.replica_hours, 4 * 60 / 3600.0);
  EXPECT_DOUBLE_EQ(figures.would_be_replica_hours, 7 * 60 / 3600.0);
  EXPECT_DOUBLE_EQ(figures.demand_requests, 3600.0);
  EXPECT_DOUBLE_EQ(figures.late_requests, 1200.0);
  EXPECT_DOUBLE_EQ(figures.would_be_late_requests, 600.0);
  EXPECT_DOUBLE_EQ(figures.late_share(), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(figures.would_be_late_share(), 1.0 / 6.0);
}

// A lag of 20 s ends 5 s into the second interval: by hand ours is late by 20 rps for 20 s. Both figures are learned.
TEST(ShadowBooks, LagAndCapacityAreThoseThatThePolicyHasLearned) {
  ShadowBooks books(kWorkload);
  std::optional<ShadowEntry> entry;
  for (int second = 0; second <= 30; second += 15)
    entry = books.observe(observed(second, 4, 40.0),
                          decided(6, 100.0, {{"readiness_lag_s", 20.0}, {"capacity_rps", 20.0}}));
  EXPECT_DOUBLE_EQ(books.figures().late_requests, 20.0 * 30);
  EXPECT_DOUBLE_EQ(books.figures().would_be_late_requests, 20.0 * 20);
  ASSERT_TRUE(entry);
  EXPECT_DOUBLE_EQ(entry->would_be_ready_replicas, (4 * 5 + 6 * 10) / 15.0);
  EXPECT_DOUBLE_EQ(entry->would_be_late_rps, 20.0 * 5 / 15.0);
  EXPECT_DOUBLE_EQ(entry->capacity_rps, 20.0);
}

// Pods that are taken back go at once, those that are not Ready first.
TEST(ShadowBooks, WhatIsTakenBackServesNoMore) {
  ShadowBooks books(kWorkload, {.readiness_lag = 60s});
  books.observe(observed(0, 4, 40.0), decided(8, 40.0));
  books.observe(observed(15, 4, 40.0), decided(3, 40.0));
  EXPECT_EQ(books.fleet().held(), 3);
  EXPECT_EQ(books.fleet().ready(), 3);
  books.observe(observed(30, 4, 40.0), decided(3, 40.0));
  EXPECT_DOUBLE_EQ(books.figures().would_be_replica_hours, (8 + 3) * 15 / 3600.0);
  EXPECT_DOUBLE_EQ(books.figures().would_be_late_requests, 10.0 * 15);
  EXPECT_DOUBLE_EQ(books.figures().late_requests, 0.0);
}

// The replicas of the one in charge that were starting at first are ours, too, as old as they are.
TEST(ShadowBooks, BothBeginWithTheSameFleet) {
  ShadowBooks books(kWorkload, {.readiness_lag = 30s});
  Observation first = observed(0, 6, 40.0);
  first.ready_replicas = 4;
  first.starting_pod_ages = {20s, 10s};
  books.observe(first, decided(6, 60.0));
  books.observe(observed(15, 6, 60.0), decided(6, 60.0));
  EXPECT_DOUBLE_EQ(books.figures().would_be_late_requests, 20.0 * 10 + 10.0 * 5) << "one is Ready at 10 s";
  EXPECT_DOUBLE_EQ(books.figures().replica_hours, books.figures().would_be_replica_hours);
}

TEST(ShadowBooks, AGapIsBookedForFourPeriodsAndTimeWithoutDemandIsSaid) {
  ShadowBooks books(kWorkload);
  books.observe(observed(0, 4, 40.0), decided(4, 40.0));
  const auto entry = books.observe(observed(3600, 4, 40.0), decided(4, std::nullopt));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->length, 60s);
  EXPECT_EQ(books.figures().booked, 60s);
  EXPECT_EQ(books.figures().unknown, 60s);
  EXPECT_DOUBLE_EQ(books.figures().demand_requests, 0.0);
  EXPECT_DOUBLE_EQ(books.figures().late_share(), 0.0);
  EXPECT_FALSE(books.observe(observed(3600, 4, 40.0), decided(4, 40.0))) << "time did not rise";
}

/// Second by second: what the books sum up by the moments at which pods become Ready.
struct SlowBooks {
  std::vector<std::pair<int, int>> asked;  // when, pods: oldest first
  double late = 0.0, paid = 0.0;
};

TEST(ShadowBooks, EqualBooksKeptSecondBySecond) {
  for (std::uint32_t run = 0; run < 200; ++run) {
    RandomStream random(11, "shadow", run);
    const int lag = static_cast<int>(random.below(90));
    ShadowBooks books(kWorkload, {.readiness_lag = std::chrono::seconds(lag)});
    SlowBooks slow;
    const int first = static_cast<int>(random.below(10));
    slow.asked.emplace_back(-1000, first);
    int last = 0;
    for (int step = 0; step < 40; ++step) {
      const int now = step == 0 ? 0 : last + 1 + static_cast<int>(random.below(60));
      const double demand = 100.0 * random.uniform();
      for (int second = last; second < now; ++second) {
        int ready = 0, held = 0;
        for (const auto& [when, pods] : slow.asked) {
          held += pods;
          if (second >= when + lag) ready += pods;
        }
        slow.paid += held;
        slow.late += std::max(demand - 10.0 * ready, 0.0);
      }
      last = now;
      const int replicas = static_cast<int>(random.below(12));
      books.observe(observed(now, step == 0 ? first : 5, 0.0), decided(replicas, demand));
      int held = 0;
      for (const auto& [when, pods] : slow.asked) held += pods;
      if (replicas > held) slow.asked.emplace_back(now, replicas - held);
      for (; held > replicas; --held) {
        // A cohort that is Ready is not younger than one that is not: the last one is the youngest.
        while (slow.asked.back().second == 0) slow.asked.pop_back();
        --slow.asked.back().second;
      }
    }
    ASSERT_NEAR(books.figures().would_be_late_requests, slow.late, 1e-6) << run;
    ASSERT_NEAR(books.figures().would_be_replica_hours, slow.paid / 3600.0, 1e-9) << run;
  }
}

TEST(ShadowBooks, SavedBooksGoOnAsIfNothingHadBeen) {
  RandomStream random(2, "shadow");
  ShadowBooks whole(kWorkload), interrupted(kWorkload);
  for (int i = 0; i < 300; ++i) {
    const Observation observation = observed(15 * i, static_cast<int>(random.below(9)), 40.0);
    const Decision decision = decided(static_cast<int>(random.below(12)), 100.0 * random.uniform());
    whole.observe(observation, decision);
    if (i % 10 == 3) {
      ShadowBooks next(kWorkload);
      ASSERT_TRUE(next.load_state(interrupted.save_state()));
      interrupted = next;
    }
    interrupted.observe(observation, decision);
  }
  EXPECT_EQ(whole.save_state(), interrupted.save_state());
  EXPECT_GT(whole.figures().late_share(), 0.0);
  ShadowBooks books(kWorkload);
  EXPECT_FALSE(books.load_state("mpca-state shadow-books 1\nsince 3\n"));
  EXPECT_FALSE(books.load_state("something else"));
}

}  // namespace
}  // namespace mpca::policy
