// The plan in whole replicas: how many to ask for over the next stages, so that running, starting, churning and being
// short cost least, when a pod that is asked for at stage k serves from stage k + d (the dead time) and removal takes
// the youngest pods first. With n_k the spec at stage k = 0 … H-1 and n_{-1} the spec now,
//
//   minimise    Σ r_k n_k + g_k(ready_k) + (s_k + u_k)(n_k - n_{k-1})⁺ + e_k (n_{k-1} - n_k)⁺
//   where       ready_k = min(n_{k-d}, …, n_k);  for k < d: min(a_k, n_{-1}, n_0, …, n_k)
//   subject to  -D_k <= n_k - n_{k-1} <= U_k and bounds.
//
// The state of this problem is the last d specs, but its optimum is that of a chain in one number z, the replicas that
// will be ready, with the stages of warm-up as a part of the price of a start. A chain of convex costs is solved on
// the slopes of its cost to go (slope trick), exactly and in integers, independently of the number of replicas.
// docs/explanation/integer-planner.md derives and proves it, and says where it ends.
//
// Lin, Wierman, Andrew, Thereska (2011), Dynamic right-sizing for power-proportional data centers, INFOCOM. Albers and
// Quedenfeld (2018), Optimal algorithms for right-sizing data centers, SPAA. Eberly and Van Mieghem (1997),
// Multi-factor dynamic investment under uncertainty, J. Econ. Theory 75. Johnson (2013), A dynamic programming
// algorithm for the fused lasso and L0-segmentation, JCGS 22(2). Murota (2003), Discrete convex analysis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/result.h"

namespace mpca::mpc {

/// Money as a whole number of 2^-20 units: sums are exact, so the same plan on every machine.
using Cost = std::int64_t;
inline constexpr double kCostScale = 1 << 20;
constexpr double cost_value(Cost cost) { return static_cast<double>(cost) / kCostScale; }

/// The same value for every stage, or one value per stage (a view: the caller keeps it alive).
template <class T>
class PerStage {
 public:
  constexpr PerStage(T constant) : constant_(constant) {}                // NOLINT: a number is a constant course
  constexpr PerStage(std::span<const T> values) : values_(values) {}     // NOLINT
  constexpr PerStage(const std::vector<T>& values) : values_(values) {}  // NOLINT
  constexpr T operator[](std::size_t stage) const { return values_.empty() ? constant_ : values_[stage]; }
  constexpr bool is_constant() const { return values_.empty(); }
  constexpr std::size_t size() const { return values_.size(); }

 private:
  T constant_{};
  std::span<const T> values_;
};

/// weight × (replicas - ready)⁺: with demand quantiles q_i, replicas = q_i / (capacity × utilization) and weight =
/// price of a missing replica over a stage × the probability that level i stands for.
struct ShortfallLevel {
  double replicas;
  double weight;
};

inline constexpr int kNoLimit = std::numeric_limits<int>::max();

/// All prices and weights >= 0. Views into the caller's arrays.
struct IntegerPlanProblem {
  int stages = 0;            // H >= 1
  int dead_time_stages = 0;  // d >= 0; to gain from a start, H must be longer than d plus the time it pays back in
  int spec_replicas = 0;     // n_{-1}
  /// a_k, k < min(d, H): how many of these are ready by stage k if none is removed. Empty: all of them, already. Pods
  /// that will never be ready are not in it and not in spec_replicas; whoever knows of them adds them to the answer.
  std::span<const int> ready_if_kept = {};

  PerStage<double> replica_price = 0;     // r, per replica and stage, from the moment it is asked for
  PerStage<double> start_price = 0;       // s, per replica started
  PerStage<double> rise_churn_price = 0;  // u, per replica of a rise
  PerStage<double> fall_churn_price = 0;  // e, per replica of a fall

  /// g_k = the sum of stage k's levels, levels[level_offsets[k] … level_offsets[k + 1]), in any order. Levels <= 0 are
  /// never missed.
  std::span<const ShortfallLevel> levels = {};
  std::span<const std::uint32_t> level_offsets = {};  // H + 1 values, the first 0

  PerStage<int> max_rise = kNoLimit;  // U
  PerStage<int> max_fall = kNoLimit;  // D
  /// Constant, these are bounds of the spec. A course of maxima bounds the spec too. A course of minima bounds what is
  /// ready from stage d on and, before, what is left of the present pods (as far as they are that many). So a floor
  /// that only sinks (a stabilization window) also bounds the spec, and one that rises is met by pods that are ready by
  /// then.
  ///
  /// Bounds win over everything: a limit that the bounds cannot be kept with is widened, in this stage, by as much as
  /// it takes and no more; a minimum above the lowest maximum of its d + 1 stages is lowered to that.
  PerStage<int> min_replicas = 0;
  PerStage<int> max_replicas = 0;
};

struct IntegerPlan {
  std::span<const int> spec_replicas;   // n_k
  std::span<const int> ready_replicas;  // what they make ready, by the rule above
  std::span<const int> chain_replicas;  // z_k: of the present pods what is kept (k < d), then what is to be ready
  /// "Below hold_low rise to it, above hold_high fall to it, else hold": n_0 = clamp(n_{-1}, hold_low, hold_high) where
  /// no limit binds. hold_low comes from stage d, where pods asked for now will serve, hold_high from stage 0. Where
  /// two plans cost the same, this holds.
  int hold_low = 0;
  int hold_high = 0;
  Cost cost = 0;           // of this plan, by the rule above
  int widened_limits = 0;  // stages whose limit gave way to a bound
};

/// The band of one stage: below `low` the chain rises, above `high` it falls, else it holds.
struct HoldBand {
  int low;
  int high;
};

/// Everything is an integer after prices and weights have been rounded to Cost, once each. A fractional level becomes
/// two whole ones (3.25 is ¾ of its weight at 3 and ¼ at 4), which is the same on whole replicas.
///
/// Overflow: with the largest number of replicas (or level) N and the sum S of all prices and weights over all stages,
/// a running price counted twice for the warm-up in a start's price, no slope of the cost to go exceeds S and no cost
/// S × N. S × N × 2^20 >= 2^62 is refused: 5000 replicas over 60 stages may cost 14 million per replica and stage, over
/// 100,000 stages 8,700. Positions are in 64 bits: they drift by at most 2^24 per stage.
class IntegerPlanner {
 public:
  /// Work memory for problems up to this size: `stages` and the number of all their levels. 110 B per stage and 64 B
  /// per level.
  void reserve(int stages, std::size_t levels);

  /// The optimal plan. Depends on the problem alone, not on earlier calls.
  ///
  ///   errors   invalid_argument  a number outside its range (all that are found, by stage)
  ///   cost     O(H + levels) plus the walks over slopes, a few per level with limits, none without; independent of the
  ///            number of replicas. Allocates only for problems larger than reserved (or in error). Not thread safe.
  ///   returns  views of the planner's memory, valid until the next solve()
  Result<IntegerPlan> solve(const IntegerPlanProblem& problem);

  /// L_k and R_k of the last solve(). Before stage d the chain cannot rise, so there L_k is only the lowest reachable.
  std::span<const HoldBand> bands() const { return {bands_.data(), chain_.size()}; }

 private:
  // The slope of a convex function grows by `jump` at `at`.
  struct Kink {
    std::int64_t at;
    Cost jump;
  };
  // One stage of the chain. A start pays its warm-up: rise = s + u + r of the d stages before it is ready.
  struct Stage {
    Cost running, rise, fall;
    int low, high;  // reachable
    int max_rise, max_fall;
    std::uint32_t kinks_begin;
  };

  void build(const IntegerPlanProblem& problem);
  std::uint32_t add_kinks(std::span<const ShortfallLevel> levels, std::uint32_t begin);
  std::uint32_t add_unordered_kinks(std::span<const ShortfallLevel> levels, std::uint32_t begin);
  void find_reachable(const IntegerPlanProblem& problem);
  template <int Away>
  static Kink* merge(Kink* top, const Kink* nearest, std::ptrdiff_t count, std::int64_t offset);
  void go_back(int dead_time);
  void go_forward(const IntegerPlanProblem& problem);

  std::vector<Stage> stages_;      // H + 1; the last has only kinks_begin
  std::vector<Kink> stage_kinks_;  // of all g_k, ascending within a stage
  std::vector<Kink> slopes_;       // of the cost to go: two stacks around a gap
  std::vector<HoldBand> bands_;
  std::vector<int> chain_, spec_, ready_, window_;
  Cost unavoidable_ = 0;  // shortfall before anything asked for now can serve
  int widened_ = 0;
  int floor_ = 0;  // the lowest minimum
};

/// What any course of specs costs by the rule at the top: limits and bounds are not looked at. For prices of policies'
/// trajectories beside the optimum.
///
///   spec_replicas   H values >= 0
///   errors          invalid_argument  as in solve(), or a wrong number of specs
///   cost            O(H + levels); allocates O(H)
Result<Cost> plan_cost(const IntegerPlanProblem& problem, std::span<const int> spec_replicas);

}  // namespace mpca::mpc
