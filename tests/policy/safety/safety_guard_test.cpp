#include "policy/safety/safety_guard.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What the screen says of `replicas` ready pods with good metrics.
ScreenedObservation clean(int second, int replicas) {
  ScreenedObservation seen;
  seen.observation.now = TimePoint(std::chrono::seconds(second));
  seen.observation.spec_replicas = seen.observation.ready_replicas = replicas;
  seen.observation.served_rate_rps = Signal::fresh(100.0, 5s);
  seen.served_rate = seen.failed_rate = seen.in_flight = seen.cpu = Finding::good;
  seen.is_clean = true;
  return seen;
}

ScreenedObservation unclean(int second, int replicas, Finding served) {
  ScreenedObservation seen = clean(second, replicas);
  seen.served_rate = served;
  seen.is_clean = false;
  return seen;
}

const Workload kWorkload{.min_replicas = 1, .max_replicas = 100};  // 25 requests/s a pod

class Guard : public testing::Test {
 protected:
  /// The decision; its guard steps are in `words_`: `reactive_floor 3 -> 5`.
  int apply(const ScreenedObservation& seen, std::optional<double> demand_rps, int wanted) {
    Explanation explanation;
    guard_.apply(seen, demand_rps, wanted, explanation);
    words_.clear();
    for (const GuardStep& step : explanation.guards) {
      words_ += (words_.empty() ? "" : ", ") + step.guard + " " + std::to_string(step.before) + " -> " +
                std::to_string(step.after);
    }
    status_ = explanation.status;
    return wanted;
  }
  /// Without the hold at the start, which would hide all others for five minutes.
  void use(SafetySettings settings) {
    settings.start_hold = 0s;
    guard_ = SafetyGuard(settings, kWorkload);
  }

  SafetyGuard guard_{SafetySettings{.start_hold = 0s}, kWorkload};
  std::string words_;
  std::string status_;
};

TEST_F(Guard, OnCleanMetricsADecisionPassesAsItIs) {
  EXPECT_EQ(apply(clean(0, 10), 100.0, 5), 5);
  EXPECT_EQ(words_, "");
  EXPECT_EQ(apply(clean(15, 5), 100.0, 9), 9);
  EXPECT_EQ(words_, "");
  EXPECT_EQ(status_, "");
}

// 200 / (25 x 0.99) = 8.08; 198 / 24.75 is 8 exactly.
TEST_F(Guard, TheFloorIsWhatTheDemandTakesAt99Percent) {
  EXPECT_EQ(apply(clean(0, 10), 200.0, 3), 9);
  EXPECT_EQ(words_, "reactive_floor 3 -> 9");
  EXPECT_EQ(apply(clean(15, 10), 198.0, 3), 8);
  EXPECT_EQ(apply(clean(30, 10), 200.0, 12), 12) << "it only raises";
  EXPECT_EQ(apply(clean(45, 10), std::nullopt, 3), 3) << "no demand, no floor";
  guard_.set_capacity_rps(50.0);  // 200 / 49.5 = 4.04
  EXPECT_EQ(apply(clean(60, 10), 200.0, 3), 5);
}

TEST_F(Guard, ADemandThatIsNotANumberIsNone) {
  int second = 0;
  for (const double nonsense : {kNaN, kInfinity, -kInfinity, -100.0})
    EXPECT_EQ(apply(clean(second += 15, 10), nonsense, 7), 7) << nonsense;
}

TEST_F(Guard, NothingGoesDownOnMetricsThatAreNotBelieved) {
  const struct {
    Finding finding;
    std::string guard;
  } kRows[] = {{Finding::missing, "missing_metrics"},
               {Finding::invalid, "missing_metrics"},
               {Finding::stale, "stale_metrics"},
               {Finding::duplicate, "metrics_not_new"},
               {Finding::reordered, "metrics_not_new"},
               {Finding::zero_unconfirmed, "suspicious_metrics"},
               {Finding::zero_contradicted, "suspicious_metrics"},
               {Finding::impossible, "suspicious_metrics"},
               {Finding::below_cpu, "suspicious_metrics"}};
  int second = 0;
  for (const auto& row : kRows) {
    EXPECT_EQ(apply(unclean(second += 15, 10, row.finding), 50.0, 4), 10);
    EXPECT_EQ(words_, row.guard + " 4 -> 10");
    EXPECT_EQ(status_, "hold: the served rate " + std::string(words_of(row.finding)));
    EXPECT_EQ(apply(unclean(second += 15, 10, row.finding), 300.0, 4), 13) << "but up it may: 300 / 24.75 = 12.1";
    EXPECT_EQ(words_, "reactive_floor 4 -> 13");
  }
}

TEST_F(Guard, ADuplicateIsSaidOnlyWhenItHeldSomething) {
  apply(unclean(0, 10, Finding::duplicate), 100.0, 10);
  EXPECT_EQ(status_, "");
  apply(unclean(15, 10, Finding::missing), 100.0, 10);
  EXPECT_EQ(status_, "hold: the served rate is missing");
}

TEST_F(Guard, AnotherSignalThatIsNotANumberHoldsToo) {
  ScreenedObservation seen = clean(0, 10);
  seen.in_flight = Finding::invalid;
  seen.is_clean = false;
  EXPECT_EQ(apply(seen, 50.0, 4), 10);
  EXPECT_EQ(words_, "missing_metrics 4 -> 10");
  EXPECT_EQ(status_, "hold: in flight is not a number >= 0");
}

TEST_F(Guard, MetricsOfAPartOfThePodsHold) {
  ScreenedObservation seen = clean(0, 10);
  seen.covered_share = 0.5;
  seen.is_clean = false;
  EXPECT_EQ(apply(seen, 50.0, 4), 10);
  EXPECT_EQ(words_, "partial_metrics 4 -> 10");
  EXPECT_EQ(status_, "hold: metrics of 50 % of the ready pods only");
}

TEST_F(Guard, BlindItHoldsWhateverIsWanted) {
  ScreenedObservation seen = unclean(0, 10, Finding::missing);
  seen.blind_for = 299s;
  EXPECT_EQ(apply(seen, std::nullopt, 12), 12);
  seen.observation.now += 15s;
  seen.blind_for = 5min;
  EXPECT_EQ(apply(seen, std::nullopt, 12), 10);
  EXPECT_EQ(words_, "blind 12 -> 10");
  EXPECT_EQ(status_, "blind for 5m, hold: the served rate is missing");
  seen.observation.now += 15s;
  EXPECT_EQ(apply(seen, std::nullopt, 4), 10);
  EXPECT_EQ(words_, "blind 4 -> 10");
  seen.observation.now += 15s;
  EXPECT_EQ(apply(seen, 300.0, 4), 13) << "a demand that is known otherwise has its floor";
}

// From 10 at most 10 more at once.
TEST_F(Guard, BlindItGoesToTheFallbackInSteps) {
  use({.max_up_share = 1.0, .fallback_replicas = 25});
  ScreenedObservation seen = unclean(0, 10, Finding::missing);
  seen.blind_for = 5min;
  EXPECT_EQ(apply(seen, std::nullopt, 4), 20);
  EXPECT_EQ(words_, "blind 4 -> 25, max_step_up 25 -> 20");
  seen = unclean(15, 20, Finding::missing);
  seen.blind_for = 315s;
  EXPECT_EQ(apply(seen, std::nullopt, 4), 25);
  seen = unclean(30, 30, Finding::missing);
  seen.blind_for = 330s;
  EXPECT_EQ(apply(seen, std::nullopt, 4), 30) << "never below what is there";
}

TEST_F(Guard, AfterHavingBeenBlindNothingGoesDownForTwoMinutes) {
  ScreenedObservation seen = unclean(0, 10, Finding::missing);
  seen.blind_for = 10min;
  apply(seen, std::nullopt, 4);
  EXPECT_EQ(apply(clean(15, 10), 100.0, 5), 10);
  EXPECT_EQ(words_, "recovery_hold 5 -> 10");
  EXPECT_EQ(apply(clean(120, 10), 100.0, 14), 14) << "up at any time";
  EXPECT_EQ(apply(clean(134, 10), 100.0, 5), 10);
  EXPECT_EQ(apply(clean(135, 10), 100.0, 5), 5);
}

TEST_F(Guard, NothingGoesDownInTheFirstFiveMinutes) {
  guard_ = SafetyGuard(SafetySettings{}, kWorkload);
  EXPECT_EQ(apply(clean(0, 10), 100.0, 5), 10);
  EXPECT_EQ(words_, "start_hold 5 -> 10");
  EXPECT_EQ(apply(clean(150, 10), 100.0, 14), 14) << "up at any time";
  EXPECT_EQ(apply(clean(299, 10), 100.0, 5), 10);
  EXPECT_EQ(apply(clean(300, 10), 100.0, 5), 5);
  EXPECT_EQ(apply(clean(900, 10), 100.0, 5), 5);
}

TEST_F(Guard, AShortGapNeedsNoRecovery) {
  apply(unclean(0, 10, Finding::missing), std::nullopt, 4);
  EXPECT_EQ(apply(clean(15, 10), 100.0, 5), 5);
}

TEST_F(Guard, MorePodsThanTheSpecAreARollout) {
  ScreenedObservation surge = clean(0, 10);
  surge.observation.starting_pod_ages = {3s};
  EXPECT_EQ(apply(surge, 100.0, 5), 10);
  EXPECT_EQ(words_, "rollout_hold 5 -> 10");
  EXPECT_EQ(apply(clean(59, 10), 100.0, 5), 10) << "a minute after the last sign";
  EXPECT_EQ(apply(clean(60, 10), 100.0, 5), 5);
}

TEST_F(Guard, ManyPodsGoneAtOnceWithTheSpecUnchangedAreARollout) {
  apply(clean(0, 30), 100.0, 30);
  ScreenedObservation three_gone = clean(15, 30);
  three_gone.observation.ready_replicas = 27;  // 10 % of 30
  three_gone.observation.starting_pod_ages = {1s, 1s, 1s};
  EXPECT_EQ(apply(three_gone, 100.0, 5), 30);
  EXPECT_EQ(words_, "rollout_hold 5 -> 30");
}

TEST_F(Guard, TwoOfThirtyAreACrash) {
  apply(clean(0, 30), 100.0, 30);
  ScreenedObservation two_gone = clean(15, 30);
  two_gone.observation.ready_replicas = 28;
  EXPECT_EQ(apply(two_gone, 100.0, 5), 5);
}

TEST_F(Guard, TerminatingPodsOfOurOwnScaleDownAreNoRollout) {
  apply(clean(0, 30), 100.0, 20);
  ScreenedObservation lowered = clean(15, 20);
  for (int pod = 21; pod <= 30; ++pod) {
    lowered.observation.pods.push_back({.id = pod,
                                        .started = {},
                                        .is_ready = false,
                                        .ready_changed = {},
                                        .is_terminating = true,
                                        .cpu_cores = {},
                                        .cpu_window = {}});
  }
  EXPECT_EQ(apply(lowered, 100.0, 15), 15);
  // But the same with the spec as it was is one.
  use({});
  apply(clean(0, 20), 100.0, 20);
  EXPECT_EQ(apply(lowered, 100.0, 15), 20);
}

TEST_F(Guard, StartingPodsOfOurOwnScaleUpAreNoRollout) {
  apply(clean(0, 10), 100.0, 20);
  ScreenedObservation raised = clean(15, 20);
  raised.observation.ready_replicas = 10;
  raised.observation.starting_pod_ages.assign(10, 15s);
  EXPECT_EQ(apply(raised, 100.0, 12), 12);
}

TEST_F(Guard, AStuckRolloutHoldsForAQuarterOfAnHour) {
  int second = 0;
  const auto surge_at = [&] {
    ScreenedObservation surge = clean(second, 10);
    surge.observation.starting_pod_ages = {3s};
    second += 15;
    return apply(surge, 100.0, 5);
  };
  while (second < 900) EXPECT_EQ(surge_at(), 10) << second;
  EXPECT_EQ(surge_at(), 5);
  EXPECT_EQ(surge_at(), 5);
  second += 120;  // a minute without a sign, and it is another rollout
  EXPECT_EQ(surge_at(), 10);
}

TEST_F(Guard, UpAtMostFourPodsOrThreeTimesAsManyMore) {
  EXPECT_EQ(apply(clean(0, 1), 10.0, 50), 5);
  EXPECT_EQ(words_, "max_step_up 50 -> 5");
  EXPECT_EQ(apply(clean(15, 5), 10.0, 50), 20);
}

TEST_F(Guard, UpAtMostFourPodsOrAsManyMoreWhereSet) {
  use({.max_up_share = 1.0});
  EXPECT_EQ(apply(clean(0, 2), 10.0, 50), 6);
  EXPECT_EQ(words_, "max_step_up 50 -> 6");
  EXPECT_EQ(apply(clean(15, 6), 10.0, 50), 12);
  EXPECT_EQ(apply(clean(30, 0), 10.0, 50), 4);
}

// 1000 / 24.75 = 40.4.
TEST_F(Guard, TheFloorGoesBeyondTheStepOnCleanMetricsOnly) {
  use({.max_up_share = 1.0});
  EXPECT_EQ(apply(clean(0, 10), 1000.0, 12), 41);
  EXPECT_EQ(words_, "reactive_floor 12 -> 41");
  EXPECT_EQ(apply(clean(15, 10), 1000.0, 60), 41);
  EXPECT_EQ(words_, "max_step_up 60 -> 41");
  EXPECT_EQ(apply(unclean(30, 10, Finding::stale), 1000.0, 12), 20);
  EXPECT_EQ(words_, "reactive_floor 12 -> 41, max_step_up 41 -> 20");
}

// 10 % a minute: of 40 pods 4 at once, then one each 15 s (of 36 pods 0.9 come back in 15 s, of 35 0.875: with what is
// left over).
TEST_F(Guard, DownAtMostItsShareAMinute) {
  use({.max_down_share = 0.1});
  EXPECT_EQ(apply(clean(0, 40), 10.0, 5), 36);
  EXPECT_EQ(words_, "max_step_down 5 -> 36");
  EXPECT_EQ(apply(clean(15, 36), 10.0, 5), 36) << "0.9 are not one, and 0.4 are still owed: 3.6 - (4 - 0.9)";
  EXPECT_EQ(apply(clean(30, 36), 10.0, 5), 35) << "3.6 - (4 - 1.8) = 1.4";
  EXPECT_EQ(apply(clean(300, 35), 10.0, 5), 32) << "3.5, whole pods";
  use({.max_down_share = 0.1});
  EXPECT_EQ(apply(clean(0, 3), 10.0, 1), 2) << "one always";
  EXPECT_EQ(apply(clean(15, 2), 10.0, 1), 2);
  EXPECT_EQ(apply(clean(60, 2), 10.0, 1), 1) << "one a minute";
}

TEST_F(Guard, TheBoundsAreLast) {
  EXPECT_EQ(apply(clean(0, 100), 10'000.0, 5), 100);
  EXPECT_EQ(words_, "reactive_floor 5 -> 405, bounds 405 -> 100");
  EXPECT_EQ(apply(clean(15, 10), 0.0, -3), 1);
  EXPECT_EQ(words_, "reactive_floor -3 -> 0, bounds 0 -> 1");
  EXPECT_EQ(apply(unclean(30, 120, Finding::missing), std::nullopt, 50), 100) << "also on missing metrics";
  EXPECT_EQ(words_, "missing_metrics 50 -> 120, bounds 120 -> 100");
}

TEST_F(Guard, TheOrderOfTheRulesIsThatOfTheirTable) {
  use({.max_up_share = 1.0, .max_down_share = 0.1, .fallback_replicas = 15});
  ScreenedObservation seen = unclean(0, 20, Finding::missing);
  seen.blind_for = 10min;
  seen.observation.ready_replicas = 21;
  EXPECT_EQ(apply(seen, 2000.0, 5), 40);
  EXPECT_EQ(words_, "blind 5 -> 20, reactive_floor 20 -> 81, max_step_up 81 -> 40");
  // All holds at once: the first one has it, the others change nothing any more.
  ScreenedObservation back = unclean(15, 40, Finding::duplicate);
  back.observation.ready_replicas = 41;
  EXPECT_EQ(apply(back, 100.0, 3), 40);
  EXPECT_EQ(words_, "reactive_floor 3 -> 5, metrics_not_new 5 -> 40");
  ScreenedObservation rollout = clean(30, 40);
  rollout.observation.ready_replicas = 41;
  EXPECT_EQ(apply(rollout, 100.0, 3), 40);
  EXPECT_EQ(words_, "reactive_floor 3 -> 5, rollout_hold 5 -> 40");
  EXPECT_EQ(apply(clean(100, 40), 100.0, 3), 40);
  EXPECT_EQ(words_, "reactive_floor 3 -> 5, recovery_hold 5 -> 40");
  EXPECT_EQ(apply(clean(150, 40), 100.0, 3), 36);
  EXPECT_EQ(words_, "reactive_floor 3 -> 5, max_step_down 5 -> 36");
}

double wild_number(RandomStream& random) {
  const double numbers[] = {kNaN, kInfinity, -kInfinity, -5.0, 1e300, 1e12, 0.0, 1e-300};
  return random.below(3) == 0 ? numbers[random.below(std::size(numbers))] : random.uniform() * 600.0;
}

Observation wild(RandomStream& random, int step, int replicas) {
  Observation observation;
  observation.now = TimePoint(std::chrono::seconds(step * 15 + static_cast<int>(random.below(10))));
  observation.spec_replicas = replicas;
  observation.ready_replicas = static_cast<int>(random.below(static_cast<std::uint64_t>(replicas) + 3));
  for (Signal* signal : {&observation.served_rate_rps, &observation.failed_rate_rps, &observation.in_flight_requests,
                         &observation.cpu_cores}) {
    if (random.below(5) == 0) continue;
    const Duration age = std::chrono::seconds(static_cast<int>(random.below(60)) - 10);
    *signal = random.below(5) == 0 ? Signal::stale(wild_number(random), age) : Signal::fresh(wild_number(random), age);
  }
  if (random.below(2) == 0) observation.starting_pod_ages.assign(random.below(4), 20s);
  for (int pod = 0; pod < replicas && random.below(4) != 0; ++pod) {
    observation.pods.push_back({.id = pod,
                                .started = {},
                                .is_ready = random.below(4) != 0,
                                .ready_changed = {},
                                .is_terminating = random.below(9) == 0,
                                .cpu_cores = random.below(4) == 0 ? Signal{} : Signal::fresh(wild_number(random), 5s),
                                .cpu_window = 15s});
  }
  return observation;
}

/// A controller of `settings` through `steps` wild observations, calm ones between them.
template <class Visit>
void play_wild(const SafetySettings& settings, std::uint64_t seed, int steps, Visit visit) {
  SignalScreen screen(settings, kWorkload.capacity_rps);
  SafetyGuard guard(settings, kWorkload);
  ScreenedObservation seen;
  int current = 20;
  for (int step = 0; step < steps; ++step) {
    RandomStream random(seed, "wild", static_cast<std::uint32_t>(step));
    Observation raw = wild(random, step, current);
    if (random.below(2) == 0) raw.served_rate_rps = Signal::fresh(random.uniform() * 20.0 * current, 3s);
    screen.screen(raw, seen);
    std::optional<double> demand;
    if (random.below(4) != 0) demand = wild_number(random);
    int replicas = static_cast<int>(random.below(140)) - 20;
    Explanation explanation;
    guard.apply(seen, demand, replicas, explanation);
    visit(raw, seen, demand, replicas, explanation);
    current = replicas;
  }
}

TEST(SafetyProperty, WhateverIsObservedNothingIsTakenAwayWithoutFreshAndCleanMetrics) {
  int lowered = 0, raised = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const SafetySettings& settings :
         {SafetySettings{}, SafetySettings{.max_down_share = 0.2, .fallback_replicas = 30, .recovery_hold = 30s}}) {
      play_wild(settings, seed, 500,
                [&](const Observation& raw, const ScreenedObservation& seen, std::optional<double> demand, int replicas,
                    const Explanation& explanation) {
                  const int current = raw.spec_replicas;
                  const Signal& served = raw.served_rate_rps;
                  const bool is_fresh = served.quality == Quality::fresh && std::isfinite(served.value) &&
                                        served.value >= 0.0 && served.age <= 2min;
                  if (!is_fresh || !seen.is_clean) {
                    EXPECT_GE(replicas, current);
                  }
                  EXPECT_GE(replicas, kWorkload.min_replicas);
                  EXPECT_LE(replicas, kWorkload.max_replicas);
                  if (demand && std::isfinite(*demand)) {
                    const double floor = std::min(std::ceil(*demand / 24.75 - 1e-9), 100.0);
                    const double step = current + std::max(4, current);
                    EXPECT_GE(replicas, seen.is_clean ? floor : std::min(floor, step));
                  }
                  // The explanation is whole: each step begins where the one before ended.
                  for (std::size_t i = 1; i < explanation.guards.size(); ++i)
                    EXPECT_EQ(explanation.guards[i].before, explanation.guards[i - 1].after);
                  if (!explanation.guards.empty()) {
                    EXPECT_EQ(explanation.guards.back().after, replicas);
                  }
                  lowered += replicas < current ? 1 : 0;
                  raised += replicas > current ? 1 : 0;
                });
    }
  }
  EXPECT_GT(lowered, 200) << "and it is not only holding";
  EXPECT_GT(raised, 200);
}

TEST(SafetyState, ALoadedStateGoesOnBitForBit) {
  const SafetySettings settings{.max_down_share = 0.3};
  const auto state_of = [](const SafetyGuard& guard) {
    StateWriter writer("test", 1);
    guard.save(writer);
    return writer.take();
  };
  for (const int stop : {0, 1, 40, 333}) {
    SignalScreen screen(settings, kWorkload.capacity_rps);
    SafetyGuard original(settings, kWorkload), restarted(settings, kWorkload);
    ScreenedObservation seen;
    int current = 20;
    for (int step = 0; step < stop + 100; ++step) {
      if (step == stop) {
        ASSERT_TRUE(restarted.load(StateReader::open(state_of(original), "test", 1).value()));
        EXPECT_EQ(state_of(restarted), state_of(original));
      }
      RandomStream random(9, "wild", static_cast<std::uint32_t>(step));
      screen.screen(wild(random, step, current), seen);
      int replicas = static_cast<int>(random.below(100)), again = replicas;
      Explanation explanation, explanation_again;
      original.apply(seen, 100.0, replicas, explanation);
      if (step >= stop) {
        restarted.apply(seen, 100.0, again, explanation_again);
        EXPECT_EQ(again, replicas);
        EXPECT_EQ(explanation_again, explanation);
      }
      current = replicas;
    }
    EXPECT_EQ(state_of(restarted), state_of(original));
  }
}

TEST(SafetyState, AStateWithAHoleIsRefusedAndChangesNothing) {
  SafetyGuard guard(SafetySettings{}, kWorkload);
  StateWriter hole("test", 1);
  hole.put("guard_lowered", 3.0);
  EXPECT_FALSE(guard.load(StateReader::open(hole.take(), "test", 1).value()));
  StateWriter writer("test", 1), fresh("test", 1);
  guard.save(writer);
  SafetyGuard(SafetySettings{}, kWorkload).save(fresh);
  EXPECT_EQ(writer.take(), fresh.take());
}

TEST(SafetySettings, EachHasASentenceARangeAndItsDefaultWithinIt) {
  SafetySettings settings;
  const SettingsTable table = settings_of(settings);
  EXPECT_EQ(table.size(), 17u);
  for (const Setting& setting : table) {
    EXPECT_FALSE(setting.info().sentence.empty()) << setting.name();
    EXPECT_TRUE(setting.set(setting.text())) << setting.name();
  }
}

}  // namespace
}  // namespace mpca::policy
