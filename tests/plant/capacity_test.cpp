#include "plant/capacity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "core/random.h"

namespace mpca::plant {
namespace {

using namespace std::chrono_literals;
using internal::Level;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Level, IsTheMedianOfThePriorAndTheSamplesNearIt) {
  Level level(100.0, 3.0, 25.0, 400.0);
  EXPECT_EQ(level.value(), 100.0);
  for (const double value : {104.0, 96.0}) EXPECT_EQ(level.add(value), Level::Taken::near);
  EXPECT_EQ(level.value(), 100.0);
  // 100 three times, 96, 104, and 110 four times: the middle one of nine is 104.
  for (int k = 0; k < 4; ++k) level.add(110.0);
  EXPECT_EQ(level.value(), 104.0);
}

TEST(Level, AFarSampleChangesNothingAndFourThatAgreeReplaceEverything) {
  Level level(100.0, 3.0, 25.0, 400.0);
  for (int k = 0; k < 10; ++k) level.add(100.0 + k % 3);
  const double before = level.value();
  for (const double value : {60.0, 61.0, 59.0}) EXPECT_EQ(level.add(value), Level::Taken::far);
  EXPECT_EQ(level.value(), before);
  EXPECT_EQ(level.add(60.5), Level::Taken::changed);
  EXPECT_NEAR(level.value(), 60.25, 0.26);
  EXPECT_TRUE(level.is_new());
  for (int k = 0; k < 8; ++k) level.add(60.0);
  EXPECT_FALSE(level.is_new());
}

TEST(Level, FarSamplesThatDoNotAgreeNeverCount) {
  Level level(100.0, 3.0, 25.0, 400.0);
  for (int k = 0; k < 100; ++k) level.add(k % 2 == 0 ? 40.0 : 70.0);
  EXPECT_EQ(level.value(), 100.0);
}

TEST(Level, WhatIsNotAPositiveNumberWithinBoundsIsIgnored) {
  Level level(100.0, 3.0, 25.0, 400.0);
  for (int k = 0; k < 10; ++k) {
    for (const double value : {0.0, -5.0, kNan, 401.0, 24.0, std::numeric_limits<double>::infinity()})
      EXPECT_EQ(level.add(value), Level::Taken::ignored);
  }
  EXPECT_EQ(level.value(), 100.0);
}

/// Pods of 25 rps: 40 ms of one slot, 40 ms of one core.
struct Service {
  double service_s = 0.04;
  double slots = 1.0;
  double ready = 4.0;
  bool shows_cpu = false;
  TimePoint now = TimePoint(1000h);
  RandomStream noise{7, "noise"};

  double capacity_rps() const { return ready * slots / service_s; }

  LoadSample sample() {
    now += 15s;
    return {.end = now, .length = 15s, .ready = ready};
  }
  /// At `load` < 1 of capacity; throughput and in flight vary as Poisson's do.
  LoadSample at_load(double load) {
    LoadSample at = sample();
    const double rate = load * capacity_rps();
    at.served_rps = std::min(rate + std::sqrt(rate / 15.0) * noise.normal(), 0.99 * capacity_rps());
    at.failed_rps = 0.0;
    const double inside = rate * service_s;
    at.in_flight = std::max(std::round(inside + std::sqrt(inside) * noise.normal()), 0.0);
    if (shows_cpu) at.cpu_cores = at.served_rps * service_s / slots;
    return at;
  }
  /// Saturated: a queue of a second, throughput within 2 % of capacity, what is too much is refused.
  LoadSample pinned(double refused_share = 0.1) {
    LoadSample at = sample();
    at.served_rps = capacity_rps() * (1.0 + 0.02 * noise.normal());
    at.failed_rps = at.served_rps * refused_share;
    at.in_flight = capacity_rps() * 1.0;
    if (shows_cpu) at.cpu_cores = ready * (1.0 + 0.01 * noise.normal());
    return at;
  }
};

void calm(Capacity& capacity, Service& service, int samples, double load = 0.4) {
  for (int k = 0; k < samples; ++k) capacity.observe(service.at_load(load));
}

void overload(Capacity& capacity, Service& service, int samples) {
  for (int k = 0; k < samples; ++k) capacity.observe(service.pinned());
}

std::string state_of(const Capacity& capacity) {
  StateWriter writer("test", 1);
  capacity.save(writer);
  return writer.take();
}

TEST(Capacity, BeforeAnySampleThePriorIsTheAnswer) {
  const Capacity capacity({.capacity_rps = 50.0, .service_time = 80ms});
  EXPECT_EQ(capacity.capacity_rps(), 50.0);
  EXPECT_EQ(capacity.service_time(), 80ms);
  const Figure figure = capacity.capacity_figure();
  EXPECT_EQ(figure.source, "configured");
  EXPECT_EQ(figure.confidence, 0.0);
  EXPECT_EQ(figure.low, 25.0);
  EXPECT_EQ(figure.high, 100.0);
  EXPECT_EQ(Capacity({.capacity_rps = 50.0}).service_time(), 20ms);
}

TEST(Capacity, ASaturatedServiceShowsItsCapacityWhateverThePrior) {
  for (const double prior : {10.0, 20.0, 25.0, 40.0, 90.0}) {
    Capacity capacity({.capacity_rps = prior});
    Service service;
    for (int episode = 0; episode < 4; ++episode) {
      calm(capacity, service, 20, 0.3);
      overload(capacity, service, 6);
    }
    EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.03 * 25.0) << prior;
    const Figure figure = capacity.capacity_figure();
    EXPECT_EQ(figure.source, "saturated");
    EXPECT_LE(figure.low, 25.0);
    EXPECT_GE(figure.high, 25.0);
    EXPECT_GT(figure.confidence, 0.7);
  }
}

TEST(Capacity, TheFirstSampleOfAnOverloadIsNotYetSaturated) {
  Capacity capacity({});
  Service service;
  calm(capacity, service, 20);
  capacity.observe(service.pinned());
  EXPECT_FALSE(capacity.is_saturated()) << "only its end is known to be full";
  capacity.observe(service.pinned());
  EXPECT_TRUE(capacity.is_saturated());
}

TEST(Capacity, AFullQueueBeforeAPauseSaysNothingOfTheTimeBetween) {
  Capacity capacity({});
  Service service;
  calm(capacity, service, 20);
  capacity.observe(service.pinned());
  service.now += 2min;
  capacity.observe(service.pinned());
  EXPECT_FALSE(capacity.is_saturated());
}

// Ten slots of 400 ms, 70 % in use: seven in flight per pod, from the first sample on. One slot would be overloaded.
TEST(Capacity, ALargePodAtWorkIsNotTakenForAQueueOfASmallOne) {
  Capacity capacity({});
  Service service{.service_s = 0.4, .slots = 10.0};
  calm(capacity, service, 100, 0.7);
  EXPECT_EQ(capacity.capacity_rps(), 25.0);
}

TEST(Capacity, APodWorksOnOneRequestAtLeastHoweverLittleItIsThoughtToServe) {
  Capacity capacity({.capacity_rps = 10.0});
  Service service{.ready = 40.0};
  calm(capacity, service, 30, 0.2);
  calm(capacity, service, 100, 0.6);
  EXPECT_GT(capacity.capacity_rps(), 13.0);
  EXPECT_EQ(capacity.capacity_figure().source, "throughput");
}

// 25 / 1.3 = 19.2: five intervals, since the first has only one full end.
TEST(Capacity, ASlowerReleaseIsNoticedWithinFiveSaturatedIntervals) {
  Capacity capacity({});
  Service service;
  calm(capacity, service, 40);
  overload(capacity, service, 15);
  calm(capacity, service, 10);
  service.service_s *= 1.3;
  calm(capacity, service, 10);
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.8) << "at ease it does not show";
  overload(capacity, service, 5);
  EXPECT_NEAR(capacity.capacity_rps(), 25.0 / 1.3, 0.03 * 25.0);
  EXPECT_TRUE(capacity.is_drifting());
}

TEST(Capacity, ASlowerReleaseShowsInCpuPerRequestBeforeAnyOverload) {
  Capacity capacity({});
  Service service{.shows_cpu = true};
  calm(capacity, service, 20, 0.6);
  overload(capacity, service, 6);
  calm(capacity, service, 20, 0.6);
  service.service_s *= 1.3;
  calm(capacity, service, 3, 0.6);
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.8);
  calm(capacity, service, 1, 0.6);
  EXPECT_NEAR(capacity.capacity_rps(), 25.0 / 1.3, 0.03 * 25.0);
  EXPECT_TRUE(capacity.is_drifting());
  EXPECT_EQ(capacity.capacity_figure().source, "CPU per request");
  EXPECT_GE(capacity.capacity_figure().high, 24.0) << "if it is not CPU that is short, nothing has changed";
  // Rolled back.
  service.service_s /= 1.3;
  calm(capacity, service, 6, 0.6);
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.8);
}

// At 60 % the service time is hardly learned, and the full queue passes for a busy service; at 40 % it is known.
TEST(Capacity, MoreCpuPerRequestIsForgivenWhenThroughputShowsTheOldCapacity) {
  for (const double load : {0.4, 0.6}) {
    Capacity capacity({});
    Service service{.shows_cpu = true};
    calm(capacity, service, 20, load);
    for (int k = 0; k < 10; ++k) {
      LoadSample at = service.at_load(load);
      at.cpu_cores = *at.cpu_cores * 1.3;
      capacity.observe(at);
    }
    EXPECT_NEAR(capacity.capacity_rps(), 25.0 / 1.3, 0.8);
    // It waits for something else: the same throughput at more CPU, nothing failing.
    for (int k = 0; k < 7; ++k) {
      LoadSample at = service.pinned(0.0);
      at.cpu_cores = service.capacity_rps() * 0.04 * 1.3;
      capacity.observe(at);
    }
    EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.8);
    // The release after it is as thrifty as the first: still the same.
    calm(capacity, service, 10, load);
    EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.8);
  }
}

TEST(Capacity, ACpuLimitIsAnUpperBound) {
  Capacity capacity({.capacity_rps = 40.0, .cpu_limit_cores = 0.5});
  Service service{.shows_cpu = true};
  // 40 ms of CPU per request, half a core: 12.5 rps at most.
  calm(capacity, service, 10, 0.6);
  EXPECT_NEAR(capacity.capacity_rps(), 12.5, 0.1);
  EXPECT_EQ(capacity.capacity_figure().source, "CPU limit");
}

TEST(Capacity, ThroughputAtEaseAboveWhatWasThoughtPossibleRaisesIt) {
  Capacity capacity({.capacity_rps = 12.0});
  Service service;
  calm(capacity, service, 8, 0.8);
  EXPECT_GT(capacity.capacity_rps(), 18.0);
  EXPECT_LT(capacity.capacity_rps(), 25.0);
  EXPECT_EQ(capacity.capacity_figure().source, "throughput");
  EXPECT_GT(capacity.capacity_figure().high, 25.0);
}

// All the work is done for clients that are gone; CPU says how much it is: 1 core per pod, 40 ms per request.
TEST(Capacity, WorkForClientsThatAreGoneCountsByItsCpu) {
  Capacity capacity({.capacity_rps = 60.0});
  Service service{.shows_cpu = true};
  calm(capacity, service, 20, 0.9);
  for (int k = 0; k < 8; ++k) {
    LoadSample at = service.pinned();
    at.served_rps = 100.0 * service.noise.uniform();
    at.failed_rps = 100.0;
    capacity.observe(at);
  }
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.03 * 25.0);
}

TEST(Capacity, WithoutCpuALastingCollapseLowersItStepByStepAndNotBelowAQuarter) {
  Capacity capacity({.capacity_rps = 60.0});
  Service service;
  calm(capacity, service, 20, 0.4);
  double last = capacity.capacity_rps();
  for (int k = 0; k < 30; ++k) {
    LoadSample at = service.pinned();
    at.served_rps = 0.1 * service.noise.uniform();
    at.failed_rps = 200.0;
    capacity.observe(at);
    EXPECT_GE(capacity.capacity_rps(), 0.8 * last);
    last = capacity.capacity_rps();
  }
  // Three steps of 0.85 in 30 intervals.
  EXPECT_NEAR(capacity.capacity_rps(), 60.0 * 0.85 * 0.85 * 0.85, 1e-9);
  EXPECT_EQ(capacity.capacity_figure().source, "overload");
  for (int k = 0; k < 300; ++k) {
    LoadSample at = service.pinned();
    at.served_rps = 0.0;
    at.failed_rps = 200.0;
    capacity.observe(at);
  }
  EXPECT_GE(capacity.capacity_rps(), 15.0);
}

// 120 ms instead of 40 ms because the database is slow, at 60 % of capacity and nothing failing: three times as much in
// flight, and pods could serve as much as ever.
TEST(Capacity, ASlowDatabaseIsNoSaturation) {
  Capacity capacity({});
  Service service;
  calm(capacity, service, 60, 0.5);
  for (int k = 0; k < 200; ++k) {
    LoadSample at = service.at_load(0.6);
    const double inside = at.served_rps * 0.4;
    at.in_flight = std::round(inside + std::sqrt(inside) * service.noise.normal());
    capacity.observe(at);
  }
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.05 * 25.0);
}

TEST(Capacity, InFlightByRateIsTheServiceTime) {
  Capacity capacity({.capacity_rps = 40.0, .service_time = 30ms});
  Service service{.service_s = 0.1, .slots = 4.0, .ready = 40.0, .noise = RandomStream(8, "noise")};
  calm(capacity, service, 150, 0.4);
  EXPECT_NEAR(to_seconds(capacity.service_time()), 0.1, 0.005);
  const Figure figure = capacity.service_time_figure();
  EXPECT_LE(figure.low, 0.1);
  EXPECT_GE(figure.high, 0.1);
  EXPECT_EQ(figure.source, "in flight / rate");
  // One wild gauge.
  LoadSample wild = service.at_load(0.4);
  wild.in_flight = 1e9;
  capacity.observe(wild);
  EXPECT_NEAR(to_seconds(capacity.service_time()), 0.1, 0.01);
}

TEST(Capacity, TheServiceTimeIsLearnedAtEaseOnly) {
  Capacity capacity({});
  Service service{.ready = 40.0};
  calm(capacity, service, 100, 0.4);
  for (int k = 0; k < 100; ++k) {
    // Nearly full, and as many wait as are served: no backlog yet.
    LoadSample at = service.at_load(0.9);
    at.in_flight = 2.0 * *at.in_flight;
    capacity.observe(at);
  }
  EXPECT_NEAR(to_seconds(capacity.service_time()), 0.04, 0.004);
  for (int k = 0; k < 100; ++k) {
    capacity.observe(service.at_load(0.4));
    // A counter that began again: a tenth of the rate, with as much in flight as ever.
    LoadSample at = service.at_load(0.4);
    at.served_rps *= 0.1;
    capacity.observe(at);
  }
  EXPECT_NEAR(to_seconds(capacity.service_time()), 0.04, 0.004);
}

/// Learned, and then one sample that is not what it seems.
TEST(Capacity, NoSingleSampleMovesItByMoreThanAFewPercent) {
  RandomStream draw(3, "wild");
  for (int trial = 0; trial < 2000; ++trial) {
    Capacity capacity({.capacity_rps = 10.0 + 60.0 * draw.uniform()});
    Service service{.shows_cpu = draw.uniform() < 0.5};
    calm(capacity, service, 20, 0.5);
    if (draw.uniform() < 0.7) overload(capacity, service, static_cast<int>(draw.below(12)));
    calm(capacity, service, static_cast<int>(draw.below(5)), 0.5);
    const double wild[] = {0.0, -1.0, kNan, 1e-9, 1e9, std::numeric_limits<double>::infinity(), 50.0, 200.0, 30.0};
    const auto any = [&] { return wild[draw.below(std::size(wild))]; };
    LoadSample at = service.sample();
    at.served_rps = any();
    if (draw.uniform() < 0.7) at.failed_rps = any();
    if (draw.uniform() < 0.7) at.in_flight = any();
    if (draw.uniform() < 0.7) at.cpu_cores = any();
    if (draw.uniform() < 0.2) at.ready = any();
    // Where three far samples were waiting for a fourth that agrees, a change is right.
    Capacity after = capacity;
    after.observe(at);
    if (after.capacity_rps() != capacity.capacity_rps()) {
      const double moved = std::abs(std::log(after.capacity_rps() / capacity.capacity_rps()));
      EXPECT_LT(moved, 0.16) << "within what is near; trial " << trial;
    }
  }
}

TEST(Capacity, BadSamplesAmongGoodOnesDoNotMoveIt) {
  RandomStream draw(4, "bad");
  Capacity capacity({.capacity_rps = 40.0});
  Service service{.shows_cpu = true};
  for (int episode = 0; episode < 30; ++episode) {
    for (int k = 0; k < 30; ++k) {
      LoadSample at = k < 22 ? service.at_load(0.3 + 0.3 * draw.uniform()) : service.pinned();
      const LoadSample good = at;
      switch (draw.below(12)) {
        case 0:
          at.served_rps = 0.0;
          break;
        case 1:
          at.served_rps = kNan;
          break;
        case 2:
          at.in_flight = 1e7;
          break;
        case 3:
          at.served_rps *= 0.5;  // half of the pods were not scraped
          break;
        case 4:
          at.end -= 40s;
          break;
        case 5:
          at.cpu_cores = 0.0;
          break;
        default:
          break;
      }
      capacity.observe(at);
      if (draw.uniform() < 0.2) capacity.observe(good);  // again
    }
  }
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 0.03 * 25.0);
}

TEST(Capacity, PodsThatCameAndWentMakeAnIntervalUseless) {
  Capacity capacity({});
  Service service;
  calm(capacity, service, 30);
  for (int k = 0; k < 20; ++k) {
    LoadSample at = service.pinned();
    at.ready = 2.0 * service.ready;
    at.ready_uncertainty = 1.0;
    capacity.observe(at);
  }
  EXPECT_NEAR(capacity.capacity_rps(), 25.0, 1e-9);
}

TEST(Capacity, StaysWithinAQuarterAndFourTimesOfThePrior) {
  for (const double prior : {1.0, 1000.0}) {
    Capacity capacity({.capacity_rps = prior});
    Service service;
    for (int episode = 0; episode < 4; ++episode) {
      calm(capacity, service, 20, 0.3);
      overload(capacity, service, 20);
    }
    EXPECT_GE(capacity.capacity_rps(), prior / 4.0);
    EXPECT_LE(capacity.capacity_rps(), prior * 4.0);
  }
}

TEST(Capacity, WithoutLearningNothingChanges) {
  Capacity capacity({.capacity_rps = 40.0, .learn = false});
  Service service;
  calm(capacity, service, 20);
  overload(capacity, service, 20);
  EXPECT_EQ(capacity.capacity_rps(), 40.0);
  EXPECT_EQ(capacity.service_time(), 25ms);
}

TEST(Capacity, ASavedStateGoesOnBitForBit) {
  Capacity capacity({.capacity_rps = 40.0});
  Service service{.shows_cpu = true};
  for (int round = 0; round < 10; ++round) {
    calm(capacity, service, 7, 0.5);
    overload(capacity, service, 3);
    const std::string state = state_of(capacity);
    Capacity loaded({.capacity_rps = 40.0});
    const auto result = loaded.load(StateReader::open(state, "test", 1).value());
    ASSERT_TRUE(result) << result.error().message << state;
    EXPECT_EQ(state_of(loaded), state);
    Capacity continued = capacity;
    Service same = service;
    Service original = service;
    calm(loaded, same, 5);
    calm(continued, original, 5);
    EXPECT_EQ(state_of(loaded), state_of(continued));
    EXPECT_EQ(loaded.capacity_figure(), continued.capacity_figure());
    EXPECT_EQ(loaded.service_time_figure(), continued.service_time_figure());
  }
}

TEST(Capacity, AStateThatIsNotPossibleIsRefusedAndChangesNothing) {
  Capacity capacity({});
  Service service{.shows_cpu = true};
  calm(capacity, service, 20);
  const std::string before = state_of(capacity);
  for (const std::string_view line :
       {"capacity_counts", "capacity_sums", "capacity_level_prior", "capacity_level_samples", "cpu_per_request_far"}) {
    for (const std::string_view bad : {" nan nan nan nan", " -5 2", " 1 2 3 x"}) {
      std::string state = before;
      const std::size_t at = state.find(std::string(line));
      state.replace(at + line.size(), state.find('\n', at) - at - line.size(), bad);
      EXPECT_FALSE(capacity.load(StateReader::open(state, "test", 1).value())) << line << bad;
      EXPECT_EQ(state_of(capacity), before);
    }
  }
}

}  // namespace
}  // namespace mpca::plant
