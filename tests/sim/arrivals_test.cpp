#include "sim/arrivals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sim/internal/request_source.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;

std::vector<double> rates(std::size_t seconds, double rate_rps) { return std::vector(seconds, rate_rps); }

double sum(const std::vector<std::uint32_t>& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

double variance(const std::vector<std::uint32_t>& counts) {
  const double mean = sum(counts) / static_cast<double>(counts.size());
  double squares = 0.0;
  for (const std::uint32_t count : counts) squares += (count - mean) * (count - mean);
  return squares / static_cast<double>(counts.size());
}

TEST(Arrivals, AConstantRateCarriesTheRestOfARequest) {
  EXPECT_EQ(make_arrivals({2.5, 2.5, 0.5, 0.5, 0.0, 3.0}, ArrivalKind::constant, {}, 1)->count,
            (std::vector<std::uint32_t>{2, 3, 0, 1, 0, 3}));
  EXPECT_EQ(sum(make_arrivals(rates(1000, 0.1), ArrivalKind::constant, {}, 1)->count), 100);
}

// Both methods on both sides of where they change at 10, against the probabilities themselves: chi-square over all
// counts that are expected at least 20 times of 200,000, within 4.5 standard deviations of its mean.
TEST(Arrivals, PoissonCountsHaveTheirProbabilities) {
  for (const double mean : {0.01, 1.0, 4.0, 9.99, 10.0, 12.5, 60.0, 1500.0}) {
    constexpr std::size_t kSeconds = 200'000;
    const auto arrivals = make_arrivals(rates(kSeconds, mean), ArrivalKind::poisson, {}, 7);
    std::vector<double> seen(static_cast<std::size_t>(mean + 12.0 * std::sqrt(mean) + 20.0), 0.0);
    for (const std::uint32_t count : arrivals->count) {
      ASSERT_LT(count, seen.size()) << "mean " << mean;
      ++seen[count];
    }
    double chi_square = 0.0, classes = 0.0, rest = kSeconds, rest_seen = kSeconds;
    for (std::size_t k = 0; k < seen.size(); ++k) {
      const auto number = static_cast<double>(k);
      const double expected = kSeconds * std::exp(number * std::log(mean) - mean - std::lgamma(number + 1.0));
      if (expected < 20.0) continue;
      chi_square += (seen[k] - expected) * (seen[k] - expected) / expected;
      classes += 1.0;
      rest -= expected;
      rest_seen -= seen[k];
    }
    if (rest >= 20.0) {
      chi_square += (rest_seen - rest) * (rest_seen - rest) / rest;
      classes += 1.0;
    }
    const double freedom = std::max(classes - 1.0, 1.0);
    EXPECT_LT(chi_square, freedom + 4.5 * std::sqrt(2.0 * freedom)) << "mean " << mean;
  }
}

TEST(Arrivals, NoRateNoArrivals) {
  for (const auto kind : {ArrivalKind::constant, ArrivalKind::poisson, ArrivalKind::bursty})
    EXPECT_EQ(sum(make_arrivals(rates(100, 0.0), kind, {}, 1)->count), 0);
}

TEST(Arrivals, TheSameSeedGivesTheSameArrivalsAndAnotherGivesOthers) {
  const auto counts = [](std::uint64_t seed) {
    return make_arrivals(rates(100, 30.0), ArrivalKind::bursty, {}, seed)->count;
  };
  EXPECT_EQ(counts(5), counts(5));
  EXPECT_NE(counts(5), counts(6));
}

// Bursts 3 times the rest, a fifth of the time, 5 s long: outside 50 / (0.8 + 0.6) = 35.7 rps, inside 107.1. The mean
// stays 50. Counts of one second vary more than Poisson ones by the variance of the rate, 0.16 x 71.4^2 = 816, a little
// averaged over the second: for two states that change with rate 1/5 + 1/20 the share 2 (x - 1 + exp(-x)) / x^2, x =
// 0.25, is left: 0.922.
TEST(Arrivals, BurstsKeepTheMeanAndAddTheVarianceOfTheRate) {
  const auto arrivals = make_arrivals(rates(1'000'000, 50.0), ArrivalKind::bursty, {}, 3);
  EXPECT_NEAR(sum(arrivals->count) / 1e6, 50.0, 0.4);
  EXPECT_NEAR(variance(arrivals->count), 50.0 + 816.3 * 0.922, 20.0);
  EXPECT_EQ(arrivals->rate_rps, rates(1'000'000, 50.0)) << "the trace's rate, without the bursts";
}

TEST(Arrivals, ARecordedListIsCountedPerSecond) {
  const auto arrivals = arrivals_from_times({0ms, 999ms, 1s, 2500ms}, 4, 9);
  ASSERT_TRUE(arrivals);
  EXPECT_EQ((*arrivals)->count, (std::vector<std::uint32_t>{2, 1, 1, 0}));
  EXPECT_EQ((*arrivals)->rate_rps, (std::vector<double>{2, 1, 1, 0}));
}

TEST(Arrivals, ARecordedListOutOfOrderOrBeyondTheRunIsAnError) {
  EXPECT_EQ(arrivals_from_times({2s, 1s}, 4, 1).error().message,
            "arrival 1 at 1s is before the one ahead of it, or before the start");
  EXPECT_EQ(arrivals_from_times({4s}, 4, 1).error().message, "arrival 0 at 4s is after the end of the run at 4s");
}

// A request's time and work depend on the seed alone; within their second Poisson arrivals are uniform.
TEST(RequestSource, TimesAscendWithinTheirSecondAndAreUniform) {
  const auto arrivals = make_arrivals(rates(500, 200.0), ArrivalKind::poisson, {}, 2);
  internal::RequestSource source(arrivals, internal::ServiceKind::exponential, 40ms, 1.0);
  double parts = 0.0, squares = 0.0, services_s = 0.0, count = 0.0;
  for (int second = 0; second < 500; ++second) {
    Duration previous = 1s * second;
    const auto requests = source.next_second();
    ASSERT_EQ(requests.size(), arrivals->count[static_cast<std::size_t>(second)]);
    for (const auto& [time, service] : requests) {
      ASSERT_GE(time, previous);
      ASSERT_LT(time, Duration(1s * (second + 1)));
      previous = time;
      const double part = to_seconds(time - 1s * second);
      parts += part;
      squares += part * part;
      services_s += to_seconds(service);
      count += 1.0;
    }
  }
  EXPECT_NEAR(parts / count, 1.0 / 2.0, 4.0 * std::sqrt(1.0 / 12.0 / count));
  EXPECT_NEAR(squares / count, 1.0 / 3.0, 4.0 * std::sqrt(4.0 / 45.0 / count));
  EXPECT_NEAR(services_s / count, 0.04, 4.0 * 0.04 / std::sqrt(count));
}

TEST(RequestSource, ConstantArrivalsAreEvenlySpacedAndRecordedOnesAsTheyWere) {
  internal::RequestSource constant(make_arrivals({4.0}, ArrivalKind::constant, {}, 1),
                                   internal::ServiceKind::deterministic, 40ms, 1.0);
  std::vector<Duration> times;
  for (const auto& request : constant.next_second()) times.push_back(request.time);
  EXPECT_EQ(times, (std::vector<Duration>{0ms, 250ms, 500ms, 750ms}));

  internal::RequestSource recorded(arrivals_from_times({10ms, 1200ms, 1200ms}, 2, 1).value(),
                                   internal::ServiceKind::deterministic, 40ms, 1.0);
  EXPECT_EQ(recorded.next_second().size(), 1u);
  EXPECT_EQ(recorded.next_second()[1].time, Duration(1200ms));
}

}  // namespace
}  // namespace mpca::sim
