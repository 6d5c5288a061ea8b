#include "sim/waiting_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "core/random.h"

namespace mpca::sim {
namespace {

using namespace std::chrono_literals;

constexpr int kWideRoom = 400;

/// Erlang (1909): P(W <= x) of M/D/1, x in services; the sum's signs alternate, so for small x only.
double md1_cdf(double rho, double x) {
  double sum = 0.0;
  double factorial = 1.0;
  for (int j = 0; j <= static_cast<int>(x); ++j) {
    if (j > 0) factorial *= j;
    const double at = rho * (j - x);
    sum += std::pow(at, j) / factorial * std::exp(-at);
  }
  return (1.0 - rho) * sum;
}

/// The mean from the distribution, in services: of 1 - cdf from 0 on.
double mean_of(int servers, double utilization, int room) {
  constexpr double kStep = 1.0 / 64;
  std::vector<double> x;
  for (double wait = 0.5 * kStep; wait < static_cast<double>(room) / servers + 1.0; wait += kStep) x.push_back(wait);
  double mean = 0.0;
  for (const double at_most : mdc_waiting_cdf(servers, utilization, room, x)) mean += (1.0 - at_most) * kStep;
  return mean;
}

struct Simulated {
  double mean = 0.0;
  double mean_error = 0.0;  // standard error, of batches
  std::vector<double> at_most, at_most_error;
};

/// Requests one by one: each takes the server that is free first (Kiefer and Wolfowitz 1955). No formula in common.
/// Who finds `room` waiting goes away.
Simulated simulated(int servers, double utilization, std::size_t room, const std::vector<double>& x) {
  constexpr int kBatches = 40;
  constexpr int kPerBatch = 40'000;
  RandomStream stream(17, "M/D/c");
  std::vector<double> free_at(static_cast<std::size_t>(servers), 0.0);
  std::deque<double> begins;  // of those that wait
  double now = 0.0;
  const auto wait_of_next = [&] {
    do {
      now += stream.exponential() / (utilization * servers);
      while (!begins.empty() && begins.front() <= now) begins.pop_front();
    } while (begins.size() >= room);
    const auto first = std::min_element(free_at.begin(), free_at.end());
    const double begin = std::max(*first, now);
    *first = begin + 1.0;
    if (begin > now) begins.push_back(begin);
    return begin - now;
  };
  for (int i = 0; i < kPerBatch; ++i) wait_of_next();
  std::vector<double> sums(x.size() + 1, 0.0), squares(x.size() + 1, 0.0);
  for (int batch = 0; batch < kBatches; ++batch) {
    std::vector<double> of_batch(x.size() + 1, 0.0);
    for (int i = 0; i < kPerBatch; ++i) {
      const double wait = wait_of_next();
      for (std::size_t j = 0; j < x.size(); ++j) of_batch[j] += wait <= x[j] ? 1.0 : 0.0;
      of_batch.back() += wait;
    }
    for (std::size_t j = 0; j < of_batch.size(); ++j) {
      sums[j] += of_batch[j] / kPerBatch;
      squares[j] += of_batch[j] / kPerBatch * of_batch[j] / kPerBatch;
    }
  }
  Simulated result;
  for (std::size_t j = 0; j < sums.size(); ++j) {
    const double mean = sums[j] / kBatches;
    const double error = std::sqrt(std::max(squares[j] / kBatches - mean * mean, 0.0) / (kBatches - 1));
    if (j == x.size()) {
      result.mean = mean;
      result.mean_error = error;
    } else {
      result.at_most.push_back(mean);
      result.at_most_error.push_back(error);
    }
  }
  return result;
}

TEST(WaitingTimes, MD1IsErlangsFormula) {
  const std::vector<double> x = {0.0, 0.3, 1.0, 1.5, 2.0, 3.7, 6.0};
  for (const double rho : {0.05, 0.3, 0.5, 0.8, 0.9}) {
    const std::vector<double> cdf = mdc_waiting_cdf(1, rho, kWideRoom, x);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(cdf[i], md1_cdf(rho, x[i]), 1e-9) << rho << " " << x[i];
    EXPECT_NEAR(cdf[0], 1.0 - rho, 1e-12) << "a request waits when the server is busy";
  }
}

// Pollaczek and Khinchine: rho / (2 (1 - rho)) services; 0.5, 2 and 4.5 at 0.5, 0.8 and 0.9.
TEST(WaitingTimes, MD1HasTheMeanOfPollaczekAndKhinchine) {
  EXPECT_NEAR(mean_of(1, 0.5, kWideRoom), 0.5, 1e-4);
  EXPECT_NEAR(mean_of(1, 0.8, kWideRoom), 2.0, 1e-3);
  EXPECT_NEAR(mean_of(1, 0.9, kWideRoom), 4.5, 1e-3);
}

// Four standard errors of forty batches.
TEST(WaitingTimes, SeveralServersAreAsASimulationOfEachRequest) {
  const std::vector<double> x = {0.0, 0.25, 1.0, 1.6, 3.0};
  for (const int servers : {2, 3, 4, 8}) {
    for (const double rho : {0.3, 0.7, 0.9}) {
      const std::vector<double> cdf = mdc_waiting_cdf(servers, rho, kWideRoom, x);
      const Simulated truth = simulated(servers, rho, kWideRoom, x);
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_NEAR(cdf[i], truth.at_most[i], 4 * truth.at_most_error[i] + 1e-6)
            << servers << " servers at " << rho << ", x = " << x[i];
      EXPECT_NEAR(mean_of(servers, rho, kWideRoom), truth.mean, 4 * truth.mean_error + 1e-5)
          << servers << " servers at " << rho;
    }
  }
}

TEST(WaitingTimes, WithoutLoadNobodyWaits) {
  EXPECT_EQ(mdc_waiting_cdf(3, 0.0, 10, std::vector<double>{0.0, 1.0}), (std::vector<double>{1.0, 1.0}));
  const WaitingTimes waiting(40ms, 2s, 2);
  EXPECT_EQ(waiting.tail(2, 0.0, 0.0), 0.0);
  EXPECT_EQ(waiting.mean_s(2, 0.0), 0.0);
  EXPECT_EQ(waiting.stratum_wait_s(2, waiting.nearest_utilization(0.0), WaitingTimes::kStrata - 1), 0.0);
}

// A room that is hardly ever full changes nothing; else it is what bounds the waiting near saturation.
TEST(WaitingTimes, TheRoomMattersOnlyWhereItIsFull) {
  const std::vector<double> x = {0.0, 1.0, 5.0, 9.0};
  const std::vector<double> wide = mdc_waiting_cdf(2, 0.5, kWideRoom, x), narrow = mdc_waiting_cdf(2, 0.5, 40, x);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(wide[i], narrow[i], 1e-12);
  EXPECT_GT(mdc_waiting_cdf(2, 0.99, 20, std::vector<double>{11.0})[0], 0.99);
  EXPECT_LT(mdc_waiting_cdf(2, 0.99, kWideRoom, std::vector<double>{11.0})[0], 0.9);
}

// 2 s at 40 ms: 50 services' room. The formula is not made for a room that is often full.
TEST(WaitingTimes, NearSaturationTheRoomsEffectIsThatOfASimulationWithinTwoPercent) {
  const std::vector<double> x = {0.0, 1.0, 5.25, 20.0, 40.0};
  for (const int servers : {1, 4}) {
    for (const double rho : {0.95, 0.99}) {
      const int room = 50 * servers;
      const std::vector<double> cdf = mdc_waiting_cdf(servers, rho, room, x);
      const Simulated truth = simulated(servers, rho, static_cast<std::size_t>(room), x);
      const double off = rho < 0.96 ? 0.01 : 0.02;
      for (std::size_t i = 0; i < x.size(); ++i)
        EXPECT_NEAR(cdf[i], truth.at_most[i], off + 4 * truth.at_most_error[i])
            << servers << " servers at " << rho << ", x = " << x[i] << ", error " << truth.at_most_error[i];
    }
  }
}

TEST(WaitingTimes, TheTailFallsWithTheWaitAndRisesWithUtilizationAndIsAShare) {
  const WaitingTimes waiting(40ms, 2s, 4);
  for (int servers = 1; servers <= 4; ++servers) {
    for (double rho = 0.0; rho <= 1.2; rho += 0.013) {
      double before = 1.0;
      for (double wait_s = 0.0; wait_s < 2.3; wait_s += 0.017) {
        const double tail = waiting.tail(servers, rho, wait_s);
        ASSERT_GE(tail, 0.0);
        ASSERT_LE(tail, before + 1e-12);
        ASSERT_LE(tail, waiting.tail(servers, rho + 0.013, wait_s) + 1e-12) << servers << " " << rho << " " << wait_s;
        if (servers > 1 && rho < 0.95) {
          ASSERT_LE(tail, waiting.tail(servers - 1, rho, wait_s) + 1e-12);
        }
        before = tail;
      }
    }
  }
  EXPECT_EQ(waiting.tail(4, 0.5, -0.001), 1.0);
  EXPECT_EQ(waiting.tail(4, 0.9, 100.0), 0.0);
}

// 40 ms: 210 ms are 5.25 services. Between the rows of the table, which lie densest near saturation.
TEST(WaitingTimes, TheTableIsAsGoodAsTheDistribution) {
  const WaitingTimes waiting(40ms, 2s, 4);
  for (const double rho : {0.11, 0.5, 0.7, 0.83, 0.9, 0.95}) {
    for (const int servers : {1, 4}) {
      const double exact = 1.0 - mdc_waiting_cdf(servers, rho, 50 * servers, std::vector<double>{5.25})[0];
      EXPECT_NEAR(waiting.tail(servers, rho, 0.21), exact, 2e-4 + 0.01 * exact) << servers << " " << rho;
      EXPECT_NEAR(waiting.mean_s(servers, rho), 0.04 * mean_of(servers, rho, 50 * servers),
                  2e-5 + 0.01 * waiting.mean_s(servers, rho))
          << servers << " " << rho;
    }
  }
}

TEST(WaitingTimes, TheStrataHoldEverybodyAndNearlyTheWholeMean) {
  const WaitingTimes waiting(40ms, 2s, 4);
  for (const int servers : {1, 2, 4}) {
    for (const double rho : {0.3, 0.6, 0.8, 0.9, 0.97}) {
      const std::size_t row = waiting.nearest_utilization(rho);
      double shares = 0.0, mean_s = 0.0, before = 0.0;
      for (int stratum = 0; stratum < WaitingTimes::kStrata; ++stratum) {
        const double wait_s = waiting.stratum_wait_s(servers, row, stratum);
        EXPECT_GE(wait_s, before);
        before = wait_s;
        shares += WaitingTimes::stratum_share(stratum);
        mean_s += WaitingTimes::stratum_share(stratum) * wait_s;
      }
      EXPECT_DOUBLE_EQ(shares, 1.0);
      // The median of the fast half stands for it: at small utilizations most of its requests wait 0 s.
      EXPECT_NEAR(mean_s, waiting.mean_s(servers, rho), 0.12 * waiting.mean_s(servers, rho) + 3e-4)
          << servers << " " << rho;
    }
  }
}

}  // namespace
}  // namespace mpca::sim
