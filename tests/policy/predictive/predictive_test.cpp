#include "policy/predictive/predictive.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/text.h"
#include "forecast/forward_maximum.h"
#include "policy/policy.h"
#include "support/observations.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;
using test::observed;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Workload kWorkload{.min_replicas = 1, .max_replicas = 100};

std::unique_ptr<Policy> predictive(std::string_view settings = "", const Workload& workload = kWorkload) {
  return create_policy("predictive" + (settings.empty() ? "" : ":" + std::string(settings)), workload, "test").value();
}

double value_of(const Decision& decision, std::string_view name) {
  return named_value(decision.explanation, name).value_or(kNaN);
}

/// Two hours of 100 to 300 requests/s, a wave of 30 min; decisions every 15 s are carried out at once. Leaves `second`
/// behind the last one.
int calm_hours(Policy& policy, int& second) {
  int replicas = 10;
  for (const int end = second + 7200; second < end; second += 15) {
    const double rps = 200.0 + 100.0 * std::sin(2.0 * std::numbers::pi * second / 1800.0);
    replicas = policy.decide(observed(second, replicas, std::min(rps, replicas * 25.0))).replicas;
  }
  return replicas;
}

/// Everything that metrics can do, by step: absent, stale, not a number, zero, doubled; pods that start, go and hide.
Observation wild(int step, int replicas) {
  RandomStream random(23, "wild", static_cast<std::uint32_t>(step));
  const double nonsense[] = {kNaN, kInfinity, -kInfinity, -5.0, 1e300, 0.0};
  const auto signal = [&](double greatest) {
    const double kind = random.uniform();
    const Duration age = std::chrono::milliseconds(random.below(30'000));
    if (kind < 0.10) return Signal{};
    if (kind < 0.20) return Signal::stale(random.uniform() * greatest, age + 60s);
    if (kind < 0.28) return Signal::fresh(nonsense[random.below(std::size(nonsense))], age);
    if (kind < 0.30) return Signal::fresh(greatest, -age);
    return Signal::fresh(random.uniform() * greatest, age);
  };
  Observation observation;
  observation.now = TimePoint(std::chrono::seconds(step * 15 + static_cast<int>(random.below(10))));
  observation.spec_replicas = replicas;
  observation.ready_replicas = std::max(0, replicas - static_cast<int>(random.below(4)));
  for (int i = observation.ready_replicas; i < replicas; ++i)
    observation.starting_pod_ages.insert(observation.starting_pod_ages.begin(), std::chrono::seconds(random.below(90)));
  std::sort(observation.starting_pod_ages.rbegin(), observation.starting_pod_ages.rend());
  observation.served_rate_rps = signal(600.0);
  observation.failed_rate_rps = signal(100.0);
  observation.in_flight_requests = signal(300.0);
  observation.cpu_cores = signal(40.0);
  if (random.uniform() < 0.5) {
    for (int i = 0; i < replicas; ++i) {
      PodObservation& pod = observation.pods.emplace_back();
      pod.id = step / 20 * 3 + i;
      pod.started = observation.now - std::chrono::seconds(20 * (step % 20) + 20);
      pod.is_ready = i < observation.ready_replicas;
      pod.ready_changed = pod.started + (pod.is_ready ? 12s : 0s);
      pod.is_terminating = random.uniform() < 0.05;
      pod.cpu_cores = signal(1.0);
      pod.cpu_window = 30s;
    }
  }
  return observation;
}

TEST(Predictive, OnAConstantLoadItHoldsALittleMoreThanTheLoad) {
  const auto policy = predictive();
  int replicas = 10;
  Decision decision;
  for (int second = 0; second < 7200; second += 15) {
    decision = policy->decide(observed(second, replicas, 200.0));  // a load of 8
    replicas = decision.replicas;
  }
  EXPECT_GE(replicas, 9);
  EXPECT_LE(replicas, 12);
  EXPECT_EQ(decision.explanation.status, "late price 10");
}

TEST(Predictive, AHigherPriceOfLateDemandHoldsMore) {
  int before = 0;
  for (const char* price : {"late-price=0.3", "late-price=10", "late-price=1000"}) {
    const auto policy = predictive(price);
    RandomStream random(4, "price");
    int replicas = 10, held = 0;
    for (int second = 0; second < 7200; second += 15) {
      const double rps = 200.0 * std::exp(0.15 * random.normal());
      replicas = policy->decide(observed(second, replicas, std::min(rps, replicas * 25.0))).replicas;
      if (second >= 3600) held += replicas;
    }
    EXPECT_GT(held, before) << price;
    before = held;
  }
}

// Served 200 with 10 failed, and 150 more in flight within 15 s: 220 requests/s, 8.8 replicas at full utilization.
TEST(Predictive, ADecisionSaysWhatItRestsOn) {
  const auto policy = predictive();
  for (const int second : {0, 15}) {
    Observation observation = observed(second, 12, 200.0);
    observation.failed_rate_rps = Signal::fresh(10.0);
    observation.in_flight_requests = Signal::fresh(50.0 + 10.0 * second);
    const Decision decision = policy->decide(observation);
    const Explanation& why = decision.explanation;
    EXPECT_EQ(why.rule, "mean of the candidates, weighted by what they would have cost");
    EXPECT_EQ(why.status, second == 0 ? "no books yet, all candidates weigh the same" : "late price 10");
    EXPECT_EQ(why.demand_rps, second == 0 ? 210.0 : 220.0);
    EXPECT_EQ(why.demand_source,
              second == 0 ? "served rate + failed rate" : "served rate + failed rate + change of in flight");
    // Metrics that are no older than they look, 80 % of pods Ready, one period.
    EXPECT_NEAR(value_of(decision, "dead_time_s"), 15.0 + value_of(decision, "metric_age_s") + 30.0, 25.0);
    EXPECT_GT(value_of(decision, "readiness_lag_s"), 0.0);
    EXPECT_NEAR(value_of(decision, "capacity_rps"), 25.0, 2.5);
    EXPECT_DOUBLE_EQ(value_of(decision, "late_price"), 10.0);
    EXPECT_EQ(why.candidates.empty(), second == 0);
    ASSERT_EQ(why.forecast.size(), forecast::kForwardLevels.size());
    for (std::size_t l = 0; l < why.forecast.size(); ++l) {
      EXPECT_EQ(why.forecast[l].level, forecast::kForwardLevels[l]);
      EXPECT_NEAR(to_seconds(why.forecast[l].lead_time), value_of(decision, "dead_time_s"), 0.5) << "in whole seconds";
      EXPECT_GE(why.forecast[l].demand_rps, l > 0 ? why.forecast[l - 1].demand_rps : 0.0);
    }
    ASSERT_TRUE(why.recommendation);
    EXPECT_EQ(explanation_sentence(observation, decision).find("demand 2"), 0U);
  }
}

// Everything good and new: ceil(demand / (capacity x 0.99)), as long as the maximum allows.
// A rate over the last minute, seen every 15 s, is 22.5 s older than one over the last 15 s.
TEST(Predictive, AWindowLongerThanTheTimeBetweenSamplesIsPartOfTheDeadTime) {
  const auto dead_time_s = [](Duration rate_window) {
    const auto policy = predictive();
    Decision decision;
    for (int second = 0; second <= 3600; second += 15) {
      Observation observation = observed(second, 10, 200.0);
      observation.rate_window = rate_window;
      decision = policy->decide(observation);
    }
    return value_of(decision, "dead_time_s");
  };
  EXPECT_NEAR(dead_time_s(60s) - dead_time_s(15s), 22.5, 0.1);
  EXPECT_EQ(dead_time_s(15s), dead_time_s(0s));
}

TEST(Predictive, OnCleanMetricsItIsNeverBelowTheReactiveFloor) {
  for (const char* settings : {"late-price=0.1", "late-price=10", "late-share=0.5", "late-price=0.1,dead-band=0.1"}) {
    const auto policy = predictive(settings);
    RandomStream random(6, "floor");
    int replicas = 10, clean = 0;
    double log_rps = std::log(200.0);
    for (int step = 0; step < 3000; ++step) {
      log_rps = std::clamp(log_rps + 0.15 * random.normal(), std::log(20.0), std::log(3000.0));
      const double rps = std::exp(log_rps), served = std::min(rps, replicas * 25.0);
      Observation observation = observed(step * 15, replicas, served);
      observation.failed_rate_rps = Signal::fresh(rps - served);
      const Decision decision = policy->decide(observation);
      replicas = decision.replicas;
      if (decision.explanation.status.starts_with("hold")) continue;
      ++clean;
      const double floor = *decision.explanation.demand_rps / (0.99 * value_of(decision, "capacity_rps"));
      ASSERT_GE(replicas, std::min(std::ceil(floor - 1e-9), 100.0)) << settings << " step " << step;
    }
    EXPECT_GT(clean, 2500) << settings;
  }
}

// A load of 120 takes five or six pods. Where 6000 requests wait, 40 pods leave 6000 - 5 s x 40 x 25 = 1000 of them for
// later; 8 pods leave 5000, and those within a minute are 83 requests/s more than the 120: (120 + 83) / 25 = 8.1 pods.
TEST(Predictive, ABacklogIsWorkedOffAndNothingIsReleasedBefore) {
  const auto after_an_hour = [](int replicas, double in_flight) {
    const auto policy = predictive();
    Decision decision;
    for (int second = 0; second <= 3600; second += 15) {
      Observation observation = observed(second, second < 3600 ? 8 : replicas, 120.0);
      observation.in_flight_requests = Signal::fresh(second < 3600 ? 5.0 : in_flight);
      decision = policy->decide(observation);
    }
    return decision;
  };
  const Decision free = after_an_hour(40, 5.0);
  EXPECT_LE(free.replicas, 8);
  EXPECT_TRUE(std::isnan(value_of(free, "backlog_requests")));
  const Decision queued = after_an_hour(40, 6000.0);
  EXPECT_GE(queued.replicas, 40);
  EXPECT_NEAR(value_of(queued, "backlog_requests"), 1000.0, 1.0);
  EXPECT_TRUE(std::any_of(queued.explanation.guards.begin(), queued.explanation.guards.end(),
                          [](const GuardStep& step) { return step.guard == "backlog"; }));
  EXPECT_GT(after_an_hour(8, 6000.0).replicas, 8);
}

TEST(Predictive, WhatCannotBeBelievedNeverScalesDown) {
  struct Case {
    const char* name;
    Signal served;
  };
  const Case cases[] = {
      {"missing", Signal{}},
      {"stale", Signal::stale(10.0, 90s)},
      {"old", Signal::fresh(10.0, 5min)},
      {"not a number", Signal::fresh(kNaN)},
      {"infinite", Signal::fresh(kInfinity)},
      {"negative", Signal::fresh(-10.0)},
  };
  for (const Case& each : cases) {
    const auto policy = predictive();
    int second = 0;
    int replicas = std::max(calm_hours(*policy, second), 14);
    for (int step = 0; step < 240; ++step, second += 15) {
      Observation observation = observed(second, replicas, 0.0);
      observation.served_rate_rps = each.served;
      const Decision decision = policy->decide(observation);
      ASSERT_GE(decision.replicas, replicas) << each.name << " step " << step;
      ASSERT_LE(decision.replicas, 40) << each.name;
      EXPECT_EQ(decision.explanation.status.find("late price"), std::string::npos) << each.name;
      replicas = decision.replicas;
    }
  }
}

TEST(Predictive, AZeroThatIsNotConfirmedNeverScalesDown) {
  const auto policy = predictive();
  int second = 0;
  int replicas = std::max(calm_hours(*policy, second), 14);
  for (int step = 0; step < 7; ++step, second += 15) {
    const int decided = policy->decide(observed(second, replicas, 0.0)).replicas;
    ASSERT_GE(decided, replicas) << "after " << 15 * step << " s";
    replicas = decided;
  }
}

TEST(Predictive, AZeroThatTheCpuContradictsNeverScalesDown) {
  const auto policy = predictive();
  int second = 0;
  int replicas = std::max(calm_hours(*policy, second), 14);
  for (int step = 0; step < 240; ++step, second += 15) {
    Observation observation = observed(second, replicas, 0.0);
    observation.cpu_cores = Signal::fresh(8.0);
    observation.in_flight_requests = Signal::fresh(40.0);
    const int decided = policy->decide(observation).replicas;
    ASSERT_GE(decided, replicas) << "step " << step;
    replicas = decided;
  }
}

TEST(Predictive, WildMetricsNeverTakeItOutOfItsBounds) {
  for (const char* settings : {"", "late-share=0.01", "dead-band=0.1", "late-price=10000", "readiness-lag=10m"}) {
    const auto policy = predictive(settings);
    int replicas = 5;
    for (int step = 0; step < 2000; ++step) {
      const Decision decision = policy->decide(wild(step, replicas));
      ASSERT_GE(decision.replicas, 1) << settings << " step " << step;
      ASSERT_LE(decision.replicas, 100) << settings << " step " << step;
      ASSERT_TRUE(!decision.explanation.recommendation || std::isfinite(*decision.explanation.recommendation));
      for (const NamedValue& value : decision.explanation.values) ASSERT_TRUE(std::isfinite(value.value)) << value.name;
      for (const ForecastPoint& point : decision.explanation.forecast) ASSERT_TRUE(std::isfinite(point.demand_rps));
      for (const CandidateVote& vote : decision.explanation.candidates)
        ASSERT_TRUE(std::isfinite(vote.weight + vote.replicas + vote.cost + vote.late_share)) << vote.name;
      replicas = decision.replicas;
    }
  }
}

// The screen judges the served rate; failures and what is in flight may read anything that is finite.
TEST(Predictive, AnAbsurdSampleRaisesAndIsForgotten) {
  for (const double absurd : {1e6, 1e12, 1e300}) {
    const auto policy = predictive();
    const auto undisturbed = predictive();
    int second = 0, same = 0;
    calm_hours(*undisturbed, same);
    int replicas = calm_hours(*policy, second);
    Observation observation = observed(second, replicas, 200.0);
    observation.failed_rate_rps = Signal::fresh(absurd);
    replicas = policy->decide(observation).replicas;
    EXPECT_GT(replicas, 20) << absurd;
    second += 15;
    calm_hours(*policy, second);
    calm_hours(*undisturbed, same);
    EXPECT_NEAR(calm_hours(*policy, second), calm_hours(*undisturbed, same), 2) << absurd;
  }
}

TEST(Predictive, AfterWildInputALoadedStateGoesOnBitForBit) {
  for (const char* settings :
       {"", "late-share=0.01,dead-band=0.1", "readiness-lag=10m", "hpa=target=70+down-window=60s"}) {
    const auto original = predictive(settings);
    int replicas = 5;
    for (int step = 0; step < 500; ++step) replicas = original->decide(wild(step, replicas)).replicas;
    const auto restarted = predictive(settings);
    const auto loaded = restarted->load_state(original->save_state());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_EQ(restarted->save_state(), original->save_state());
    for (int step = 500; step < 800; ++step) {
      const Observation observation = wild(step, replicas);
      const Decision decision = original->decide(observation);
      ASSERT_EQ(restarted->decide(observation), decision) << settings << " step " << step;
      replicas = decision.replicas;
    }
    EXPECT_EQ(restarted->save_state(), original->save_state());
  }
}

// The load is constant at 8 replicas, so an HPA at 89 % holds 9 and an HPA at 16 % holds 50: the first has a say.
TEST(Predictive, TheOwnHpaIsACandidateThatIsHeardAsMuchAsItIsWorth) {
  const auto own_vote = [](std::string_view settings) {
    const auto policy = predictive(settings);
    Decision decision;
    for (int second = 0; second <= 4 * 3600; second += 15) decision = policy->decide(observed(second, 9, 200.0));
    const auto& votes = decision.explanation.candidates;
    const auto own = std::ranges::find(votes, "own HPA", &CandidateVote::name);
    return own == votes.end() ? std::optional<CandidateVote>() : *own;
  };
  EXPECT_FALSE(own_vote(""));
  EXPECT_FALSE(own_vote("hpa=target=16"));
  // Many other candidates hold 9 too; without them it is by itself.
  const auto heard = own_vote("hpa=target=89,without=trends;planners;keeping");
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->replicas, 9.0);
  EXPECT_NEAR(heard->cost, 9.0 / 8.0, 0.05);
}

// The object was changed while the policy was down: what its books say is of another one.
TEST(Predictive, AnotherOwnHpaBeginsWithTheBooksOfTheOthers) {
  int second = 0;
  const auto before = predictive("hpa=target=60");
  calm_hours(*before, second);
  const auto after = predictive("hpa=target=80");
  ASSERT_TRUE(after->load_state(before->save_state()));
  EXPECT_NE(after->save_state(), before->save_state());
  const auto same = predictive("hpa=target=60");
  ASSERT_TRUE(same->load_state(before->save_state()));
  EXPECT_EQ(same->save_state(), before->save_state());
  ASSERT_TRUE(predictive()->load_state(before->save_state())) << "and one that has none goes on";
}

// Demand of 200/s in pods of 25/s is answered with some 9 replicas. From 9 +- a quarter the band of 30 % changes
// nothing; from 20 it lowers to its edge.
TEST(Predictive, WithinTheDeadBandNothingChanges) {
  const auto after_hours_at = [](int replicas, std::string_view settings) {
    const auto policy = predictive(settings);
    Decision decision;
    for (int second = 0; second <= 4 * 3600; second += 15) decision = policy->decide(observed(second, replicas, 200.0));
    return decision;
  };
  const Decision free = after_hours_at(11, "dead-band=0");
  const double wanted = free.explanation.recommendation.value();
  ASSERT_NEAR(wanted, 9.0, 0.8);
  EXPECT_LT(free.replicas, 11);
  const Decision held = after_hours_at(11, "dead-band=0.3");
  EXPECT_EQ(held.replicas, 11);
  ASSERT_EQ(held.explanation.guards.size(), 1U);
  EXPECT_EQ(held.explanation.guards[0], (GuardStep{"dead_band", free.replicas, 11}));
  EXPECT_EQ(held.explanation.band->raise_below, static_cast<int>(std::ceil(0.7 * wanted - 0.4)));
  EXPECT_EQ(after_hours_at(20, "dead-band=0.3").replicas, static_cast<int>(std::ceil(1.3 * wanted - 0.4)));
}

/// A policy that has seen much, and its state.
class DamagedState : public testing::Test {
 protected:
  DamagedState() {
    const auto policy = predictive();
    int replicas = 5;
    for (int step = 0; step < 200; ++step) replicas = policy->decide(wild(step, replicas)).replicas;
    saved = policy->save_state();
    for (const std::string_view line : split(saved, '\n'))
      if (!line.empty()) lines.emplace_back(line);
  }

  std::string with(std::size_t line, const std::string& instead) const {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i == line && instead.empty()) continue;
      text += (i == line ? instead : lines[i]) + "\n";
    }
    return text;
  }

  std::string saved;
  std::vector<std::string> lines;
};

TEST_F(DamagedState, WithoutAnyOneLineItIsRefusedAndNothingChanges) {
  ASSERT_GT(lines.size(), 20U);
  const auto other = predictive();
  other->decide(observed(0, 3, 60.0));
  const std::string before = other->save_state();
  for (std::size_t line = 0; line < lines.size(); ++line) {
    EXPECT_FALSE(other->load_state(with(line, ""))) << lines[line].substr(0, 40);
    ASSERT_EQ(other->save_state(), before) << lines[line].substr(0, 40);
  }
}

TEST_F(DamagedState, MemoryThatIsTooShortTooLongOrNoNumbersIsRefused) {
  ASSERT_EQ(lines[1].rfind("memory ", 0), 0U);
  const std::string& memory = lines[1];
  const auto other = predictive();
  const std::string before = other->save_state();
  for (const std::string& bad : {memory.substr(0, memory.rfind(' ')), memory + " 0", memory + " x",
                                 std::string("memory"), memory.substr(0, memory.rfind(' ')) + " nan"}) {
    EXPECT_FALSE(other->load_state(with(1, bad))) << bad.substr(bad.size() - std::min<std::size_t>(bad.size(), 20));
    EXPECT_EQ(other->save_state(), before);
  }
}

// Each number of the memory may be the damaged one: refused, or it can be lived with.
TEST_F(DamagedState, ANumberThatCannotBeIsRefusedOrDoesNoHarm) {
  const std::vector<std::string_view> parts = split(lines[1], ' ');
  RandomStream random(8, "damage");
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    const auto place = 1 + static_cast<std::size_t>(random.below(parts.size() - 1));
    const char* const nonsense[] = {"-1", "1e300", "0.5", "-1e+15", "2147483647", "nan", "-inf", "1e38"};
    std::string memory = "memory";
    for (std::size_t i = 1; i < parts.size(); ++i)
      memory += " " + std::string(i == place ? nonsense[random.below(std::size(nonsense))] : parts[i]);
    const auto other = predictive();
    const std::string before = other->save_state();
    if (!other->load_state(with(1, memory))) {
      ++refused;
      ASSERT_EQ(other->save_state(), before);
      continue;
    }
    int replicas = 5;
    for (int step = 200; step < 210; ++step) {
      const Decision decision = other->decide(wild(step, replicas));
      replicas = decision.replicas;
      ASSERT_GE(replicas, 1) << "number " << place;
      ASSERT_LE(replicas, 100) << "number " << place;
      ASSERT_TRUE(!decision.explanation.recommendation || std::isfinite(*decision.explanation.recommendation))
          << "number " << place;
    }
  }
  EXPECT_GT(refused, 200);
}

TEST(Predictive, OneWorkloadTakes20KilobytesAtMost) {
  std::printf("predictive_state_bytes() = %zu\n", predictive_state_bytes());
  EXPECT_LE(predictive_state_bytes(), 20U * 1024U);
}

TEST(Predictive, ItsSettingsAreThoseOfItsPartsAndCapacityIsTheWorkloads) {
  const std::vector<SettingInfo> settings = predictive_settings();
  const auto has = [&](std::string_view name) {
    return std::any_of(settings.begin(), settings.end(), [&](const SettingInfo& info) { return info.name == name; });
  };
  EXPECT_EQ(settings.front().name, "late-price");
  for (const char* name :
       {"late-share", "latency-target", "dead-band", "readiness-lag", "stale-after", "floor-utilization"})
    EXPECT_TRUE(has(name)) << name;
  EXPECT_FALSE(has("capacity"));
}

}  // namespace
}  // namespace mpca::policy
