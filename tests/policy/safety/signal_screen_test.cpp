#include "policy/safety/signal_screen.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/random.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Ten ready pods of 25 requests/s; a request costs 40 ms of CPU. Samples are 5 s old.
Observation calm(int second, double served_rps = 200.0) {
  Observation observation;
  observation.now = TimePoint(std::chrono::seconds(second));
  observation.spec_replicas = observation.ready_replicas = 10;
  observation.served_rate_rps = Signal::fresh(served_rps, 5s);
  observation.failed_rate_rps = Signal::fresh(0.0, 5s);
  observation.in_flight_requests = Signal::fresh(std::round(served_rps * 0.04), 5s);
  observation.cpu_cores = Signal::fresh(0.3 + served_rps * 0.04, 5s);  // 0.03 cores a pod for nothing
  for (int pod = 1; pod <= 10; ++pod) {
    observation.pods.push_back({.id = pod,
                                .started = {},
                                .is_ready = true,
                                .ready_changed = {},
                                .is_terminating = false,
                                .cpu_cores = Signal::fresh(observation.cpu_cores.value / 10.0, 5s),
                                .cpu_window = 15s});
  }
  return observation;
}

/// Nothing to do: 0.03 cores a pod.
Observation idle(int second) { return calm(second, 0.0); }

/// Nothing anywhere, not even what pods use for nothing.
Observation all_zero(int second) {
  Observation observation = calm(second, 0.0);
  observation.cpu_cores.value = 0.0;
  return observation;
}

class Screen : public testing::Test {
 protected:
  const ScreenedObservation& see(const Observation& raw) {
    screen_.screen(raw, seen_);
    return seen_;
  }
  SignalScreen screen_{SafetySettings{}, 25.0};
  ScreenedObservation seen_;
};

TEST_F(Screen, AGoodObservationIsPassedOnAsItIs) {
  see(calm(0));
  const Observation raw = calm(15, 210.0);
  EXPECT_EQ(see(raw).observation, raw);
  for (const Finding finding : {seen_.served_rate, seen_.failed_rate, seen_.in_flight, seen_.cpu})
    EXPECT_EQ(finding, Finding::good);
  EXPECT_EQ(seen_.covered_share, 1.0);
  EXPECT_EQ(seen_.blind_for, 0s);
  EXPECT_TRUE(seen_.is_clean);
}

TEST_F(Screen, WhatIsNotANumberIsMissing) {
  see(calm(0));
  int second = 0;
  for (const double nonsense : {kNaN, kInfinity, -kInfinity, -1.0}) {
    Observation raw = calm(second += 15);
    raw.served_rate_rps.value = raw.pods[3].cpu_cores.value = nonsense;
    see(raw);
    EXPECT_EQ(seen_.served_rate, Finding::invalid) << nonsense;
    EXPECT_EQ(seen_.observation.served_rate_rps, Signal{});
    EXPECT_EQ(seen_.observation.pods[3].cpu_cores, Signal{});
    EXPECT_EQ(seen_.covered_share, 0.9);
    EXPECT_EQ(seen_.observation.in_flight_requests, raw.in_flight_requests) << "the others are untouched";
    EXPECT_FALSE(seen_.is_clean);
  }
  Observation rounded = calm(second + 15);
  rounded.failed_rate_rps.value = -1e-15;
  EXPECT_EQ(see(rounded).failed_rate, Finding::good) << "a difference of counters, rounded";
  EXPECT_EQ(seen_.observation.failed_rate_rps.value, 0.0);
}

TEST_F(Screen, ASignalThatIsNotANumberSpoilsTheObservationAndAMissingOneDoesNot) {
  see(calm(0));
  Observation raw = calm(15);
  raw.in_flight_requests.value = kNaN;
  EXPECT_EQ(see(raw).served_rate, Finding::good);
  EXPECT_FALSE(seen_.is_clean);
  raw = calm(30);
  raw.in_flight_requests = {};
  EXPECT_TRUE(see(raw).is_clean);
  EXPECT_EQ(seen_.in_flight, Finding::missing);
}

TEST_F(Screen, ASampleFromTheFutureIsFromNow) {
  Observation raw = calm(0);
  raw.served_rate_rps.age = -25s;
  EXPECT_EQ(see(raw).observation.served_rate_rps, Signal::fresh(200.0, 0s));
  EXPECT_TRUE(seen_.is_clean);
  // It was taken for a sample of 0 s; the next one, of 10 s, is newer.
  EXPECT_TRUE(see(calm(15)).is_clean);
}

TEST_F(Screen, AnOldValueIsStaleWhateverItsSourceSays) {
  see(calm(0));
  Observation raw = calm(300);
  raw.served_rate_rps.age = 121s;
  EXPECT_EQ(see(raw).served_rate, Finding::stale);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal::stale(200.0, 121s)) << "its value stays: it may raise";
  EXPECT_FALSE(seen_.is_clean);
  raw = calm(315);
  raw.served_rate_rps.quality = Quality::stale;
  EXPECT_EQ(see(raw).served_rate, Finding::stale) << "and its source may say so earlier";
}

TEST_F(Screen, AgesBeyondAllSenseAreSurvived) {
  Observation raw = calm(0);
  raw.served_rate_rps.age = Duration::max();
  raw.in_flight_requests.age = Duration::min();
  raw.pods[0].cpu_cores.age = Duration::min();
  see(raw);
  EXPECT_EQ(seen_.served_rate, Finding::stale);
  EXPECT_EQ(seen_.in_flight, Finding::good);
  EXPECT_EQ(seen_.observation.pods[0].cpu_cores.age, 0s);
}

TEST_F(Screen, TheSameSampleAgainIsNotNew) {
  see(calm(0));
  Observation raw = calm(15);
  raw.served_rate_rps.age = 20s;  // of -5 s, as before
  EXPECT_EQ(see(raw).served_rate, Finding::duplicate);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal::fresh(200.0, 20s));
  EXPECT_EQ(seen_.in_flight, Finding::good) << "each signal has its own time";
  EXPECT_FALSE(seen_.is_clean);
}

TEST_F(Screen, AnOlderSampleAfterANewerOneIsStale) {
  see(calm(0));
  see(calm(15));
  Observation raw = calm(30);
  raw.served_rate_rps.age = 35s;  // of -5 s; that of 10 s was seen
  EXPECT_EQ(see(raw).served_rate, Finding::reordered);
  EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::stale);
  EXPECT_FALSE(seen_.is_clean);
  EXPECT_TRUE(see(calm(45)).is_clean);
}

TEST_F(Screen, AClockThatWasSetBackDoesNotBlindForEver) {
  see(calm(3600));
  EXPECT_TRUE(see(calm(15)).is_clean);
  EXPECT_EQ(seen_.blind_for, 0s);
}

// The first zero is of 10 s; that of 130 s has lasted two minutes and is seen at 135 s.
TEST_F(Screen, AFallToZeroIsAnOutageUntilItHasLastedTwoMinutes) {
  see(calm(0));
  for (int second = 15; second < 135; second += 15) {
    see(idle(second));
    EXPECT_EQ(seen_.served_rate, Finding::zero_unconfirmed) << second;
    EXPECT_EQ(seen_.observation.served_rate_rps, Signal{});
    EXPECT_EQ(seen_.observation.in_flight_requests, Signal{}) << "it is part of the outage";
    EXPECT_EQ(seen_.observation.cpu_cores, idle(second).cpu_cores) << "it tells something";
    EXPECT_EQ(seen_.blind_for, std::chrono::seconds(second));
    EXPECT_FALSE(seen_.is_clean);
  }
  EXPECT_EQ(see(idle(135)).served_rate, Finding::good);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal::fresh(0.0, 5s));
  EXPECT_TRUE(seen_.is_clean);
  EXPECT_TRUE(see(idle(150)).is_clean) << "and stays believed";
}

// From the sample of 10 s to that of 310 s.
TEST_F(Screen, AZeroThatTheCpuOfReadyPodsSharesTakesFiveMinutes) {
  see(calm(0));
  for (int second = 15; second < 315; second += 15) {
    EXPECT_EQ(see(all_zero(second)).served_rate, Finding::zero_unconfirmed) << second;
    EXPECT_EQ(seen_.observation.cpu_cores, Signal{});
  }
  EXPECT_TRUE(see(all_zero(315)).is_clean);
}

TEST_F(Screen, ADuplicateOfAnUnconfirmedZeroIsNoMoreBelievedThanItWas) {
  see(calm(0));
  see(idle(15));
  Observation again = idle(30);
  again.served_rate_rps.age = 20s;
  EXPECT_EQ(see(again).served_rate, Finding::zero_unconfirmed);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal{});
}

TEST_F(Screen, AGapBeginsTheTwoMinutesAnew) {
  see(calm(0));
  for (int second = 15; second <= 90; second += 15) see(idle(second));
  Observation gap = idle(105);
  gap.served_rate_rps = {};
  see(gap);
  // From the sample of 115 s to that of 235 s.
  for (int second = 120; second < 240; second += 15)
    EXPECT_EQ(see(idle(second)).served_rate, Finding::zero_unconfirmed) << second;
  EXPECT_EQ(see(idle(240)).served_rate, Finding::good);
}

TEST_F(Screen, ASignalThatWasThereHasToAgreeWithTheZero) {
  see(calm(0));
  for (int second = 15; second < 600; second += 15) {
    Observation raw = idle(second);
    raw.in_flight_requests = {};
    EXPECT_EQ(see(raw).served_rate, Finding::zero_unconfirmed) << second;
  }
}

TEST_F(Screen, WhereOnlyTheServedRateIsShownTimeAloneConfirms) {
  const auto bare = [](int second, double served_rps) {
    Observation observation = calm(second, served_rps);
    observation.in_flight_requests = observation.failed_rate_rps = observation.cpu_cores = {};
    observation.pods.clear();
    return observation;
  };
  see(bare(0, 200.0));
  EXPECT_EQ(see(bare(120, 0.0)).served_rate, Finding::zero_unconfirmed);
  EXPECT_EQ(see(bare(240, 0.0)).served_rate, Finding::good);
  EXPECT_EQ(seen_.covered_share, std::nullopt);
}

TEST_F(Screen, ZeroIsNeverBelievedWhileSomethingContradictsIt) {
  see(calm(0));
  int second = 0;
  const auto contradicted_for_ten_minutes = [&](auto contradict) {
    for (int i = 0; i < 40; ++i) {
      Observation raw = idle(second += 15);
      contradict(raw);
      EXPECT_EQ(see(raw).served_rate, Finding::zero_contradicted) << second;
      EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::stale);
      EXPECT_FALSE(seen_.is_clean);
    }
  };
  contradicted_for_ten_minutes([](Observation& raw) { raw.in_flight_requests.value = 1.0; });
  EXPECT_EQ(seen_.observation.in_flight_requests.value, 1.0) << "what tells something stays";
  contradicted_for_ten_minutes([](Observation& raw) { raw.cpu_cores.value = 0.6; });  // 0.06 a pod, idle is 0.05
  contradicted_for_ten_minutes([](Observation& raw) { raw.failed_rate_rps.value = 3.0; });
  contradicted_for_ten_minutes([](Observation& raw) { raw.ready_replicas = 0; });
}

// Learned: 8.3 / 200 = 0.0415 s a request, with what idle pods use in it. 4.65 cores: (4.65 - 10 x 0.05) / 0.0415 = 100
// requests/s.
TEST_F(Screen, AZeroWithBusyPodsIsReplacedByWhatTheirCpuSpeaksFor) {
  see(calm(0));
  Observation raw = idle(15);
  raw.cpu_cores.value = 4.65;
  EXPECT_EQ(see(raw).served_rate, Finding::zero_contradicted);
  EXPECT_NEAR(seen_.observation.served_rate_rps.value, 100.0, 1e-9);
  EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::stale) << "a lower bound: it may raise";
}

TEST_F(Screen, NothingReadyAndNothingWantedIsAnIdleService) {
  see(calm(0, 5.0));
  Observation raw = idle(15);
  raw.spec_replicas = raw.ready_replicas = 0;
  raw.pods.clear();
  raw.cpu_cores.value = 0.0;
  EXPECT_TRUE(see(raw).is_clean);
}

// Half of what one pod serves is 12.5 requests/s.
TEST_F(Screen, ASmallRateMayFallToZeroAtOnce) {
  see(calm(0, 12.0));
  EXPECT_TRUE(see(idle(15)).is_clean);
}

TEST_F(Screen, TheFirstSampleHasNothingBeforeItAndIsNotBelievedWhenZero) {
  EXPECT_EQ(see(idle(0)).served_rate, Finding::zero_unconfirmed);
}

// 10 pods x 25 requests/s x 3 = 750.
TEST_F(Screen, ARateBeyondWhatThePodsCanServeIsReplacedByWhatCpuSpeaksFor) {
  see(calm(0));
  EXPECT_TRUE(see(calm(15, 750.0)).is_clean);
  screen_ = SignalScreen(SafetySettings{}, 25.0);
  see(calm(0));
  Observation raw = calm(15);
  raw.served_rate_rps.value = 751.0;
  EXPECT_EQ(see(raw).served_rate, Finding::impossible);
  EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::stale);
  EXPECT_NEAR(seen_.observation.served_rate_rps.value, 7.8 / 0.0415, 1e-9) << "8.3 cores, 188 requests/s";
  raw = calm(30);
  raw.served_rate_rps.value = 751.0;
  raw.cpu_cores = {};
  EXPECT_EQ(see(raw).served_rate, Finding::impossible);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal{}) << "without CPU it is taken out";
  EXPECT_TRUE(see(calm(45)).is_clean);
}

// Two pods serve 20 requests/s at 40 ms of CPU, and then users send ten times as many: 200 > 3 x 50. The pods' CPU is
// at its end, 50 x 0.04 + 0.06 = 2.06 cores, and so does not speak against it.
TEST_F(Screen, ASpikeThatKeepsAllPodsBusyIsBelievedAtOnce) {
  const auto two_pods = [](int second, double served_rps, double cpu_cores) {
    Observation observation = calm(second, served_rps);
    observation.spec_replicas = observation.ready_replicas = 2;
    observation.pods.clear();
    observation.cpu_cores.value = cpu_cores;
    return observation;
  };
  see(two_pods(0, 20.0, 0.86));
  EXPECT_EQ(see(two_pods(15, 200.0, 0.86)).served_rate, Finding::impossible) << "pods as busy as before";
  EXPECT_EQ(see(two_pods(30, 20'000.0, 2.06)).served_rate, Finding::impossible) << "a whole counter";
  EXPECT_EQ(see(two_pods(45, 200.0, 20.6)).served_rate, Finding::impossible) << "the counter of CPU as well";
  Observation unseen = two_pods(60, 200.0, 0.0);
  unseen.cpu_cores = {};
  EXPECT_EQ(see(unseen).served_rate, Finding::impossible) << "CPU was there before";
  EXPECT_TRUE(see(two_pods(75, 200.0, 2.06)).is_clean);
  EXPECT_EQ(seen_.observation.served_rate_rps, Signal::fresh(200.0, 5s));
}

TEST_F(Screen, WhereOnlyTheServedRateIsShownASpikeOfTensIsBelievedAndAWholeCounterIsNot) {
  const auto bare = [](int second, double served_rps) {
    Observation observation;
    observation.now = TimePoint(std::chrono::seconds(second));
    observation.spec_replicas = observation.ready_replicas = 2;
    observation.served_rate_rps = Signal::fresh(served_rps, 5s);
    return observation;
  };
  EXPECT_EQ(see(bare(0, 200.0)).served_rate, Finding::impossible) << "nothing is known before";
  EXPECT_TRUE(see(bare(15, 20.0)).is_clean);
  EXPECT_EQ(see(bare(30, 4800.0)).served_rate, Finding::impossible) << "an hour of 20/s within 15 s";
  EXPECT_TRUE(see(bare(45, 200.0)).is_clean);
}

TEST_F(Screen, AnImpossibleRateIsNoneEitherWhenItIsStaleOrSeenAgain) {
  see(calm(0));
  Observation raw = calm(15);
  raw.served_rate_rps = Signal::stale(1e9, 40s);
  EXPECT_EQ(see(raw).served_rate, Finding::impossible);
  EXPECT_NEAR(seen_.observation.served_rate_rps.value, 7.8 / 0.0415, 1e-9);
  raw = calm(30);
  raw.served_rate_rps = Signal::fresh(1e9, 35s);  // the sample of -5 s, with another value
  EXPECT_EQ(see(raw).served_rate, Finding::duplicate);
  EXPECT_EQ(seen_.observation.served_rate_rps.value, 200.0);
}

TEST_F(Screen, ARateIsBelievedOnceItHasLasted) {
  see(calm(0));
  for (int second = 15; second < 135; second += 15)
    EXPECT_EQ(see(calm(second, 900.0)).served_rate, Finding::impossible) << second;
  EXPECT_TRUE(see(calm(135, 900.0)).is_clean) << "the capacity that was configured is wrong";
  EXPECT_TRUE(see(calm(150, 1000.0)).is_clean) << "no jump";
}

TEST_F(Screen, PodsThatGoDoNotMakeTheirLastRateImpossible) {
  see(calm(0, 240.0));
  Observation raw = calm(15, 240.0);
  raw.ready_replicas = 2;  // 3 x 50 < 240, but it does not jump
  EXPECT_EQ(see(raw).served_rate, Finding::good);
}

// Learned as above. At 8.3 cores that is at least 188 requests/s; less than 188 / 1.25 = 150.4 is not believed.
TEST_F(Screen, ARateThatFallsWithoutTheCpuIsNotBelieved) {
  see(calm(0));
  Observation raw = calm(15);
  raw.served_rate_rps.value = 150.0;
  EXPECT_EQ(see(raw).served_rate, Finding::below_cpu);
  EXPECT_NEAR(seen_.observation.served_rate_rps.value, 7.8 / 0.0415, 1e-9);
  EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::stale);
  EXPECT_EQ(seen_.observation.cpu_cores, raw.cpu_cores);
  raw = calm(30);
  raw.served_rate_rps.value = 151.0;
  EXPECT_TRUE(see(raw).is_clean);
  raw = calm(35);
  raw.served_rate_rps.value = 100.0;
  raw.failed_rate_rps.value = 55.0;
  EXPECT_EQ(see(raw).served_rate, Finding::good) << "failed requests have cost that CPU";
  EXPECT_TRUE(see(calm(45, 70.0)).is_clean) << "with the CPU it may fall: 3.1 cores speak for 63";
}

TEST_F(Screen, ADisagreementThatLastsIsAChangeOfTheService) {
  see(calm(0));
  const auto dearer = [](int second) {  // a request takes three times the CPU
    Observation observation = calm(second);
    observation.served_rate_rps.value = 70.0;
    return observation;
  };
  for (int second = 15; second < 135; second += 15)
    EXPECT_EQ(see(dearer(second)).served_rate, Finding::below_cpu) << second;
  EXPECT_TRUE(see(dearer(135)).is_clean);
  EXPECT_TRUE(see(dearer(150)).is_clean) << "and it has been learned";
}

TEST_F(Screen, TheCoveredShareIsThatOfReadyPodsWithMetrics) {
  see(calm(0));
  Observation raw = calm(15);
  raw.pods[0].cpu_cores = raw.pods[1].cpu_cores = {};
  EXPECT_EQ(see(raw).covered_share, 0.8);
  EXPECT_TRUE(seen_.is_clean) << "0.75 is enough";
  raw = calm(30);
  for (int i = 0; i < 5; ++i) raw.pods[static_cast<std::size_t>(i)].cpu_cores = {};
  EXPECT_EQ(see(raw).covered_share, 0.5);
  EXPECT_FALSE(seen_.is_clean);
  raw = calm(45);
  raw.pods[0].cpu_cores = raw.pods[1].cpu_cores = {};
  raw.pods[0].is_ready = false;
  raw.pods[1].is_terminating = true;
  EXPECT_EQ(see(raw).covered_share, 1.0) << "only what is to serve counts";
  raw = calm(60);
  for (auto& pod : raw.pods) pod.cpu_cores = {};
  EXPECT_EQ(see(raw).covered_share, std::nullopt) << "no pod has any: this world does not show it";
  EXPECT_TRUE(seen_.is_clean);
}

TEST_F(Screen, APodThatBecameReadyInTheWindowIsMissedOnlyForWhatItServedThere) {
  see(calm(0));
  Observation raw = calm(60);  // a sample at 55 s, of 15 s
  raw.pods[0].cpu_cores = {};
  raw.pods[0].ready_changed = TimePoint(57s);
  EXPECT_EQ(see(raw).covered_share, 1.0) << "Ready after the sample";
  EXPECT_EQ(seen_.uncovered_pods, 1);
  raw.pods[0].ready_changed = TimePoint(50s);
  EXPECT_DOUBLE_EQ(see(raw).covered_share.value_or(0.0), (9 * 15.0) / (9 * 15.0 + 5.0));
  for (auto& pod : raw.pods) pod.ready_changed = TimePoint(57s);
  EXPECT_EQ(see(raw).covered_share, 1.0) << "none of them served in the window";
}

TEST_F(Screen, BlindIsTheTimeWithoutAServedRateToBelieve) {
  Observation none = calm(0);
  none.served_rate_rps = {};
  EXPECT_EQ(see(none).blind_for, 0s) << "it begins with the first observation";
  none.now += 100s;
  EXPECT_EQ(see(none).blind_for, 100s);
  EXPECT_EQ(see(calm(115)).blind_for, 0s);
}

/// An observation of any kind, most of it wrong.
Observation wild(RandomStream& random, int step) {
  Observation observation = calm(step * 15, random.uniform() * 300.0);
  const auto spoil = [&](Signal& signal) {
    const double nonsense[] = {kNaN, kInfinity, -kInfinity, -5.0, 1e300, 0.0, 1e-300};
    switch (random.below(6)) {
      case 0:
        signal.value = nonsense[random.below(std::size(nonsense))];
        break;
      case 1:
        signal = {};
        break;
      case 2:
        signal.quality = Quality::stale;
        break;
      case 3:
        signal.age = std::chrono::seconds(static_cast<int>(random.below(400)) - 100);
        break;
      default:
        break;
    }
  };
  for (Signal* signal : {&observation.served_rate_rps, &observation.failed_rate_rps, &observation.in_flight_requests,
                         &observation.cpu_cores})
    spoil(*signal);
  for (PodObservation& pod : observation.pods) spoil(pod.cpu_cores);
  observation.ready_replicas = static_cast<int>(random.below(12));
  return observation;
}

TEST_F(Screen, WhateverComesInOnlyNumbersAndAgesFromZeroOnGoOut) {
  for (int step = 0; step < 5000; ++step) {
    RandomStream random(3, "wild", static_cast<std::uint32_t>(step));
    see(wild(random, step));
    std::vector<Signal> signals = {seen_.observation.served_rate_rps, seen_.observation.failed_rate_rps,
                                   seen_.observation.in_flight_requests, seen_.observation.cpu_cores};
    for (const PodObservation& pod : seen_.observation.pods) signals.push_back(pod.cpu_cores);
    for (const Signal& signal : signals) {
      EXPECT_TRUE(std::isfinite(signal.value));
      EXPECT_GE(signal.value, 0.0);
      EXPECT_GE(signal.age, 0s);
      if (signal.quality == Quality::fresh) {
        EXPECT_LE(signal.age, 2min);
      }
    }
    if (seen_.is_clean) {
      EXPECT_EQ(seen_.observation.served_rate_rps.quality, Quality::fresh);
    }
    if (is_suspicious(seen_.served_rate)) {
      EXPECT_NE(seen_.observation.served_rate_rps.quality, Quality::fresh);
    }
  }
}

std::string state_of(const SignalScreen& screen) {
  StateWriter writer("test", 1);
  screen.save(writer);
  return writer.take();
}

TEST_F(Screen, ALoadedStateGoesOnBitForBit) {
  for (const int stop : {0, 1, 17, 200}) {
    SignalScreen original(SafetySettings{}, 25.0);
    ScreenedObservation seen, seen_again;
    for (int step = 0; step < stop; ++step) {
      RandomStream random(4, "wild", static_cast<std::uint32_t>(step));
      original.screen(wild(random, step), seen);
    }
    SignalScreen restarted(SafetySettings{}, 25.0);
    ASSERT_TRUE(restarted.load(StateReader::open(state_of(original), "test", 1).value()));
    EXPECT_EQ(state_of(restarted), state_of(original));
    for (int step = stop; step < stop + 100; ++step) {
      RandomStream random(4, "wild", static_cast<std::uint32_t>(step));
      const Observation raw = wild(random, step);
      original.screen(raw, seen);
      restarted.screen(raw, seen_again);
      EXPECT_EQ(seen_again.observation, seen.observation);
      EXPECT_EQ(seen_again.served_rate, seen.served_rate);
      EXPECT_EQ(seen_again.is_clean, seen.is_clean);
    }
    EXPECT_EQ(state_of(restarted), state_of(original));
  }
}

TEST_F(Screen, AStateWithAHoleIsRefusedAndChangesNothing) {
  see(calm(0));
  const std::string before = state_of(screen_);
  StateWriter hole("test", 1);
  hole.put("screen_last_good", TimePoint(5s));
  EXPECT_FALSE(screen_.load(StateReader::open(hole.take(), "test", 1).value()));
  EXPECT_EQ(state_of(screen_), before);
}

}  // namespace
}  // namespace mpca::policy
