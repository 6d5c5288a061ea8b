#include "policy/predictive/tournament.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/random.h"

namespace mpca::policy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCount = Tournament::kCount;
constexpr double kForgetting = 1.0 - 1.0 / 10'000;
constexpr double kSteepness = 10.0;
constexpr int kContext = 4;

TimePoint at(int sample) { return TimePoint(std::chrono::seconds(15 * sample)); }

/// Every pod is Ready `intervals` samples after it was asked for. A sample is 15 s, and the three moments that are
/// looked at lie 2.5, 7.5 and 12.5 s behind it, on points.
LagShares ready_after(std::size_t intervals) {
  LagShares shares;
  shares.step_s = 2.5F;
  shares.ready_by.fill(1.0F);
  std::fill_n(shares.ready_by.begin(), std::min(6 * intervals, LagShares::kPoints), 0.0F);
  return shares;
}

/// From sample to sample, with `load` all the time.
ScoredInterval until(int sample, double load) { return {.from = at(sample - 1), .to = at(sample), .load = load}; }

Candidates::Replicas all_hold(int replicas) {
  Candidates::Replicas all;
  all.fill(static_cast<std::uint16_t>(replicas));
  return all;
}

Tournament::Weights only(std::size_t candidate) {
  Tournament::Weights weights{};
  weights[candidate] = 1.0;
  return weights;
}

double sum_of(const Tournament::Weights& weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

/// The late load of `replicas` Ready ones under a constant `load`.
double late_load(double load, double replicas) {
  return load * std::exp(std::min(kSteepness * (load / std::max(replicas, 0.01) - 1.0), 0.0));
}

TEST(Tournament, AllAreHeardAlikeBeforeAnythingIsKnown) {
  const Tournament tournament;
  for (const double weight : tournament.weights(10.0, 0)) EXPECT_DOUBLE_EQ(weight, 1.0 / 61.0);
}

TEST(Tournament, OnlyMembersAreHeard) {
  Tournament::Members members;
  members.set(3).set(9);
  Tournament tournament(nullptr, members);
  EXPECT_DOUBLE_EQ(tournament.weights(10.0, 0)[3], 0.5);
  // Everybody but 3 and 9 would have done better.
  Candidates::Replicas replicas = all_hold(2);
  replicas[3] = 20;
  replicas[9] = 10;
  for (int sample = 0; sample < 100; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 1.0), kSteepness, ready_after(0), 0s);
  }
  const Tournament::Weights weights = tournament.weights(10.0, kContext);
  EXPECT_GT(weights[9], 0.99);
  EXPECT_DOUBLE_EQ(weights[3] + weights[9], 1.0);
}

// 100 samples of 2 replicas, one late half as often as the other; who comes now has the mean of both.
TEST(Tournament, WhoComesLaterBeginsWithTheMeanOfTheOthers) {
  Tournament::Members members;
  members.set(3).set(9).set(60);
  Tournament tournament(nullptr, members);
  Candidates::Replicas replicas = all_hold(1);
  replicas[3] = 2;
  replicas[9] = 4;
  for (int sample = 0; sample < 100; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 1.0), kSteepness, ready_after(0), 0s);
  }
  tournament.begin_like_others(60);
  EXPECT_FLOAT_EQ(static_cast<float>(tournament.totals_of(60).cost),
                  static_cast<float>((tournament.totals_of(3).cost + tournament.totals_of(9).cost) / 2));
  EXPECT_FLOAT_EQ(static_cast<float>(tournament.totals_of(60).late),
                  static_cast<float>((tournament.totals_of(3).late + tournament.totals_of(9).late) / 2));
}

TEST(Tournament, WithoutContextTheBooksOverAllDecide) {
  Tournament tournament;
  Candidates::Replicas replicas = all_hold(4);
  replicas[3] = 2;  // the cheapest, in the context that it has books in and over all
  for (int sample = 0; sample < 1000; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 1.0), kSteepness, ready_after(0), 0s);
  }
  const double unseen = tournament.weights(10.0, kContext + 1)[3];
  EXPECT_DOUBLE_EQ(tournament.weights(10.0, Tournament::kNoContext)[3], unseen) << "no books there add nothing";
}

// 100 samples of load 1 before the first one: 1.2 + 10 x 0.01 against 1.3 + 10 x 0.02 for all others, so the best has
// 130 and the others 150. The scale is 60 / (130 + 100).
TEST(Tournament, APriorSpeaksUntilThereAreBooks) {
  Tournament::Prior prior;
  prior.fill({.cost = 1.3, .late = 0.02});
  prior[7] = {.cost = 1.2, .late = 0.01};
  Tournament tournament(&prior);
  const double other = std::exp(-60.0 * 20.0 / 230.0);
  EXPECT_NEAR(tournament.weights(10.0, kContext)[7], 1.0 / (1.0 + (kCount - 1) * other), 1e-6);
  // Candidate 7 turns out to be dear: 12 samples of 8 more than the others at a load of 1 are 96 against 20.
  Candidates::Replicas replicas = all_hold(2);
  replicas[7] = 10;
  for (int sample = 0; sample < 12; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 1.0), kSteepness, ready_after(0), 0s);
  }
  EXPECT_LT(tournament.weights(10.0, kContext)[7], 1e-6);
}

TEST(Tournament, WithoutAnOrderThereIsNothingToBook) {
  Tournament tournament;
  tournament.score(until(0, 4.0), kSteepness, ready_after(0), 0s);
  EXPECT_EQ(tournament.samples(), 0.0);
}

// Load 4 on 5 replicas is a utilization of 0.8: a share exp(10 (0.8 - 1)) = exp(-2) is late. On 3 all of it is.
TEST(Tournament, BooksAreWhatWasPaidAndWhatWasLate) {
  Tournament tournament;
  Candidates::Replicas replicas = all_hold(5);
  replicas[1] = 3;
  for (int sample = 0; sample < 3; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 4.0), kSteepness, ready_after(0), 0s);
  }
  const double three = 1.0 + kForgetting + kForgetting * kForgetting;
  const Tournament::Totals first = tournament.totals(only(0));
  EXPECT_NEAR(first.cost, 5.0 * three, 1e-5);
  EXPECT_NEAR(first.late, 4.0 * std::exp(-2.0) * three, 1e-6);
  EXPECT_NEAR(first.demand, 4.0 * three, 1e-12);
  EXPECT_NEAR(tournament.totals(only(1)).cost, 3.0 * three, 1e-5);
  EXPECT_NEAR(tournament.totals(only(1)).late, 4.0 * three, 1e-5);
  EXPECT_NEAR(tournament.samples(), three, 1e-12);
}

// A rise of 6 since the sample before: 2, 4 and 6 at the three moments. On 5 replicas the shares are exp(-6), exp(-2)
// and 1.
TEST(Tournament, TheLoadWithinAnIntervalGoesOnALine) {
  Tournament tournament;
  tournament.order(at(0), all_hold(5), kContext, 1);
  ScoredInterval interval = until(1, 4.0);
  interval.change = 6.0;
  tournament.score(interval, kSteepness, ready_after(0), 0s);
  EXPECT_NEAR(tournament.totals(only(0)).late, (4.0 * std::exp(-2.0) + 6.0 + 2.0 * std::exp(-6.0)) / 3.0, 1e-6);
  EXPECT_NEAR(tournament.totals(only(0)).demand, 4.0, 1e-12);
}

// After a sample that was not seen an interval is two long, and counts twice.
TEST(Tournament, ALongIntervalWeighsMore) {
  Tournament tournament;
  tournament.order(at(0), all_hold(5), kContext, 1);
  tournament.score({.from = at(0), .to = at(2), .load = 4.0, .weight = 2.0}, kSteepness, ready_after(0), 0s);
  EXPECT_NEAR(tournament.totals(only(0)).cost, 10.0, 1e-5);
  EXPECT_NEAR(tournament.totals(only(0)).late, 8.0 * std::exp(-2.0), 1e-6);
  EXPECT_NEAR(tournament.totals(only(0)).demand, 8.0, 1e-12);
  EXPECT_EQ(tournament.samples(), 2.0);
}

// Orders 2, 2, 6, 6, 6 with two intervals until Ready: 6 are paid from the third on and serve from the fifth on.
TEST(Tournament, WhatIsAskedForIsPaidAtOnceAndServesAfterTheDeadTime) {
  Tournament tournament;
  const int orders[] = {2, 2, 6, 6, 6};
  double cost = 0.0, late = 0.0;
  const int ready[] = {2, 2, 2, 2, 6};
  for (int sample = 0; sample < 5; ++sample) {
    tournament.order(at(sample), all_hold(orders[sample]), kContext, 1);
    tournament.score(until(sample + 1, 4.0), kSteepness, ready_after(2), 0s);
    cost = kForgetting * cost + orders[sample];
    late = kForgetting * late + late_load(4.0, ready[sample]);
    EXPECT_NEAR(tournament.totals(only(7)).cost, cost, 1e-4) << sample;
    EXPECT_NEAR(tournament.totals(only(7)).late, late, 1e-4) << sample;
  }
}

// Orders 10, 10, 10, 2, 10, 10, 10: who takes back what is starting waits again. Down is immediate.
TEST(Tournament, StartingPodsThatAreTakenBackAreGone) {
  Tournament tournament;
  const int orders[] = {10, 10, 10, 2, 10, 10, 10};
  const int ready[] = {10, 10, 10, 2, 2, 2, 10};
  double late = 0.0;
  for (int sample = 0; sample < 7; ++sample) {
    tournament.order(at(sample), all_hold(orders[sample]), kContext, 1);
    tournament.score(until(sample + 1, 8.0), kSteepness, ready_after(2), 0s);
    late = kForgetting * late + late_load(8.0, ready[sample]);
    EXPECT_NEAR(tournament.totals(only(0)).late, late, 1e-4) << sample;
  }
}

// Decided 7 s into the interval: a third of it 4 are paid and serve, then 8.
TEST(Tournament, AnOrderCountsFromWhenItIsGiven) {
  Tournament tournament;
  tournament.order(at(0), all_hold(4), kContext, 1);
  tournament.order(at(1) + 7s, all_hold(8), kContext, 1);
  tournament.score(until(2, 4.0), kSteepness, ready_after(0), 0s);
  EXPECT_NEAR(tournament.totals(only(0)).cost, 20.0 / 3.0, 1e-6);
  EXPECT_NEAR(tournament.totals(only(0)).late, (4.0 + 2.0 * late_load(4.0, 8.0)) / 3.0, 1e-6);
}

// Pods that take 10 s: at the first two moments after the order they do not serve, at the third they do.
TEST(Tournament, AShortLagIsSeenWithinAnInterval) {
  Tournament tournament;
  LagShares shares = ready_after(0);
  std::fill_n(shares.ready_by.begin(), 4, 0.0F);
  tournament.order(at(0), all_hold(4), kContext, 1);
  tournament.order(at(1), all_hold(8), kContext, 1);
  tournament.score(until(2, 4.0), kSteepness, shares, 0s);
  EXPECT_NEAR(tournament.totals(only(0)).cost, 8.0, 1e-6);
  EXPECT_NEAR(tournament.totals(only(0)).late, (4.0 + 4.0 + late_load(4.0, 8.0)) / 3.0, 1e-6);
}

TEST(LagShares, AreLinesBetweenPointsAndAllBeyond) {
  LagShares shares;
  shares.step_s = 2.0F;
  shares.ready_by.fill(0.5F);
  shares.ready_by[0] = 0.0F;
  EXPECT_EQ(shares.at(-1.0), 0.0);
  EXPECT_DOUBLE_EQ(shares.at(1.0), 0.25);
  EXPECT_DOUBLE_EQ(shares.at(93.9), 0.5);
  EXPECT_EQ(shares.at(94.0), 1.0);
}

// Half of the pods after one interval, half after three, orders 4, 8, 8, 8: 6 of them serve, then 8.
TEST(Tournament, PodsBecomeReadyAtDifferentTimes) {
  Tournament tournament;
  LagShares shares = ready_after(3);
  std::fill(shares.ready_by.begin() + 6, shares.ready_by.begin() + 18, 0.5F);
  const int orders[] = {4, 8, 8, 8, 8};
  const double ready[] = {4.0, 4.0, 6.0, 6.0, 8.0};
  double late = 0.0;
  for (int sample = 0; sample < 5; ++sample) {
    tournament.order(at(sample), all_hold(orders[sample]), kContext, 1);
    tournament.score(until(sample + 1, 3.0), kSteepness, shares, 0s);
    late = kForgetting * late + late_load(3.0, ready[sample]);
    EXPECT_NEAR(tournament.totals(only(0)).late, late, 1e-4) << sample;
  }
}

// A slot of three samples keeps the least of them. Orders 9, 5, 9 | 9: one slot back is 5.
TEST(Tournament, ASlotOfSeveralSamplesKeepsTheLeastOrder) {
  Tournament tournament;
  const int orders[] = {9, 5, 9, 9};
  for (int sample = 0; sample < 4; ++sample) tournament.order(at(sample), all_hold(orders[sample]), kContext, 3);
  tournament.score(until(4, 5.0), kSteepness, ready_after(1), 0s);
  EXPECT_NEAR(tournament.totals(only(0)).cost, 9.0, 1e-6);
  EXPECT_NEAR(tournament.totals(only(0)).late, 5.0, 1e-6);
}

TEST(Tournament, WeightsSumToOneWhateverHappened) {
  Tournament tournament;
  RandomStream random(1, "sum");
  for (int sample = 0; sample < 2000; ++sample) {
    Candidates::Replicas replicas;
    for (auto& each : replicas) each = static_cast<std::uint16_t>(random.below(sample < 1000 ? 20 : 65536));
    tournament.order(at(sample), replicas, static_cast<int>(random.below(9)), 1 + static_cast<int>(random.below(3)));
    ScoredInterval interval = until(sample + 1, random.exponential() * 10.0);
    interval.change = random.uniform();
    tournament.score(interval, 50.0, ready_after(random.below(12)), 30s);
    for (const double price : {0.3, 10.0, 1500.0}) {
      const Tournament::Weights weights = tournament.weights(price, static_cast<int>(random.below(9)));
      ASSERT_NEAR(sum_of(weights), 1.0, 1e-12);
      ASSERT_GE(*std::min_element(weights.begin(), weights.end()), 0.0);
    }
  }
}

TEST(Tournament, WhoIsClearlyBestIsHeard) {
  Tournament tournament;
  Candidates::Replicas replicas = all_hold(20);
  for (std::size_t c = 0; c < kCount; c += 2) replicas[c] = 3;
  replicas[17] = 6;
  for (int sample = 0; sample < 1000; ++sample) {
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 4.0), 30.0, ready_after(0), 0s);
  }
  EXPECT_GT(tournament.weights(10.0, kContext)[17], 0.999);
  EXPECT_GT(tournament.weights(0.3, kContext)[0], 0.03) << "at a low price those who save are";
}

// Who holds 6 is best in context 0, where the load is 4; who holds 20 in context 8, where it is 16. Over all, 20 is.
TEST(Tournament, AContextHasItsOwnBooks) {
  Tournament tournament;
  Candidates::Replicas replicas = all_hold(40);
  replicas[0] = 6;
  replicas[1] = 20;
  for (int sample = 0; sample < 6000; ++sample) {
    const bool is_high = sample % 4 == 3;
    tournament.order(at(sample), replicas, is_high ? 8 : 0, 1);
    tournament.score(until(sample + 1, is_high ? 16.0 : 4.0), 30.0, ready_after(0), 0s);
  }
  const double price = 2.5;
  EXPECT_GT(tournament.weights(price, 8)[1], tournament.weights(price, 8)[0]);
  EXPECT_GT(tournament.weights(price, 0)[0], tournament.weights(price, 0)[1]);
  const double never_seen = tournament.weights(price, 5)[0];
  EXPECT_GT(never_seen, tournament.weights(price, 8)[0]);
  EXPECT_LT(never_seen, tournament.weights(price, 0)[0]);
}

// What is booked at 60 s was asked for at 15 s, with a lag of 45 s: in context 1, and context 2 learns nothing of it.
TEST(Tournament, ASampleIsBookedInTheContextInWhichItsPodsWereAskedFor) {
  Tournament tournament;
  Candidates::Replicas replicas = all_hold(10);
  replicas[3] = 5;
  for (int sample = 0; sample < 4; ++sample) tournament.order(at(sample), replicas, sample <= 1 ? 1 : 2, 1);
  tournament.score(until(4, 4.0), kSteepness, ready_after(3), 45s);
  const double without = tournament.weights(10.0, 0)[3];
  EXPECT_EQ(tournament.weights(10.0, 2)[3], without);
  EXPECT_NE(tournament.weights(10.0, 1)[3], without);
}

TEST(Tournament, AStricterShareHasAHigherPrice) {
  Tournament tournament;
  RandomStream random(2, "share");
  for (int sample = 0; sample < 3000; ++sample) {
    Candidates::Replicas replicas;
    for (std::size_t c = 0; c < kCount; ++c) replicas[c] = static_cast<std::uint16_t>(c / 2 + 1);
    tournament.order(at(sample), replicas, kContext, 1);
    tournament.score(until(sample + 1, 4.0 + 3.0 * random.exponential()), 30.0, ready_after(0), 0s);
  }
  double last = 1e9;
  for (const double share : {1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 0.5}) {
    const double price = tournament.price_for(share, kContext);
    EXPECT_LE(price, last) << share;
    EXPECT_GE(price, 0.3);
    EXPECT_LE(price, 1500.0);
    if (price > 0.31 && price < 1490.0) {
      const Tournament::Totals then = tournament.totals(tournament.weights(price, kContext));
      EXPECT_NEAR(then.late / then.demand, share, 0.01 * share) << "the share is met";
    }
    last = price;
  }
  EXPECT_LT(last, tournament.price_for(1e-3, kContext)) << "not one price for all";
}

TEST(Tournament, WithoutDemandTheLeastPriceWillDo) { EXPECT_NEAR(Tournament{}.price_for(0.01, 0), 0.3, 1e-4); }

// The bound of tournament.h on one sequence, in numbers of its own: losses from loads and orders, the rate from the
// published formula. All samples lie in one context, whose books are then a factor of 1 + 1.5 n / (n + 600) on all.
class Regret {
 public:
  struct Move {
    Candidates::Replicas orders;
    double load = 0.0;
  };
  /// Knows the weights before it moves.
  using Adversary = std::function<Move(const Tournament::Weights&, int sample)>;

  static constexpr double kPrice = 10.0;

  void play(const Adversary& adversary, int samples) {
    for (int sample = 0; sample < samples; ++sample) {
      const double eta = rate();
      const Tournament::Weights weights = tournament_.weights(kPrice, kContext);
      expect_weights_of(eta, weights);
      const Move move = adversary(weights, sample);
      tournament_.order(at(sample), move.orders, kContext, 1);
      tournament_.score(until(sample + 1, move.load), kSteepness, ready_after(0), 0s);
      book(move, weights, eta);
    }
  }

  double mixture() const { return mixture_; }
  double best() const { return *std::min_element(books_.begin(), books_.end()); }
  double left_side() const { return left_side_; }
  double right_side() const { return best() + std::log(static_cast<double>(kCount)) * (1.0 / last_eta_ + falls_); }
  double mean_load() const { return load_ / samples_; }

 private:
  double rate() const {
    const double factor = 1.0 + 1.5 * samples_ / (samples_ + 600.0);
    const double load = samples_ > 0.0 ? std::max(load_ / samples_, 0.1) : 1.0;
    return 60.0 * factor / (factor * best() + 100.0 * load);
  }

  void expect_weights_of(double eta, const Tournament::Weights& weights) const {
    double sum = 0.0;
    for (const double loss : books_) sum += std::exp(-eta * (loss - best()));
    for (std::size_t c = 0; c < kCount; ++c)
      ASSERT_NEAR(weights[c], std::exp(-eta * (books_[c] - best())) / sum, 1e-3) << "candidate " << c;
  }

  void book(const Move& move, const Tournament::Weights& weights, double eta) {
    double mean = 0.0, greatest = 0.0;
    for (std::size_t c = 0; c < kCount; ++c) {
      const double loss = move.orders[c] + kPrice * late_load(move.load, move.orders[c]);
      mean += weights[c] * loss;
      greatest = std::max(greatest, loss);
      books_[c] = kForgetting * books_[c] + loss;
    }
    const double x = eta / kForgetting * greatest;
    mixture_ = kForgetting * mixture_ + mean;
    left_side_ = kForgetting * left_side_ + mean * (1.0 - std::exp(-x)) / x;
    // Forgetting shrinks books by g, so 1 / eta may shrink by as much before that counts as a fall.
    falls_ *= kForgetting;
    if (samples_ > 0.0) falls_ += std::max(kForgetting / last_eta_ - 1.0 / eta, 0.0);
    last_eta_ = eta;
    samples_ = kForgetting * samples_ + 1.0;
    load_ = kForgetting * load_ + move.load;
  }

  Tournament tournament_;
  std::array<double, kCount> books_{};
  double mixture_ = 0.0, left_side_ = 0.0, falls_ = 0.0, last_eta_ = 0.0, samples_ = 0.0, load_ = 0.0;
};

Candidates::Replicas ladder() {
  Candidates::Replicas replicas;
  for (std::size_t c = 0; c < kCount; ++c) replicas[c] = static_cast<std::uint16_t>(c + 1);
  return replicas;
}

/// Of two loads, the one at which the mean of the losses is greater by the loss of the best of then.
double load_that_hurts(const Tournament::Weights& weights, const Candidates::Replicas& replicas, double low,
                       double high) {
  const auto hurt = [&](double load) {
    double mean = 0.0, least = 1e300;
    for (std::size_t c = 0; c < kCount; ++c) {
      const double loss = replicas[c] + Regret::kPrice * late_load(load, replicas[c]);
      mean += weights[c] * loss;
      least = std::min(least, loss);
    }
    return mean - least;
  };
  return hurt(low) > hurt(high) ? low : high;
}

struct NamedAdversary {
  const char* name;
  Regret::Adversary adversary;
};

std::vector<NamedAdversary> adversaries() {
  const auto random_of = [](int sample) { return RandomStream(9, "adversary", static_cast<std::uint32_t>(sample)); };
  return {
      {"constant load", [](const auto&, int) { return Regret::Move{ladder(), 8.0}; }},
      {"a load that alternates", [](const auto&, int s) { return Regret::Move{ladder(), s % 2 == 0 ? 2.0 : 20.0}; }},
      {"the load that hurts most",
       [](const auto& weights, int) {
         const Candidates::Replicas replicas = ladder();
         return Regret::Move{replicas, load_that_hurts(weights, replicas, 2.0, 20.0)};
       }},
      {"whoever leads pays most, and the next one least",
       [](const auto& weights, int) {
         Candidates::Replicas replicas = all_hold(12);
         replicas[static_cast<std::size_t>(std::max_element(weights.begin(), weights.end()) - weights.begin())] = 40;
         replicas[static_cast<std::size_t>(std::min_element(weights.begin(), weights.end()) - weights.begin())] = 9;
         return Regret::Move{replicas, 8.0};
       }},
      {"whoever leads holds nothing and is late",
       [](const auto& weights, int) {
         Candidates::Replicas replicas = all_hold(12);
         replicas[static_cast<std::size_t>(std::max_element(weights.begin(), weights.end()) - weights.begin())] = 1;
         return Regret::Move{replicas, 8.0};
       }},
      {"orders and loads by chance",
       [=](const auto&, int s) {
         RandomStream random = random_of(s);
         Candidates::Replicas replicas;
         for (auto& each : replicas) each = static_cast<std::uint16_t>(1 + random.below(30));
         return Regret::Move{replicas, 20.0 * random.exponential()};
       }},
      {"a great load that goes away", [](const auto&, int s) { return Regret::Move{ladder(), s < 20 ? 50.0 : 0.5}; }},
      {"a small load that becomes great",
       [](const auto&, int s) { return Regret::Move{ladder(), s < 700 ? 0.5 : 50.0}; }},
  };
}

TEST(Tournament, TheRegretStaysBelowItsBoundWhateverTheAdversary) {
  for (const auto& [name, adversary] : adversaries()) {
    for (const int samples : {10, 100, 1500}) {
      SCOPED_TRACE(testing::Message() << name << ", " << samples << " samples");
      Regret regret;
      regret.play(adversary, samples);
      if (HasFatalFailure()) return;
      EXPECT_LE(regret.left_side(), regret.right_side());
      EXPECT_GE(regret.mixture(), regret.left_side());
    }
  }
}

// ln 60 / 60 is 6.8 % of the best, and of 100 mean loads 6.8. The steps themselves (c) are small once eta is: 60 mean
// loads are ample, where 1500 samples of the best cost some 2400.
TEST(Tournament, OnAConstantLoadTheRegretIsAFewMeanLoads) {
  Regret regret;
  regret.play([](const auto&, int) { return Regret::Move{ladder(), 8.0}; }, 1500);
  EXPECT_LT(regret.mixture(), 1.068 * regret.best() + 60.0 * regret.mean_load());
}

}  // namespace
}  // namespace mpca::policy
