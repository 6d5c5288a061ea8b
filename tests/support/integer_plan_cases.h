// Drawn instances of the integer plan, a simulation of it pod by pod, and three slow, obvious ways to its optimum: all
// plans, dynamic programming over the last d specs, and tables of the chain.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "mpc/integer_plan.h"
#include "support/replica_qp_cases.h"

namespace mpca::test {

struct IntegerPlanCase {
  int dead_time = 0, spec_replicas = 0;
  std::vector<int> ready_if_kept;
  std::vector<double> replica_price, start_price, rise_churn_price, fall_churn_price;
  std::vector<int> max_rise, max_fall, min_replicas, max_replicas;
  std::vector<std::vector<mpc::ShortfallLevel>> levels_of_stage;
  std::vector<mpc::ShortfallLevel> levels = {};
  std::vector<std::uint32_t> level_offsets = {};

  int stages() const { return static_cast<int>(replica_price.size()); }

  /// Views of this case.
  mpc::IntegerPlanProblem problem() {
    levels.clear();
    level_offsets.assign(1, 0);
    for (const auto& stage : levels_of_stage) {
      levels.insert(levels.end(), stage.begin(), stage.end());
      level_offsets.push_back(static_cast<std::uint32_t>(levels.size()));
    }
    return {.stages = stages(),
            .dead_time_stages = dead_time,
            .spec_replicas = spec_replicas,
            .ready_if_kept = ready_if_kept,
            .replica_price = replica_price,
            .start_price = start_price,
            .rise_churn_price = rise_churn_price,
            .fall_churn_price = fall_churn_price,
            .levels = levels,
            .level_offsets = level_offsets,
            .max_rise = max_rise,
            .max_fall = max_fall,
            .min_replicas = min_replicas,
            .max_replicas = max_replicas};
  }
};

/// Prices are multiples of 1/4 and levels of 1/8, often equal or zero: sums are exact, ties are many.
struct IntegerPlanRanges {
  int stages, replicas, dead_time, levels_per_stage, max_step;
  bool bounds_may_vary = true;
};

inline IntegerPlanCase draw_integer_plan(Draw& draw, const IntegerPlanRanges& ranges) {
  IntegerPlanCase drawn;
  const int stages = draw.integer(1, ranges.stages);
  const auto count = static_cast<std::size_t>(stages);
  const int most = draw.integer(1, ranges.replicas);
  drawn.dead_time = draw.integer(0, ranges.dead_time);
  drawn.spec_replicas = draw.integer(0, most);

  const auto prices = [&](double chance_of_none, int largest_quarters) {
    const bool none = draw.chance(chance_of_none), constant = draw.chance(0.4);
    std::vector<double> values(count);
    for (double& value : values) value = none ? 0 : 0.25 * draw.integer(0, largest_quarters);
    if (constant) std::fill(values.begin(), values.end(), values[0]);
    return values;
  };
  drawn.replica_price = prices(0.05, 6);
  drawn.start_price = prices(0.3, 12);
  drawn.rise_churn_price = prices(0.6, 4);
  drawn.fall_churn_price = prices(0.4, 6);

  const auto limits = [&] {
    const bool none = draw.chance(0.4), constant = draw.chance(0.4);
    std::vector<int> values(count);
    for (int& value : values) value = none ? mpc::kNoLimit : draw.integer(0, ranges.max_step);
    if (constant) std::fill(values.begin(), values.end(), values[0]);
    return values;
  };
  drawn.max_rise = limits();
  drawn.max_fall = limits();

  const int low = draw.chance(0.6) ? 0 : draw.integer(0, most);
  const int high = draw.chance(0.7) ? most : draw.integer(low, most);
  drawn.min_replicas.assign(count, low);
  drawn.max_replicas.assign(count, high);
  if (ranges.bounds_may_vary && draw.chance(0.2))
    for (int& bound : drawn.max_replicas) bound = draw.integer(low, most);
  if (ranges.bounds_may_vary && draw.chance(0.2))
    for (std::size_t k = 0; k < count; ++k) drawn.min_replicas[k] = draw.integer(0, drawn.max_replicas[k]);

  if (draw.chance(0.7)) {
    drawn.ready_if_kept.resize(std::min(count, static_cast<std::size_t>(drawn.dead_time)));
    for (int& ready : drawn.ready_if_kept) ready = draw.integer(0, drawn.spec_replicas);
    std::sort(drawn.ready_if_kept.begin(), drawn.ready_if_kept.end());
  }

  drawn.levels_of_stage.resize(count);
  for (auto& stage : drawn.levels_of_stage) {
    stage.resize(static_cast<std::size_t>(draw.integer(0, ranges.levels_per_stage)));
    for (auto& level : stage) level = {0.125 * draw.integer(-4, 8 * most + 12), 0.25 * draw.integer(0, 16)};
  }
  return drawn;
}

/// weight × (replicas - ready)⁺ of a whole stage, in Cost; exact for the drawn cases.
inline mpc::Cost shortfall_cost(const std::vector<mpc::ShortfallLevel>& levels, int ready) {
  double sum = 0;
  for (const auto& level : levels) sum += level.weight * std::max(0.0, level.replicas - ready);
  return std::llround(sum * mpc::kCostScale);
}

inline mpc::Cost whole(double price) { return std::llround(price * mpc::kCostScale); }

/// The limits after the bounds have won, as integer_plan.h says it: per stage the rise and the fall of the spec that
/// are allowed, and what must be left of the present pods (before stage d) or be ready (from then on).
struct BindingLimits {
  std::vector<long> max_rise, max_fall;
  std::vector<int> least;
  int floor = 0;  // of the spec, where nothing can become ready

  explicit BindingLimits(const IntegerPlanCase& c) {
    const int stages = c.stages(), d = c.dead_time;
    max_rise.assign(c.max_rise.begin(), c.max_rise.end());
    max_fall.assign(c.max_fall.begin(), c.max_fall.end());
    long low = c.spec_replicas, high = low;
    for (int k = 0; k < stages; ++k) {
      const auto at = static_cast<std::size_t>(k);
      long most = std::numeric_limits<long>::max();
      for (int j = std::max(0, k - d); j <= k; ++j)
        most = std::min<long>(most, c.max_replicas[static_cast<std::size_t>(j)]);
      const long wanted = std::min<long>(c.min_replicas[at], most);
      max_fall[at] = std::max(max_fall[at], low - most);
      long rise = 0;
      if (k >= d) {
        long& limit = max_rise[static_cast<std::size_t>(k - d)];
        limit = std::max(limit, wanted - high);
        rise = limit;
      }
      least.push_back(static_cast<int>(std::min(wanted, high + rise)));
      low = std::max<long>(low - max_fall[at], least.back());
      high = std::min(high + rise, most);
    }
    if (stages > d) return;
    floor = std::numeric_limits<int>::max();
    long lowest_maximum = std::numeric_limits<long>::max();
    for (int k = 0; k < stages; ++k) {
      const auto at = static_cast<std::size_t>(k);
      lowest_maximum = std::min<long>(lowest_maximum, c.max_replicas[at]);
      floor = std::min<int>(floor, static_cast<int>(std::min<long>(c.min_replicas[at], lowest_maximum)));
    }
    max_rise[0] = std::max<long>(max_rise[0], floor - c.spec_replicas);
  }
};

/// A Deployment of single pods in the order of their age. A pod is Ready or will be; removal takes the youngest.
class PodStack {
 public:
  explicit PodStack(const IntegerPlanCase& c) : case_(&c) {
    for (int pod = 0; pod < c.spec_replicas; ++pod) {
      int ready_at = c.ready_if_kept.empty() ? 0 : c.dead_time;
      for (std::size_t k = c.ready_if_kept.size(); k-- > 0;)
        if (c.ready_if_kept[k] > pod) ready_at = static_cast<int>(k);
      ready_at_.push_back(ready_at);
    }
    kept_ = c.spec_replicas;
  }

  /// Asks for `spec` pods at stage `k` and returns what that stage costs.
  mpc::Cost step(int k, int spec) {
    const auto at = static_cast<std::size_t>(k);
    const int before = static_cast<int>(ready_at_.size());
    while (static_cast<int>(ready_at_.size()) > spec) ready_at_.pop_back();
    while (static_cast<int>(ready_at_.size()) < spec) ready_at_.push_back(k + case_->dead_time);
    kept_ = std::min(kept_, spec);
    ready_ = static_cast<int>(std::count_if(ready_at_.begin(), ready_at_.end(), [&](int when) { return when <= k; }));
    mpc::Cost cost = whole(case_->replica_price[at]) * spec + shortfall_cost(case_->levels_of_stage[at], ready_);
    if (spec > before) cost += whole(case_->start_price[at] + case_->rise_churn_price[at]) * (spec - before);
    if (spec < before) cost += whole(case_->fall_churn_price[at]) * (before - spec);
    return cost;
  }
  int ready() const { return ready_; }
  /// Of the pods that there were at first.
  int kept() const { return kept_; }
  int spec() const { return static_cast<int>(ready_at_.size()); }

 private:
  const IntegerPlanCase* case_;
  std::vector<int> ready_at_;
  int kept_ = 0, ready_ = 0;
};

inline bool is_allowed(const IntegerPlanCase& c, const BindingLimits& limits, int k, int before,
                       const PodStack& after) {
  const auto at = static_cast<std::size_t>(k);
  const int spec = after.spec();
  return spec <= c.max_replicas[at] && spec >= limits.floor && spec - before <= limits.max_rise[at] &&
         before - spec <= limits.max_fall[at] && (k < c.dead_time ? after.kept() : after.ready()) >= limits.least[at];
}

/// The cost of a plan, pod by pod; -1 when it breaks a limit or a bound.
inline mpc::Cost simulated_cost(const IntegerPlanCase& c, std::span<const int> spec) {
  const BindingLimits limits(c);
  PodStack pods(c);
  mpc::Cost cost = 0;
  for (int k = 0; k < c.stages(); ++k) {
    const int before = pods.spec();
    cost += pods.step(k, spec[static_cast<std::size_t>(k)]);
    if (!is_allowed(c, limits, k, before, pods)) return -1;
  }
  return cost;
}

/// The cost of the best of all plans that are cheaper than `bound`, else `bound`. Each plan is simulated pod by pod.
inline mpc::Cost enumerated_optimum(const IntegerPlanCase& c, mpc::Cost bound) {
  const BindingLimits limits(c);
  const auto from = [&](auto& self, int k, const PodStack& pods, mpc::Cost spent) -> void {
    if (spent >= bound) return;
    if (k == c.stages()) {
      bound = spent;
      return;
    }
    for (int spec = 0; spec <= c.max_replicas[static_cast<std::size_t>(k)]; ++spec) {
      PodStack next = pods;
      const mpc::Cost cost = next.step(k, spec);
      if (is_allowed(c, limits, k, pods.spec(), next)) self(self, k + 1, next, spent + cost);
    }
  };
  from(from, 0, PodStack(c), 0);
  return bound;
}

/// Dynamic programming over the pods themselves: two histories that left the same pods are one state.
inline mpc::Cost window_optimum(const IntegerPlanCase& c) {
  const BindingLimits limits(c);
  // When each pod is ready (0: it is), then what is left of the first ones.
  std::map<std::vector<int>, std::pair<PodStack, mpc::Cost>> states;
  states.emplace(std::vector<int>(), std::pair(PodStack(c), mpc::Cost{0}));
  std::vector<std::vector<int>> history;
  for (int k = 0; k < c.stages(); ++k) {
    std::map<std::vector<int>, std::pair<PodStack, mpc::Cost>> next;
    for (const auto& [key, state] : states) {
      for (int spec = 0; spec <= c.max_replicas[static_cast<std::size_t>(k)]; ++spec) {
        PodStack pods = state.first;
        const int before = pods.spec();
        const mpc::Cost cost = state.second + pods.step(k, spec);
        if (!is_allowed(c, limits, k, before, pods)) continue;
        // The last d specs (and the kept ones) decide everything that follows.
        std::vector<int> after = key;
        after.push_back(spec);
        if (static_cast<int>(after.size()) > std::max(1, c.dead_time)) after.erase(after.begin());
        const auto [place, is_new] = next.try_emplace(after, pods, cost);
        if (!is_new && cost < place->second.second) place->second = {pods, cost};
      }
    }
    states = std::move(next);
  }
  mpc::Cost best = std::numeric_limits<mpc::Cost>::max();
  for (const auto& [key, state] : states) best = std::min(best, state.second);
  return best;
}

}  // namespace mpca::test
