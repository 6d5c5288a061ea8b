// Which pod gets the next request: the rules of common load balancers, over pods that take one now. O(1) per request
// but for round robin and random choice among pods of which many are full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/random.h"

namespace mpca::sim::internal {

enum class BalancerRule {
  round_robin,        // by id, then from the first again; full ones are passed over
  random,             // each that is not full, equally likely
  two_choices,        // the one with less outstanding of two different ones drawn; the first drawn if equal
  least_outstanding,  // equal ones: that which has been at its number for longest
};

class Balancer {
 public:
  /// Pods are known by small numbers that the caller gives and may give again after a removal.
  using PodIndex = std::uint32_t;

  ///   capacity   a pod with so much outstanding takes no more
  Balancer(BalancerRule rule, std::uint32_t capacity, std::uint64_t seed);

  void add(PodIndex pod, std::int64_t id, std::uint32_t outstanding);
  void remove(PodIndex pod);
  /// Nothing happens, and its turn among equals stays, when that is what it had.
  void set_outstanding(PodIndex pod, std::uint32_t outstanding) {
    if (states_[pod].outstanding != outstanding) change(pod, outstanding);
  }

  int pods() const { return static_cast<int>(ids_.size()); }
  bool has_open() const { return open_ > 0; }
  /// Only when has_open().
  PodIndex pick();

 private:
  static constexpr PodIndex kNone = ~PodIndex{0};
  struct State {
    std::uint32_t outstanding = 0;
    PodIndex before = kNone;  // neighbours among those with as much outstanding
    PodIndex after = kNone;
  };
  struct Level {
    PodIndex first = kNone;
    PodIndex last = kNone;
  };
  struct Known {
    std::int64_t id;
    PodIndex pod;
  };

  bool is_open(PodIndex pod) const { return states_[pod].outstanding < capacity_; }
  void change(PodIndex pod, std::uint32_t outstanding);
  void link(PodIndex pod);
  void unlink(PodIndex pod);
  void find_turn();
  PodIndex draw(PodIndex other_than);

  BalancerRule rule_;
  std::uint32_t capacity_;
  RandomStream stream_;
  std::vector<Known> ids_;     // by id
  std::vector<State> states_;  // by pod
  int open_ = 0;
  std::int64_t last_id_ = -1;  // round robin: who was picked last
  std::size_t turn_ = 0;       // and the place in ids_ of the first after it
  std::vector<Level> levels_;  // least outstanding: open pods by what they have outstanding
  std::uint32_t least_ = 0;    // no level below it has pods
};

/// The rule of that name: `round-robin`, `random`, `two-choices`, `least-outstanding` (checked).
BalancerRule balancer_rule(std::string_view name);

}  // namespace mpca::sim::internal
