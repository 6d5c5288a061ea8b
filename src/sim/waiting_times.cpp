#include "sim/waiting_times.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/result.h"

namespace mpca::sim {
namespace {

constexpr std::size_t kUtilizations = 129;
constexpr double kWaitStepServices = 0.25;
constexpr double kNegligible = 1e-18;

/// P(A = k) of a Poisson distribution up to where it is negligible; mean >= 0.
std::vector<double> poisson_probabilities(double mean) {
  std::vector<double> probabilities = {std::exp(-mean)};
  for (int k = 1; k < mean || probabilities.back() > kNegligible; ++k)
    probabilities.push_back(probabilities.back() * mean / k);
  return probabilities;
}

/// Stationary probabilities of 0 … servers + room in the system, one service time apart.
std::vector<double> mdc_in_system(int servers, double utilization, int room) {
  const auto c = static_cast<std::size_t>(servers);
  const std::size_t states = c + static_cast<std::size_t>(room) + 1;
  const std::vector<double> arrivals = poisson_probabilities(utilization * servers);
  const std::size_t width = c + arrivals.size();
  // Row i holds the columns from i - c on (fill-in stays there, since no step goes down by more than c).
  std::vector<double> rows(states * width, 0.0);
  const auto at = [&](std::size_t i, std::size_t j) -> double& { return rows[i * width + (j + c - i)]; };
  for (std::size_t i = 0; i < states; ++i) {
    const std::size_t left = i > c ? i - c : 0;
    double rest = 1.0;
    for (std::size_t k = 0; k < arrivals.size() && left + k < states; ++k) {
      at(i, left + k) = arrivals[k];
      rest -= arrivals[k];
    }
    // Who finds the room full goes away.
    if (left + arrivals.size() > states) at(i, states - 1) += std::max(rest, 0.0);
  }
  std::vector<double> out_of(states, 0.0);
  for (std::size_t n = states; n-- > 1;) {
    const std::size_t lowest = n > c ? n - c : 0;
    for (std::size_t j = lowest; j < n; ++j) out_of[n] += at(n, j);
    const std::size_t first = n + c >= width ? n + c - width + 1 : 0;
    for (std::size_t i = first; i < n; ++i) {
      const double into = at(i, n) / out_of[n];
      if (into == 0.0) continue;
      for (std::size_t j = std::max(lowest, i > c ? i - c : 0); j < n; ++j) at(i, j) += into * at(n, j);
    }
  }
  std::vector<double> probability(states, 0.0);
  probability[0] = 1.0;
  double total = 1.0;
  for (std::size_t n = 1; n < states; ++n) {
    const std::size_t first = n + c >= width ? n + c - width + 1 : 0;
    for (std::size_t i = first; i < n; ++i) probability[n] += probability[i] * at(i, n);
    probability[n] /= out_of[n];
    total += probability[n];
  }
  for (double& p : probability) p /= total;
  return probability;
}

// By halves, so that the tail is seen as finely as the body: 1/2, 1/4, …, the last two equal.
constexpr std::array<double, WaitingTimes::kStrata> make_shares() {
  std::array<double, WaitingTimes::kStrata> shares{};
  double share = 0.5;
  for (std::size_t i = 0; i + 1 < shares.size(); ++i, share /= 2) shares[i] = share;
  shares.back() = shares[shares.size() - 2];
  return shares;
}
constexpr auto kShares = make_shares();

}  // namespace

std::vector<double> mdc_waiting_cdf(int servers, double utilization, int room, std::span<const double> x) {
  MPCA_CHECK(servers >= 1 && room >= 1 && utilization >= 0.0 && utilization < 1.0, "a queue below saturation");
  const std::vector<double> in_system = mdc_in_system(servers, utilization, room);
  // Q_m = P(at most m wait).
  std::vector<double> at_most(static_cast<std::size_t>(room) + 1, 0.0);
  double sum = 0.0;
  for (std::size_t i = 0; i < in_system.size(); ++i) {
    sum += in_system[i];
    if (i >= static_cast<std::size_t>(servers)) at_most[i - static_cast<std::size_t>(servers)] = sum;
  }
  const double arrivals_per_service = utilization * servers;
  std::vector<double> cdf;
  cdf.reserve(x.size());
  for (const double wait : x) {
    const double k = std::floor(wait) + 1.0;
    const double mean = arrivals_per_service * (k - wait);
    const int last = static_cast<int>(k) * servers - 1;
    double term = std::exp(-mean);
    double probability = 0.0;
    for (int j = 0; j <= last; ++j) {
      const int waiting = std::min(last - j, room);
      probability += term * at_most[static_cast<std::size_t>(waiting)];
      term *= mean / (j + 1);
      if (j > mean && term < kNegligible) break;
    }
    cdf.push_back(std::min(probability, 1.0));
  }
  return cdf;
}

WaitingTimes::WaitingTimes(Duration service_time, Duration longest_wait, int servers) : servers_(servers) {
  const double service_s = to_seconds(service_time);
  MPCA_CHECK(service_s > 0.0 && longest_wait > Duration::zero() && servers >= 1, "a service and a queue");
  wait_step_s_ = kWaitStepServices * service_s;
  const double longest_services = std::max(to_seconds(longest_wait) / service_s, 1.0);
  waits_ = static_cast<std::size_t>(std::ceil(longest_services / kWaitStepServices)) + 2;
  std::vector<double> x(waits_);
  for (std::size_t i = 0; i < waits_; ++i) x[i] = kWaitStepServices * static_cast<double>(i);
  for (std::size_t u = 0; u < kUtilizations; ++u) {
    // Denser towards saturation, where everything changes: 1 - utilization falls as the square.
    const double left = 1.0 - static_cast<double>(u) / (kUtilizations - 1);
    utilizations_.push_back(kGreatestUtilization * (1.0 - left * left));
  }
  for (int c = 1; c <= servers; ++c) {
    const int room = std::max(static_cast<int>(longest_services * c), 1);
    for (const double utilization : utilizations_) {
      const std::vector<double> cdf = mdc_waiting_cdf(c, utilization, room, x);
      double mean_s = 0.0;
      for (std::size_t i = 0; i < waits_; ++i) {
        tail_.push_back(std::max(1.0 - cdf[i], 0.0));
        // Simpson's rule; the kinks, at whole services, are at even places.
        mean_s += (i == 0 ? 1.0 : i % 2 == 1 ? 4.0 : 2.0) / 3.0 * (1.0 - cdf[i]) * wait_step_s_;
      }
      mean_s_.push_back(mean_s);
      double rank = 0.0;
      for (const double share : kShares) {
        const double middle = rank + share / 2.0;
        rank += share;
        const auto above = std::lower_bound(cdf.begin(), cdf.end(), middle);
        const auto i = static_cast<std::size_t>(above - cdf.begin());
        double wait = static_cast<double>(std::min(i, waits_ - 1));
        if (i > 0 && i < waits_) wait -= (cdf[i] - middle) / std::max(cdf[i] - cdf[i - 1], kNegligible);
        strata_s_.push_back(i == 0 ? 0.0 : wait * wait_step_s_);
      }
    }
  }
}

WaitingTimes::Position WaitingTimes::position(double utilization) const {
  const double clamped = std::clamp(utilization, 0.0, kGreatestUtilization);
  const double place = (1.0 - std::sqrt(std::max(1.0 - clamped / kGreatestUtilization, 0.0))) * (kUtilizations - 1);
  const std::size_t index = std::min(static_cast<std::size_t>(place), kUtilizations - 2);
  return {index, (clamped - utilizations_[index]) / (utilizations_[index + 1] - utilizations_[index])};
}

double WaitingTimes::tail_at(int servers, std::size_t utilization_index, double wait_s) const {
  if (wait_s < 0.0) return 1.0;
  const double place = wait_s / wait_step_s_;
  const auto column = static_cast<std::size_t>(std::min(place, static_cast<double>(waits_ - 1)));
  if (column + 1 >= waits_) return 0.0;
  const double* const at =
      &tail_[(static_cast<std::size_t>(servers - 1) * kUtilizations + utilization_index) * waits_ + column];
  return at[0] + (at[1] - at[0]) * (place - static_cast<double>(column));
}

double WaitingTimes::tail(int servers, double utilization, double wait_s) const {
  const Position row = position(utilization);
  const double low = tail_at(servers, row.index, wait_s);
  const double high = tail_at(servers, row.index + 1, wait_s);
  return low + (high - low) * row.weight;
}

double WaitingTimes::mean_s(int servers, double utilization) const {
  const Position row = position(utilization);
  const double* const lower = &mean_s_[static_cast<std::size_t>(servers - 1) * kUtilizations + row.index];
  return lower[0] + (lower[1] - lower[0]) * row.weight;
}

double WaitingTimes::stratum_share(int stratum) { return kShares[static_cast<std::size_t>(stratum)]; }

std::size_t WaitingTimes::nearest_utilization(double utilization) const {
  const Position row = position(utilization);
  return row.index + (row.weight > 0.5 ? 1 : 0);
}

double WaitingTimes::stratum_wait_s(int servers, std::size_t utilization_index, int stratum) const {
  return strata_s_[(static_cast<std::size_t>(servers - 1) * kUtilizations + utilization_index) * kStrata +
                   static_cast<std::size_t>(stratum)];
}

}  // namespace mpca::sim
