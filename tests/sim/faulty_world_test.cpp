#include "sim/faulty_world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sim/fluid_world.h"
#include "sim/request_world.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;
using policy::Decision;
using policy::Observation;
using policy::PeriodOutcome;
using policy::Quality;
using policy::Signal;

/// Every 15 s a new sample of 5 s age, whose numbers say which observation i it belongs to: served 1000 + i, failed
/// 100 + i, in flight 10 + i, CPU 40, ten pods with 4 cores each. `shows_pods` false: no single pods.
class CountingWorld final : public SimulatedWorld {
 public:
  explicit CountingWorld(int periods, bool shows_pods = true) : periods_(periods), shows_pods_(shows_pods) {}

  std::optional<Observation> next() override {
    if (step_ == periods_) return std::nullopt;
    return observation(step_, shows_pods_);
  }
  PeriodOutcome apply(const Decision& decision) override {
    ++step_;
    truth_.replica_seconds += 15.0 * decision.replicas;
    return {};
  }
  const Truth& truth() const override { return truth_; }

  static Observation observation(int i, bool shows_pods = true) {
    Observation observation;
    observation.now = TimePoint(15s * i);
    observation.spec_replicas = observation.ready_replicas = 10;
    observation.served_rate_rps = Signal::fresh(1000.0 + i, 5s);
    observation.failed_rate_rps = Signal::fresh(100.0 + i, 5s);
    observation.in_flight_requests = Signal::fresh(10.0 + i, 5s);
    observation.cpu_cores = Signal::fresh(40.0, 5s);
    for (int pod = 1; shows_pods && pod <= 10; ++pod) {
      observation.pods.push_back({.id = pod,
                                  .started = {},
                                  .is_ready = true,
                                  .ready_changed = {},
                                  .is_terminating = false,
                                  .cpu_cores = Signal::fresh(4.0, 5s),
                                  .cpu_window = 15s});
    }
    return observation;
  }

 private:
  int periods_;
  bool shows_pods_;
  int step_ = 0;
  Truth truth_;
};

std::vector<Observation> observations_of(SimulatedWorld& world) {
  std::vector<Observation> observations;
  while (auto observation = world.next()) {
    observations.push_back(*std::move(observation));
    world.apply({.replicas = 10, .explanation = {}});
  }
  return observations;
}

/// What is shown in one episode that never ends.
std::vector<Observation> always(std::string_view kind, int periods, std::uint64_t seed = 1, bool shows_pods = true) {
  const auto world = make_faulty_world(std::make_unique<CountingWorld>(periods, shows_pods),
                                       {.kind = std::string(kind), .share = 1.0}, seed);
  return observations_of(*world);
}

/// `observation` with the metrics of another: to see that nothing else was touched.
Observation with_metrics_of(const Observation& metrics, Observation observation) {
  observation.served_rate_rps = metrics.served_rate_rps;
  observation.failed_rate_rps = metrics.failed_rate_rps;
  observation.in_flight_requests = metrics.in_flight_requests;
  observation.cpu_cores = metrics.cpu_cores;
  for (std::size_t i = 0; i < observation.pods.size(); ++i) {
    observation.pods[i].cpu_cores = metrics.pods[i].cpu_cores;
    observation.pods[i].cpu_window = metrics.pods[i].cpu_window;
  }
  return observation;
}

class EveryFault : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryFault, CorruptsMetricsAndNothingElse) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const std::vector<Observation> shown = always(GetParam(), 12, seed);
    ASSERT_EQ(shown.size(), 12u);
    int changed = 0;
    for (int i = 0; i < 12; ++i) {
      const Observation truth = CountingWorld::observation(i);
      const Observation& seen = shown[static_cast<std::size_t>(i)];
      // NaN is not equal to itself; the metrics of `seen` are put into both.
      EXPECT_EQ(seen.now, truth.now);
      EXPECT_EQ(seen.spec_replicas, truth.spec_replicas);
      EXPECT_EQ(seen.ready_replicas, truth.ready_replicas);
      EXPECT_EQ(seen.starting_pod_ages, truth.starting_pod_ages);
      ASSERT_EQ(seen.pods.size(), truth.pods.size());
      EXPECT_EQ(with_metrics_of(truth, seen), truth);
      changed += seen == truth ? 0 : 1;
    }
    EXPECT_GE(changed, 5) << "and it does corrupt them";
  }
}

TEST_P(EveryFault, TheSameSeedGivesTheSameFaultsAndAnotherOneOthers) {
  const auto episodes = [](std::uint64_t seed) {
    const auto world =
        make_faulty_world(std::make_unique<CountingWorld>(400), {.kind = std::string(GetParam()), .share = 0.3}, seed);
    std::vector<std::string> shown;  // NaN is not equal to itself, its text is
    for (const Observation& seen : observations_of(*world)) {
      std::string text;
      for (const Signal& signal : {seen.served_rate_rps, seen.failed_rate_rps, seen.in_flight_requests, seen.cpu_cores,
                                   seen.pods[3].cpu_cores})
        text += std::to_string(signal.value) + "@" + std::to_string(signal.age.count()) + " ";
      shown.push_back(text);
    }
    return shown;
  };
  EXPECT_EQ(episodes(7), episodes(7));
  EXPECT_NE(episodes(7), episodes(8));
}

std::vector<std::string_view> kinds_and_mixed() {
  std::vector<std::string_view> kinds(fault_kinds().begin(), fault_kinds().end());
  kinds.emplace_back("mixed");
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryFault, testing::ValuesIn(kinds_and_mixed()),
                         [](const auto& test) { return std::string(test.param); });

// 20,000 periods of 15 s and episodes of 120 s: some 500 at 20 %, so that the share is known to about 1 in 17, 0.012;
// three times that is allowed. Duplicates and reordered samples are seen every other time, in an episode of an odd
// number of observations once more: 4.25 of 8 in the mean.
TEST(FaultyWorld, TheShareOfTimeInEpisodesIsAsAsked) {
  for (const std::string_view kind : fault_kinds()) {
    const auto world = make_faulty_world(std::make_unique<CountingWorld>(20'000),
                                         {.kind = std::string(kind), .share = 0.2, .mean_length = 120s}, 3);
    int changed = 0, episodes = 0, i = 0;
    bool before = false;
    for (const Observation& seen : observations_of(*world)) {
      const bool is_changed = !(seen == CountingWorld::observation(i++));
      changed += is_changed ? 1 : 0;
      episodes += is_changed && !before ? 1 : 0;
      before = is_changed;
    }
    const bool is_every_other = kind == "duplicate" || kind == "reordered";
    EXPECT_NEAR(changed / 20'000.0, is_every_other ? 0.2 * 4.25 / 8 : 0.2, is_every_other ? 0.019 : 0.036) << kind;
    if (!is_every_other) {
      EXPECT_NEAR(episodes, 20'000 * 15 * 0.2 / 120, 100) << kind << ": of the length that was asked for";
    }
  }
}

TEST(FaultyWorld, MissingIsNoSignalAtAll) {
  const Observation seen = always("missing", 1)[0];
  for (const Signal& signal : {seen.served_rate_rps, seen.failed_rate_rps, seen.in_flight_requests, seen.cpu_cores})
    EXPECT_EQ(signal, Signal{});
  for (const auto& pod : seen.pods) EXPECT_EQ(pod.cpu_cores, Signal{});
}

// It holds the first sample, taken at -5 s: 35 s old at 30 s, and stale after that.
TEST(FaultyWorld, StaleHoldsTheLastValuesWhileTheyGrowOld) {
  const std::vector<Observation> shown = always("stale", 4);
  EXPECT_EQ(shown[0].served_rate_rps, Signal::fresh(1000.0, 5s));
  EXPECT_EQ(shown[2].served_rate_rps, Signal::fresh(1000.0, 35s));
  EXPECT_EQ(shown[3].served_rate_rps, Signal::stale(1000.0, 50s));
  EXPECT_EQ(shown[3].in_flight_requests, Signal::stale(10.0, 50s));
  EXPECT_EQ(shown[3].pods[9].cpu_cores, Signal::stale(4.0, 50s));
}

TEST(FaultyWorld, AStaleEpisodeHoldsWhatWasThereBeforeIt) {
  const auto world =
      make_faulty_world(std::make_unique<CountingWorld>(2000), {.kind = "stale", .share = 0.2, .mean_length = 2min}, 5);
  const std::vector<Observation> shown = observations_of(*world);
  int begun = 0;
  for (std::size_t i = 1; i < shown.size(); ++i) {
    const double is = shown[i].served_rate_rps.value, was = shown[i - 1].served_rate_rps.value;
    const bool is_true = is == 1000.0 + static_cast<double>(i);
    if (is_true) continue;
    EXPECT_EQ(is, was) << i;
    begun += was == 1000.0 + static_cast<double>(i - 1) ? 1 : 0;
  }
  EXPECT_GT(begun, 20);
}

TEST(FaultyWorld, NanIsEveryKindOfNonsense) {
  int nan = 0, infinite = 0, negative = 0;
  for (const Observation& seen : always("nan", 50)) {
    for (const Signal& signal :
         {seen.served_rate_rps, seen.in_flight_requests, seen.cpu_cores, seen.pods[0].cpu_cores}) {
      EXPECT_EQ(signal.quality, Quality::fresh);
      nan += std::isnan(signal.value) ? 1 : 0;
      infinite += std::isinf(signal.value) ? 1 : 0;
      negative += std::isfinite(signal.value) && signal.value < 0.0 ? 1 : 0;
    }
  }
  EXPECT_EQ(nan + infinite + negative, 200);
  EXPECT_GT(std::min({nan, infinite, negative}), 20);
}

TEST(FaultyWorld, ZeroLooksFresh) {
  const Observation seen = always("zero", 3)[2];
  for (const Signal& signal :
       {seen.served_rate_rps, seen.failed_rate_rps, seen.in_flight_requests, seen.cpu_cores, seen.pods[4].cpu_cores})
    EXPECT_EQ(signal, Signal::fresh(0.0, 5s));
}

TEST(FaultyWorld, HalfLosesHalfOfThePodsAndTheirShareOfTheSums) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const std::vector<Observation> shown = always("half", 2, seed);
    for (int i = 0; i < 2; ++i) {
      const Observation& seen = shown[static_cast<std::size_t>(i)];
      int without = 0;
      for (const auto& pod : seen.pods) {
        without += pod.cpu_cores == Signal{} ? 1 : 0;
        EXPECT_EQ(pod.cpu_cores == Signal{}, shown[0].pods[static_cast<std::size_t>(pod.id - 1)].cpu_cores == Signal{})
            << "the same pods in the whole episode";
      }
      EXPECT_EQ(without, 5);
      EXPECT_EQ(seen.served_rate_rps, Signal::fresh((1000.0 + i) / 2, 5s));
      EXPECT_EQ(seen.cpu_cores, Signal::fresh(20.0, 5s));
      EXPECT_EQ(seen.in_flight_requests, Signal::fresh(10.0 + i, 5s));
      EXPECT_EQ(seen.failed_rate_rps, Signal::fresh(100.0 + i, 5s));
    }
  }
}

TEST(FaultyWorld, HalfOfAWorldWithoutSinglePodsIsHalfOfItsSums) {
  const Observation seen = always("half", 1, 1, false)[0];
  EXPECT_EQ(seen.served_rate_rps.value, 500.0);
  EXPECT_EQ(seen.cpu_cores.value, 20.0);
}

TEST(FaultyWorld, SkewIsOneOffsetPerEpisodeOnAllAges) {
  double least = 0.0, greatest = 0.0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::vector<Observation> shown = always("skew", 3, seed);
    const Duration age = shown[0].served_rate_rps.age;
    for (const Observation& seen : shown) {
      EXPECT_EQ(seen.served_rate_rps.age, age);
      EXPECT_EQ(seen.in_flight_requests.age, age);
      EXPECT_EQ(seen.pods[0].cpu_cores.age, age);
      EXPECT_EQ(seen.served_rate_rps.quality, age > 35s ? Quality::stale : Quality::fresh);
    }
    EXPECT_EQ(shown[2].served_rate_rps.value, 1002.0);
    least = std::min(least, to_seconds(age - 5s));
    greatest = std::max(greatest, to_seconds(age - 5s));
  }
  EXPECT_GE(least, -30.0);
  EXPECT_LE(greatest, 30.0);
  EXPECT_LT(least, -25.0);
  EXPECT_GT(greatest, 25.0);
}

TEST(FaultyWorld, ResetMakesRatesEnormousOrNoneOrAPart) {
  int enormous = 0, none = 0, part = 0;
  const std::vector<Observation> shown = always("reset", 90);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const double truth = 1000.0 + static_cast<double>(i);
    const double factor = shown[i].served_rate_rps.value / truth;
    EXPECT_NEAR(shown[i].failed_rate_rps.value / (truth - 900.0), factor, 1e-9 * (factor + 1.0));
    EXPECT_EQ(shown[i].in_flight_requests.value, truth - 990.0) << "a gauge has no counter";
    EXPECT_EQ(shown[i].cpu_cores.value, 40.0) << "nor has the kubelet's";
    enormous += std::abs(factor - 1000.0) < 1e-9 ? 1 : 0;
    none += factor == 0.0 ? 1 : 0;
    part += factor > 0.0 && factor < 1.0 ? 1 : 0;
  }
  EXPECT_EQ(enormous + none + part, 90);
  EXPECT_GT(std::min({enormous, none, part}), 15);
}

// In turns: a sample again, the true one. At 15 s the one of 0 s, 20 s old.
TEST(FaultyWorld, DuplicateShowsASampleTwice) {
  const std::vector<Observation> shown = always("duplicate", 6);
  EXPECT_EQ(shown[1], CountingWorld::observation(1));
  EXPECT_EQ(shown[2].served_rate_rps, Signal::fresh(1001.0, 20s));
  EXPECT_EQ(shown[2].pods[0].cpu_cores, Signal::fresh(4.0, 20s));
  EXPECT_EQ(shown[3], CountingWorld::observation(3));
  EXPECT_EQ(shown[4].served_rate_rps, Signal::fresh(1003.0, 20s));
}

// At 30 s the one of 0 s, after that of 15 s was seen.
TEST(FaultyWorld, ReorderedShowsAnOlderSampleAfterANewerOne) {
  const std::vector<Observation> shown = always("reordered", 6);
  EXPECT_EQ(shown[1], CountingWorld::observation(1));
  EXPECT_EQ(shown[2].served_rate_rps, Signal::fresh(1000.0, 35s));
  EXPECT_EQ(shown[3], CountingWorld::observation(3));
  EXPECT_EQ(shown[4].served_rate_rps, Signal::fresh(1002.0, 35s));
}

TEST(FaultyWorld, WithoutFaultsItIsTheWorldItself) {
  auto world = std::make_unique<CountingWorld>(1);
  const SimulatedWorld* const itself = world.get();
  auto wrapped = make_faulty_world(std::move(world), {}, 1);
  EXPECT_EQ(wrapped.get(), itself);
  wrapped = make_faulty_world(std::move(wrapped), {.kind = "nan", .share = 0.0}, 1);
  EXPECT_EQ(wrapped.get(), itself);
}

TEST(FaultyWorld, APolicyThatLooksAtNothingHasTheSameRun) {
  const auto arrivals = make_arrivals(std::vector<double>(1800, 200.0), ArrivalKind::poisson, {}, 4);
  const auto waiting = make_waiting_times(FluidSettings{});
  const PodSettings pods = {.crashes_per_hour = 2.0, .drain = 20s};
  const auto play = [&](bool is_fluid, const std::string& kind) {
    auto world = make_faulty_world(is_fluid ? make_fluid_world(arrivals, policy::Workload{}, 9, {}, waiting, pods, {})
                                            : make_request_world(arrivals, policy::Workload{}, 9, {}, pods, {}),
                                   {.kind = kind, .share = 0.5}, 4);
    std::vector<PeriodOutcome> outcomes;
    while (world->next())
      outcomes.push_back(world->apply({.replicas = outcomes.size() % 9 < 5 ? 9 : 12, .explanation = {}}));
    return std::pair(outcomes, world->truth());
  };
  for (const bool is_fluid : {true, false}) {
    const auto [outcomes, truth] = play(is_fluid, "none");
    for (const std::string_view kind : kinds_and_mixed()) {
      const auto [faulty_outcomes, faulty_truth] = play(is_fluid, std::string(kind));
      EXPECT_EQ(faulty_outcomes, outcomes) << kind;
      EXPECT_EQ(faulty_truth.latency, truth.latency) << kind;
      EXPECT_EQ(faulty_truth.late, truth.late) << kind;
      EXPECT_EQ(faulty_truth.replica_seconds, truth.replica_seconds) << kind;
      EXPECT_EQ(faulty_truth.replica_churn, truth.replica_churn) << kind;
    }
  }
}

TEST(FaultyWorld, EpisodesDoNotDependOnWhatIsDecided) {
  const auto arrivals = make_arrivals(std::vector<double>(3600, 200.0), ArrivalKind::poisson, {}, 4);
  const auto waiting = make_waiting_times(FluidSettings{});
  const auto missing_at = [&](int replicas) {
    auto world = make_faulty_world(make_fluid_world(arrivals, policy::Workload{}, 9, {}, waiting, {}, {}),
                                   {.kind = "missing", .share = 0.3}, 4);
    std::vector<TimePoint> times;
    while (const auto observation = world->next()) {
      if (observation->in_flight_requests.quality == Quality::missing) times.push_back(observation->now);
      world->apply({.replicas = replicas, .explanation = {}});
    }
    return times;
  };
  const std::vector<TimePoint> few = missing_at(4);
  EXPECT_EQ(few, missing_at(30));
  EXPECT_GT(few.size(), 20u);
}

}  // namespace
}  // namespace mpca::sim
