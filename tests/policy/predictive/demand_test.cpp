#include "policy/predictive/demand.h"

#include <gtest/gtest.h>

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

/// A good served rate sampled at `second`, seen 5 s later; nothing else is shown.
ScreenedObservation seen(int second, double served_rps) {
  ScreenedObservation screened;
  screened.observation.now = TimePoint(std::chrono::seconds(second + 5));
  screened.observation.served_rate_rps = Signal::fresh(served_rps, 5s);
  screened.served_rate = Finding::good;
  screened.is_clean = true;
  return screened;
}

ScreenedObservation with_failed(ScreenedObservation screened, double failed_rps, Finding finding = Finding::good) {
  screened.observation.failed_rate_rps = Signal::fresh(failed_rps, 5s);
  screened.failed_rate = finding;
  return screened;
}

ScreenedObservation with_in_flight(ScreenedObservation screened, double in_flight, Finding finding = Finding::good) {
  screened.observation.in_flight_requests = Signal::fresh(in_flight, 5s);
  screened.in_flight = finding;
  return screened;
}

constexpr bool kFree = false, kSaturated = true;

TEST(Demand, IsWhatWasServedWhereNothingElseIsShown) {
  Demand demand;
  EXPECT_FALSE(demand.has_sample());
  ASSERT_TRUE(demand.observe(seen(0, 80.0), kFree, 60s));
  EXPECT_TRUE(demand.has_sample());
  EXPECT_EQ(demand.sample().rps, 80.0);
  EXPECT_EQ(demand.sample().sampled, TimePoint(0s)) << "when it was sampled, not when it was seen";
  EXPECT_FALSE(demand.sample().is_censored);
  EXPECT_EQ(demand.source(), "served rate");
}

// In flight grows by 300 within 15 s: 20 requests/s more than was served and failed.
TEST(Demand, FailuresAndTheGrowthOfInFlightArePartOfIt) {
  Demand demand;
  ASSERT_TRUE(demand.observe(with_in_flight(with_failed(seen(0, 70.0), 10.0), 100.0), kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 80.0) << "one sample of in flight has no change yet";
  EXPECT_EQ(demand.source(), "served rate + failed rate");
  ASSERT_TRUE(demand.observe(with_in_flight(with_failed(seen(15, 70.0), 10.0), 400.0), kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 100.0);
  EXPECT_EQ(demand.source(), "served rate + failed rate + change of in flight");
}

// A backlog of 300 that is worked off within 15 s is 20 requests/s that nobody sent now.
TEST(Demand, WorkingOffABacklogIsNoDemandAndItIsNeverBelowZero) {
  Demand demand;
  demand.observe(with_in_flight(seen(0, 70.0), 300.0), kFree, 60s);
  demand.observe(with_in_flight(seen(15, 70.0), 0.0), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 50.0);
  demand.observe(with_in_flight(seen(30, 10.0), 3000.0), kFree, 60s);
  demand.observe(with_in_flight(seen(45, 10.0), 0.0), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 0.0);
}

// Served 60 by three quarters of the pods is 80 by all; failures are counted elsewhere.
TEST(Demand, WhatSomePodsServedStandsForAll) {
  Demand demand;
  ScreenedObservation screened = with_failed(seen(0, 60.0), 10.0);
  screened.covered_share = 0.75;
  ASSERT_TRUE(demand.observe(screened, kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 90.0);
  EXPECT_EQ(demand.source(), "served rate scaled up to all pods + failed rate");
  screened = seen(15, 60.0);
  screened.covered_share = 1.0;
  ASSERT_TRUE(demand.observe(screened, kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 60.0);
  EXPECT_EQ(demand.source(), "served rate");
}

TEST(Demand, OnlyANewAndGoodServedRateMakesASample) {
  Demand demand;
  ASSERT_TRUE(demand.observe(seen(30, 80.0), kFree, 60s));
  EXPECT_FALSE(demand.observe(seen(30, 90.0), kFree, 60s)) << "the same sample";
  EXPECT_FALSE(demand.observe(seen(15, 90.0), kFree, 60s)) << "an older one";
  for (const Finding finding : {Finding::missing, Finding::invalid, Finding::stale, Finding::duplicate,
                                Finding::reordered, Finding::zero_unconfirmed, Finding::impossible}) {
    ScreenedObservation screened = seen(45, 90.0);
    screened.served_rate = finding;
    EXPECT_FALSE(demand.observe(screened, kFree, 60s)) << words_of(finding);
  }
  EXPECT_EQ(demand.sample().rps, 80.0);
  EXPECT_EQ(demand.sample().sampled, TimePoint(30s));
}

// One pod, all of whose requests time out, serves nothing. Held at one pod for that, it would do so for ever.
TEST(Demand, InACollapseItIsAtLeastWhatFailsAndOnlyRises) {
  Demand demand;
  ASSERT_TRUE(demand.observe(seen(0, 20.0), kFree, 60s));
  const auto collapsed = [](int second, double failed_rps) {
    ScreenedObservation screened = with_failed(seen(second, 0.0), failed_rps);
    screened.observation.served_rate_rps = Signal::stale(25.0, 5s);  // what CPU speaks for
    screened.served_rate = Finding::zero_contradicted;
    return screened;
  };
  ASSERT_TRUE(demand.observe(collapsed(15, 500.0), kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 525.0);
  EXPECT_EQ(demand.sample().sampled, TimePoint(15s));
  EXPECT_TRUE(demand.sample().is_censored);
  EXPECT_EQ(demand.source(), "what failed and what CPU speaks for, at least");
  EXPECT_FALSE(demand.observe(collapsed(30, 400.0), kFree, 60s)) << "a lower bound takes nothing back";
  EXPECT_EQ(demand.sample().rps, 525.0);
  ASSERT_TRUE(demand.observe(seen(45, 300.0), kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 300.0) << "what is good again counts as it is";
  EXPECT_EQ(demand.source(), "served rate");
}

TEST(Demand, WithoutFailuresACollapseIsAtLeastWhatCpuSpeaksFor) {
  Demand demand;
  ASSERT_TRUE(demand.observe(seen(0, 20.0), kFree, 60s));
  ScreenedObservation screened = seen(15, 25.0);
  screened.observation.served_rate_rps.quality = Quality::stale;
  screened.served_rate = Finding::below_cpu;
  ASSERT_TRUE(demand.observe(screened, kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 25.0);
  screened.observation.served_rate_rps = {};
  EXPECT_FALSE(demand.observe(screened, kFree, 60s)) << "nothing is known";
}

// Users send 80/s all the time. From 0 s on pods serve 100/s of an old backlog for half a minute, then 60/s: what was
// served over the last minute and the change over the same minute make 80, as the last interval's change would not.
TEST(Demand, TheChangeOfInFlightIsTakenOverTheWindowOfTheRates) {
  const auto demand_with = [](Duration window) {
    Demand demand;
    const double in_flight[] = {900.0, 600.0, 300.0, 600.0, 900.0};
    const double served[] = {80.0, 85.0, 90.0, 85.0, 80.0};  // means over 60 s: 80 before 0 s
    double rps = 0.0;
    for (int i = 0; i < 5; ++i) {
      ScreenedObservation screened = with_in_flight(seen(15 * i, served[i]), in_flight[i]);
      screened.observation.rate_window = window;
      demand.observe(screened, kFree, 60s);
      rps = demand.sample().rps;
    }
    return rps;
  };
  EXPECT_EQ(demand_with(60s), 80.0);
  EXPECT_DOUBLE_EQ(demand_with(50s), 80.0 + 300.0 / 45.0) << "45 s is nearer than 60 s";
  EXPECT_EQ(demand_with(0s), 100.0) << "rates since the sample before";
  EXPECT_EQ(demand_with(15s), 100.0) << "a window of one interval is that as well";
  EXPECT_EQ(demand_with(1h), 80.0) << "the oldest there is";
}

// Users send 20/s, then 80/s; pods can serve 35/s, and what they served is a mean over the last minute. The queue grows
// by 45/s = 80 - 35: served 20 + growth 45 of the last 15 s is known at once, and the mean over the minute only
// follows.
TEST(Demand, WhileAQueueBuildsUpItsLastGrowthCounts) {
  const auto demand_at_45 = [](std::optional<double> queued_rps) {
    Demand demand;
    const double served[] = {20.0, 20.0, 23.75, 27.5};
    const double in_flight[] = {2.0, 2.0, 677.0, 1352.0};
    for (int i = 0; i < 4; ++i) {
      ScreenedObservation screened = with_in_flight(seen(15 * i, served[i]), in_flight[i]);
      screened.observation.rate_window = 60s;
      demand.observe(screened, kFree, 60s, queued_rps);
    }
    return std::pair(demand.sample().rps, demand.source());
  };
  EXPECT_EQ(demand_at_45(std::nullopt), std::pair(27.5 + 30.0, std::string("served rate + change of in flight")));
  EXPECT_EQ(demand_at_45(35.0), std::pair(27.5 + 45.0, std::string("served rate + growth of the queue")));
  EXPECT_EQ(demand_at_45(10.0).first, 57.5) << "pods that are gone serve no longer what the mean says: 10 + 45 is less";
}

// A queue that is worked off says nothing new: 300 fewer in 15 s, over the minute 600 more.
TEST(Demand, AQueueThatShrinksIsLeftToTheWindow) {
  Demand demand;
  const double in_flight[] = {0.0, 300.0, 600.0, 900.0, 600.0};
  for (int i = 0; i < 5; ++i) {
    ScreenedObservation screened = with_in_flight(seen(15 * i, 70.0), in_flight[i]);
    screened.observation.rate_window = 60s;
    demand.observe(screened, kFree, 60s, 70.0);
  }
  EXPECT_EQ(demand.sample().rps, 80.0);
}

// The first rate comes when 450 have piled up within 15 s.
TEST(Demand, InFlightIsRememberedFromBeforeThereIsARate) {
  Demand demand;
  ScreenedObservation screened = with_in_flight(seen(0, 0.0), 150.0);
  screened.served_rate = Finding::missing;
  screened.observation.served_rate_rps = Signal{};
  EXPECT_FALSE(demand.observe(screened, kFree, 60s));
  ASSERT_TRUE(demand.observe(with_in_flight(seen(15, 35.0), 600.0), kFree, 60s));
  EXPECT_EQ(demand.sample().rps, 65.0);
}

// In flight rises by 10 a second, and had been level: over the last minute that is 10 whatever the samples' distance.
TEST(Demand, DenseSamplesAreThinnedSoThatTheWindowIsCovered) {
  for (const int interval_s : {1, 2, 5, 7, 15, 45}) {
    Demand demand;
    for (int second = 0; second <= 630; second += interval_s) {
      ScreenedObservation screened = with_in_flight(seen(second, 0.0), second < 315 ? 0.0 : 10.0 * (second - 315));
      screened.observation.rate_window = 60s;
      demand.observe(screened, kFree, 60s);
      if (second >= 315 + 90 || second < 315) {
        ASSERT_NEAR(demand.sample().rps, second < 315 ? 0.0 : 10.0, 1e-9) << interval_s;
      } else if (second >= 315 + 2 * interval_s) {
        // 60 s before, within half an interval of what is kept.
        const double since_s = std::min(second - 315, 60);
        ASSERT_NEAR(demand.sample().rps, 10.0 * since_s / 60.0, 10.0 * (0.5 * std::max(interval_s, 5)) / 55.0)
            << interval_s << " at " << second;
      }
    }
    EXPECT_TRUE(demand.is_valid());
  }
}

TEST(Demand, ASampleOfInFlightSeenAgainIsNoNewChange) {
  Demand demand;
  demand.observe(with_in_flight(seen(0, 70.0), 0.0), kFree, 60s);
  demand.observe(with_in_flight(seen(15, 70.0), 300.0, Finding::duplicate), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 70.0);
  EXPECT_EQ(demand.source(), "served rate");
  demand.observe(with_in_flight(seen(30, 70.0), 300.0), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 80.0) << "300 within the 30 s since it was known";
}

TEST(Demand, AFailedRateSeenAgainStillCountsAndAStaleOneDoesNot) {
  Demand demand;
  demand.observe(with_failed(seen(0, 70.0), 10.0, Finding::duplicate), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 80.0);
  demand.observe(with_failed(seen(15, 70.0), 10.0, Finding::stale), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 70.0);
}

// 100 x 1.5, 2.25, 3.375, 4 and no more.
TEST(Demand, CensoredDemandIsHalfAsMuchAgainAfterEachDeadTimeUpToFourTimes) {
  Demand demand;
  const double expected[] = {150.0, 150.0, 225.0, 225.0, 337.5, 337.5, 400.0, 400.0, 400.0};
  int second = 0;
  for (const double rps : expected) {
    ASSERT_TRUE(demand.observe(seen(second, 100.0), kSaturated, 60s));
    EXPECT_EQ(demand.sample().rps, rps) << "at " << second << " s";
    EXPECT_TRUE(demand.sample().is_censored);
    second += 30;
  }
  EXPECT_EQ(demand.source(), "served rate, at least: the queue is full and failures are not counted");
  demand.observe(seen(second, 100.0), kFree, 60s);
  EXPECT_EQ(demand.sample().rps, 100.0) << "back to what is seen";
  EXPECT_FALSE(demand.sample().is_censored);
  demand.observe(seen(second + 15, 100.0), kSaturated, 60s);
  EXPECT_EQ(demand.sample().rps, 150.0) << "and from the beginning";
}

TEST(Demand, IsFiniteWhateverIsRead) {
  Demand demand;
  demand.observe(with_in_flight(with_failed(seen(0, 100.0), 1e308), 0.0), kSaturated, 60s);
  EXPECT_EQ(demand.sample().rps, 1e9);
  demand.observe(with_in_flight(seen(1, 1e308), 1e308), kSaturated, 60s);
  EXPECT_EQ(demand.sample().rps, 1.5e9);
}

TEST(Demand, WhereFailuresAreCountedNothingIsCensored) {
  Demand demand;
  demand.observe(with_failed(seen(0, 100.0), 40.0), kSaturated, 60s);
  EXPECT_EQ(demand.sample().rps, 140.0);
  EXPECT_FALSE(demand.sample().is_censored);
}

}  // namespace
}  // namespace mpca::policy
