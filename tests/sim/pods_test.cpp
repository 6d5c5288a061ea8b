#include "sim/pods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::int64_t>;

constexpr TimePoint kStart{};

PodSettings lag(std::string text) { return {.readiness_lag = std::move(text)}; }

Ids removed(PodSet& pods, int replicas, TimePoint now) {
  const auto ids = pods.scale_to(replicas, now);
  return {ids.begin(), ids.end()};
}

int events_until(PodSet& pods, TimePoint until) {
  int events = 0;
  while (pods.advance(until)) ++events;
  return events;
}

TEST(Pods, ThoseOfTheBeginningServeAtOnce) {
  const PodSet pods(lag("45s"), 1, kStart, 3);
  EXPECT_EQ(pods.spec(), 3);
  EXPECT_EQ(pods.ready(), 3);
  EXPECT_EQ(pods.started(), 0);
  EXPECT_EQ(pods.next_event(), TimePoint::max());
}

TEST(Pods, ANewOneIsReadyAfterExactlyItsLag) {
  PodSet pods(lag("45s"), 1, kStart, 1);
  EXPECT_TRUE(removed(pods, 2, kStart + 10s).empty());
  EXPECT_EQ(pods.next_event(), kStart + 55s);
  EXPECT_FALSE(pods.advance(kStart + 55s - 1ns));
  const auto event = pods.advance(kStart + 55s);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, PodEventKind::ready);
  EXPECT_EQ(event->pod, 2);
  EXPECT_EQ(event->time, kStart + 55s);
  EXPECT_EQ(pods.ready(), 2);
  EXPECT_EQ(pods.pods()[1].ready_changed, kStart + 55s);
  EXPECT_EQ(pods.started(), 1);
}

TEST(Pods, ThoseThatServeLeastGoFirstAndTheYoungestOfThem) {
  PodSet pods(lag("10s"), 1, kStart, 2);  // 1, 2
  pods.scale_to(3, kStart);               // 3 is Ready at 10 s
  events_until(pods, kStart + 10s);
  pods.scale_to(5, kStart + 15s);  // 4 and 5 are not Ready
  EXPECT_EQ(removed(pods, 1, kStart + 20s), (Ids{5, 4, 3, 2}));
  EXPECT_EQ(pods.ready(), 1);
  EXPECT_EQ(pods.existing(), 1);
}

TEST(Pods, AStuckOneIsNeverReadyAndIsTakenAwayFirst) {
  PodSettings settings = lag("10s");
  settings.stuck_share = 1.0;
  PodSet pods(settings, 1, kStart, 1);
  pods.scale_to(2, kStart);
  EXPECT_EQ(events_until(pods, kStart + 1000h), 0);
  EXPECT_EQ(pods.ready(), 1);
  EXPECT_EQ(removed(pods, 1, kStart + 1000h), Ids{2});
}

// 10,000 pods, standard error sqrt(0.2 x 0.8 / 10000) = 0.004.
TEST(Pods, TheShareOfStuckOnesIsAsAsked) {
  PodSettings settings = lag("10s");
  settings.stuck_share = 0.2;
  PodSet pods(settings, 5, kStart, 0);
  pods.scale_to(10'000, kStart);
  EXPECT_NEAR(static_cast<double>(std::count_if(pods.pods().begin(), pods.pods().end(),
                                                [](const Pod& p) { return p.next_change == TimePoint::max(); })),
              2000.0, 160.0);
}

// Back-off 10 s, 20 s, 40 s … 300 s, and then 5 s until it is Ready.
TEST(Pods, ACrashedOneStartsAgainAfterABackOffThatDoubles) {
  PodSettings settings = lag("5s");
  settings.crashes_per_hour = 60.0;
  PodSet pods(settings, 3, kStart, 1);
  for (const Duration backoff : {10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    const auto crash = pods.advance(TimePoint::max());
    ASSERT_TRUE(crash);
    EXPECT_EQ(crash->kind, PodEventKind::crashed);
    EXPECT_EQ(pods.ready(), 0);
    const auto again = pods.advance(TimePoint::max());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind, PodEventKind::ready);
    EXPECT_EQ(again->time - crash->time, backoff + 5s);
  }
  EXPECT_EQ(pods.pods()[0].restarts, 7);
  EXPECT_EQ(pods.spec(), 1);
  EXPECT_EQ(pods.started(), 0) << "a restart is no new pod";
}

// 2000 pods for an hour at 0.5 crashes: 1000 expected or so (what restarts serves less), standard deviation 32.
TEST(Pods, CrashesComeAsOftenAsAsked) {
  PodSettings settings = lag("0s");
  settings.crashes_per_hour = 0.5;
  settings.crash_backoff = 0s;
  PodSet pods(settings, 3, kStart, 2000);
  int crashes = 0;
  while (const auto event = pods.advance(kStart + 1h)) crashes += event->kind == PodEventKind::crashed ? 1 : 0;
  EXPECT_NEAR(crashes, 1000, 5 * 32);
}

TEST(Pods, OneThatDrainsExistsAndServesNoMore) {
  PodSettings settings = lag("10s");
  settings.drain = 30s;
  PodSet pods(settings, 1, kStart, 3);
  EXPECT_EQ(removed(pods, 2, kStart + 5s), Ids{3});
  EXPECT_EQ(pods.ready(), 2);
  EXPECT_EQ(pods.existing(), 3);
  EXPECT_EQ(pods.draining().front().id, 3);
  EXPECT_FALSE(pods.advance(kStart + 35s - 1ns));
  const auto event = pods.advance(kStart + 35s);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, PodEventKind::gone);
  EXPECT_EQ(pods.existing(), 2);
}

TEST(Pods, TheKthPodHasTheSameLagWheneverItIsAskedForAndWhateverElseHappens) {
  const auto lags = [](double stuck_share, double crashes_per_hour, bool at_once) {
    PodSettings settings;
    settings.stuck_share = stuck_share;
    settings.crashes_per_hour = crashes_per_hour;
    PodSet pods(settings, 11, kStart, 5);
    std::vector<std::pair<std::int64_t, Duration>> result;
    TimePoint now = kStart;
    while (pods.started() < 20) {
      if (!at_once) events_until(pods, now += 600s);
      pods.scale_to(at_once ? 25 : pods.spec() + 1, now);
      for (const Pod& pod : pods.pods()) {
        if (pod.created == now && !pod.is_ready && pod.restarts == 0 && pod.next_change != TimePoint::max())
          result.emplace_back(pod.id, pod.next_change - pod.created);
      }
    }
    return result;
  };
  const auto plain = lags(0.0, 0.0, true);
  ASSERT_EQ(plain.size(), 20u);
  EXPECT_EQ(lags(0.0, 0.0, false), plain);
  EXPECT_EQ(lags(0.0, 20.0, false), plain) << "restarts draw from streams of their own";
  for (const auto& lag : lags(0.3, 0.0, false)) EXPECT_NE(std::find(plain.begin(), plain.end(), lag), plain.end());
}

TEST(Pods, APodCrashesAtItsTimeWhateverTheOthersDo) {
  const auto first_crash_of_2 = [](int replicas) {
    PodSettings settings = lag("5s");
    settings.crashes_per_hour = 30.0;
    PodSet pods(settings, 3, kStart, replicas);
    while (const auto event = pods.advance(TimePoint::max()))
      if (event->pod == 2) return event->time;
    return TimePoint::max();
  };
  EXPECT_EQ(first_crash_of_2(2), first_crash_of_2(50));
}

TEST(Pods, TheDefaultLagsHaveMean30SecondsAndSpread9) {
  PodSet pods({}, 2, kStart, 0);
  pods.scale_to(20'000, kStart);
  double sum = 0.0, squares = 0.0;
  for (const Pod& pod : pods.pods()) {
    const double lag_s = to_seconds(pod.next_change - kStart);
    sum += lag_s;
    squares += lag_s * lag_s;
  }
  const double mean = sum / 20'000;
  EXPECT_NEAR(mean, 30.0, 0.32);  // five standard errors of 9 / sqrt(20000) = 0.064
  EXPECT_NEAR(std::sqrt(squares / 20'000 - mean * mean), 9.0, 0.3);
}

}  // namespace
}  // namespace mpca::sim
