#include "sim/internal/balancer.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::sim::internal {

Balancer::Balancer(BalancerRule rule, std::uint32_t capacity, std::uint64_t seed)
    : rule_(rule), capacity_(capacity), stream_(seed, "balancer") {
  MPCA_CHECK(capacity >= 1, "a pod takes something");
}

void Balancer::add(PodIndex pod, std::int64_t id, std::uint32_t outstanding) {
  if (states_.size() <= pod) states_.resize(pod + 1);
  const auto place =
      std::lower_bound(ids_.begin(), ids_.end(), id, [](const Known& k, std::int64_t i) { return k.id < i; });
  ids_.insert(place, {id, pod});
  find_turn();
  states_[pod] = {.outstanding = outstanding};
  if (is_open(pod)) {
    ++open_;
    link(pod);
  }
}

void Balancer::remove(PodIndex pod) {
  const auto place = std::find_if(ids_.begin(), ids_.end(), [&](const Known& known) { return known.pod == pod; });
  MPCA_CHECK(place != ids_.end(), "only a pod that was added is removed");
  ids_.erase(place);
  find_turn();
  if (is_open(pod)) {
    --open_;
    unlink(pod);
  }
}

void Balancer::change(PodIndex pod, std::uint32_t outstanding) {
  const bool was_open = is_open(pod);
  if (was_open) unlink(pod);
  states_[pod].outstanding = outstanding;
  open_ += static_cast<int>(is_open(pod)) - static_cast<int>(was_open);
  if (is_open(pod)) link(pod);
}

void Balancer::link(PodIndex pod) {
  if (rule_ != BalancerRule::least_outstanding) return;
  State& state = states_[pod];
  if (levels_.size() <= state.outstanding) levels_.resize(state.outstanding + 1);
  Level& level = levels_[state.outstanding];
  state.before = level.last;
  state.after = kNone;
  (level.last == kNone ? level.first : states_[level.last].after) = pod;
  level.last = pod;
  least_ = std::min(least_, state.outstanding);
}

void Balancer::unlink(PodIndex pod) {
  if (rule_ != BalancerRule::least_outstanding) return;
  const State& state = states_[pod];
  Level& level = levels_[state.outstanding];
  (state.before == kNone ? level.first : states_[state.before].after) = state.after;
  (state.after == kNone ? level.last : states_[state.after].before) = state.before;
}

void Balancer::find_turn() {
  const auto next =
      std::upper_bound(ids_.begin(), ids_.end(), last_id_, [](std::int64_t i, const Known& k) { return i < k.id; });
  turn_ = static_cast<std::size_t>(next - ids_.begin());
}

Balancer::PodIndex Balancer::draw(PodIndex other_than) {
  for (;;) {
    const auto place = static_cast<std::size_t>(stream_.uniform() * static_cast<double>(ids_.size()));
    const PodIndex pod = ids_[place].pod;
    if (pod != other_than && is_open(pod)) return pod;
  }
}

Balancer::PodIndex Balancer::pick() {
  switch (rule_) {
    case BalancerRule::round_robin:
      for (;;) {
        if (turn_ >= ids_.size()) turn_ = 0;
        const Known& asked = ids_[turn_++];
        if (!is_open(asked.pod)) continue;
        last_id_ = asked.id;
        return asked.pod;
      }
    case BalancerRule::random:
      return draw(kNone);
    case BalancerRule::two_choices: {
      const PodIndex first = draw(kNone);
      if (open_ == 1) return first;
      const PodIndex second = draw(first);
      return states_[second].outstanding < states_[first].outstanding ? second : first;
    }
    case BalancerRule::least_outstanding:
      break;
  }
  while (levels_[least_].first == kNone) ++least_;
  return levels_[least_].first;
}

BalancerRule balancer_rule(std::string_view name) {
  if (name == "round-robin") return BalancerRule::round_robin;
  if (name == "random") return BalancerRule::random;
  if (name == "two-choices") return BalancerRule::two_choices;
  MPCA_CHECK(name == "least-outstanding", "the balancer was validated before");
  return BalancerRule::least_outstanding;
}

}  // namespace mpca::sim::internal
