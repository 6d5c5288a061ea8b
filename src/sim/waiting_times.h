// How long a request waits below saturation: the stationary M/D/c queue with a bounded waiting room, tabulated over
// utilization, since the fluid world asks once per simulated second.
//
// Queue lengths one service time apart are a Markov chain (Crommelin 1932) that is solved by state reduction, which
// subtracts nothing (Grassmann, Taksar, Heyman 1985); the waiting time follows from them by Franx (2001), A simple
// solution for the M/D/c waiting time distribution, Operations Research Letters 29, equation 5: positive terms only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/time.h"

namespace mpca::sim {

/// P(waiting time <= x service times), x >= 0, of M/D/c at `utilization` in [0, 1), with room for `room` waiting.
/// Exact where the room is hardly ever full. Where it often is, the formula is that of the unbounded queue on the
/// bounded one's states: less than 0.01 off up to utilization 0.95 and 0.02 at 0.99, with a small tail beyond the room.
///   x        any number of values, each >= 0
///   cost     O(room (c + width of a Poisson distribution) + |x| room); allocates
std::vector<double> mdc_waiting_cdf(int servers, double utilization, int room, std::span<const double> x);

class WaitingTimes {
 public:
  /// Utilizations above this count as this: a queue near saturation never is stationary, and what it then owes is in
  /// the fluid backlog.
  static constexpr double kGreatestUtilization = 0.995;
  static constexpr int kStrata = 12;

  ///   service_time   > 0; deterministic
  ///   longest_wait   > 0: the waiting room in time
  ///   servers        >= 1: tables for 1 … servers
  WaitingTimes(Duration service_time, Duration longest_wait, int servers);

  /// P(waiting > wait).
  double tail(int servers, double utilization, double wait_s) const;
  double mean_s(int servers, double utilization) const;

  /// Waiting times split into kStrata classes by their rank: class j holds a share `stratum_share(j)` of the requests
  /// and `stratum_wait_s` is its median. Utilization by its index, for those who count first and look up later.
  static double stratum_share(int stratum);
  std::size_t utilization_count() const { return utilizations_.size(); }
  std::size_t nearest_utilization(double utilization) const;
  double stratum_wait_s(int servers, std::size_t utilization_index, int stratum) const;

  /// Where a utilization lies between those of the table, for those who look up several things at it.
  struct Position {
    std::size_t index;
    double weight;  // of index + 1
  };
  Position position(double utilization) const;
  /// P(waiting > wait) at a utilization of the table.
  double tail_at(int servers, std::size_t utilization_index, double wait_s) const;

  int servers() const { return servers_; }

 private:
  int servers_;
  double wait_step_s_;
  std::size_t waits_;                 // per utilization
  std::vector<double> utilizations_;  // ascending from 0
  std::vector<double> tail_;          // servers x utilizations x waits, row-major
  std::vector<double> mean_s_;        // servers x utilizations
  std::vector<double> strata_s_;      // servers x utilizations x strata
};

}  // namespace mpca::sim
