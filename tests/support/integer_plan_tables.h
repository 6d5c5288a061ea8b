// The chain of the integer plan solved on tables with an entry per number of replicas: the same optimum as the slopes'
// as long as the bounds are constant, hold the present spec and leave every limit alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "mpc/integer_plan.h"

namespace mpca::test {

class ChainTables {
 public:
  enum class Method {
    plain,   // every move of every state: O(H n²)
    slopes,  // one sweep per stage for the band, one to shift: O(H n)
  };

  /// The minimum. `problem`: levels in ascending order within a stage, prices and fractions exact in Cost's units or
  /// rounded as the planner does.
  mpc::Cost optimum(const mpc::IntegerPlanProblem& problem, Method method) {
    const int low = problem.min_replicas[0], high = problem.max_replicas[0];
    low_ = low;
    size_ = static_cast<std::size_t>(high - low + 1);
    const std::size_t stages = static_cast<std::size_t>(problem.stages);
    const std::size_t d = static_cast<std::size_t>(problem.dead_time_stages);
    value_.assign(size_, 0);
    moved_.resize(size_);
    for (std::size_t k = stages; k-- > 0;) {
      add_stage_cost(problem, k);
      mpc::Cost rise = 0;
      std::int64_t max_rise = 0;
      if (k >= d) {
        rise = cost(problem.start_price[k - d]) + cost(problem.rise_churn_price[k - d]);
        for (std::size_t j = k - d; j < k; ++j) rise += cost(problem.replica_price[j]);
        max_rise = problem.max_rise[k - d];
      }
      const mpc::Cost fall = cost(problem.fall_churn_price[k]);
      const std::int64_t max_fall = problem.max_fall[k];
      const auto n = static_cast<std::int64_t>(size_);
      max_rise = std::min(max_rise, n);
      if (method == Method::plain)
        move_plainly(rise, fall, max_rise, std::min(max_fall, n));
      else
        move_by_slopes(rise, fall, max_rise, std::min(max_fall, n));
      std::swap(value_, moved_);
    }
    return value_[static_cast<std::size_t>(problem.spec_replicas - low)];
  }

 private:
  static mpc::Cost cost(double value) { return static_cast<mpc::Cost>(value * mpc::kCostScale + 0.5); }

  void add_stage_cost(const mpc::IntegerPlanProblem& problem, std::size_t k) {
    const mpc::Cost running = cost(problem.replica_price[k]);
    std::int64_t serving = problem.max_replicas[0];
    if (k < static_cast<std::size_t>(problem.dead_time_stages))
      serving = problem.ready_if_kept.empty() ? problem.spec_replicas : problem.ready_if_kept[k];
    // Second differences of g, then two running sums from the top.
    jumps_.assign(size_ + 1, 0);
    const std::int64_t top = low_ + static_cast<std::int64_t>(size_) - 1;
    mpc::Cost slope = 0, height = 0;  // at the top (or at what can serve)
    const std::int64_t most = std::min(serving, top);
    const auto add = [&](std::int64_t at, mpc::Cost weight) {
      if (at >= most) {
        slope -= weight;
        height += weight * (at - most);
      } else if (at > low_) {
        jumps_[static_cast<std::size_t>(at - low_)] += weight;
      }
    };
    for (std::uint32_t i = problem.level_offsets[k]; i < problem.level_offsets[k + 1]; ++i) {
      const auto& level = problem.levels[i];
      if (level.replicas <= 0) continue;
      const auto below = static_cast<std::int64_t>(level.replicas);
      const mpc::Cost above = cost(level.weight * (level.replicas - static_cast<double>(below)));
      add(below, cost(level.weight) - above);
      add(below + 1, above);
    }
    for (std::int64_t z = top; z >= low_; --z) {
      const auto i = static_cast<std::size_t>(z - low_);
      value_[i] += running * z + height;
      if (z <= most) {
        slope -= jumps_[i];
        height -= slope;
      }
    }
  }

  void move_plainly(mpc::Cost rise, mpc::Cost fall, std::int64_t max_rise, std::int64_t max_fall) {
    const auto n = static_cast<std::int64_t>(size_);
    for (std::int64_t from = 0; from < n; ++from) {
      mpc::Cost best = value_[static_cast<std::size_t>(from)];
      for (std::int64_t to = std::max<std::int64_t>(0, from - max_fall); to < from; ++to)
        best = std::min(best, value_[static_cast<std::size_t>(to)] + fall * (from - to));
      for (std::int64_t to = from + 1; to <= std::min(n - 1, from + max_rise); ++to)
        best = std::min(best, value_[static_cast<std::size_t>(to)] + rise * (to - from));
      moved_[static_cast<std::size_t>(from)] = best;
    }
  }

  void move_by_slopes(mpc::Cost rise, mpc::Cost fall, std::int64_t max_rise, std::int64_t max_fall) {
    const auto n = static_cast<std::int64_t>(size_);
    const auto value = [&](std::int64_t i) { return value_[static_cast<std::size_t>(i)]; };
    std::int64_t least = 0;
    while (least + 1 < n && value(least + 1) - value(least) < -rise) ++least;
    std::int64_t most = least;
    while (most + 1 < n && value(most + 1) - value(most) <= fall) ++most;
    for (std::int64_t i = 0; i < least; ++i) {
      const std::int64_t step = std::min(max_rise, least - i);
      moved_[static_cast<std::size_t>(i)] = value(i + step) + rise * step;
    }
    for (std::int64_t i = least; i <= most; ++i) moved_[static_cast<std::size_t>(i)] = value(i);
    for (std::int64_t i = most + 1; i < n; ++i) {
      const std::int64_t step = std::min(max_fall, i - most);
      moved_[static_cast<std::size_t>(i)] = value(i - step) + fall * step;
    }
  }

  std::int64_t low_ = 0;
  std::size_t size_ = 0;
  std::vector<mpc::Cost> value_, moved_, jumps_;
};

}  // namespace mpca::test
