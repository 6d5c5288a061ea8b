// The clairvoyant optimum: the cheapest plan of somebody who knows the whole demand in advance but whose pods take as
// long to start, and whose replicas move no faster, than everybody's. No policy can be cheaper in the world that it is
// computed for, so it is the ruler: the regret of a policy is its plan_cost() minus this. The integer planner on the
// true demand, over the whole trace at once.
#pragma once

#include <span>
#include <vector>

#include "core/result.h"
#include "mpc/integer_plan.h"

namespace mpca::mpc {

struct ClairvoyantPlan {
  std::vector<int> spec_replicas;
  std::vector<int> ready_replicas;
  Cost cost = 0;  // as plan_cost() would price it
};

/// What was asked of the service, and what a stage costs that cannot serve it.
struct TrueDemand {
  std::span<const double> demand_rps;  // a value per stage
  double capacity_rps = 0;             // of a ready replica
  double target_utilization = 1;       // in (0, 1]: demand / (capacity × utilization) replicas are needed
  double shortfall_price = 0;          // per missing replica (or part of one) and stage
};

/// With stage costs of any convex form: `problem` has its levels, for instance several per stage, or a course of
/// weights.
///
///   errors   as IntegerPlanner::solve
///   cost     O(stages + levels): 100,000 stages of one level some 10 ms; allocates 250 B per stage
Result<ClairvoyantPlan> clairvoyant_plan(const IntegerPlanProblem& problem);

/// With the stage costs of `demand`. Of `problem` all but stages and levels counts.
///
///   errors   as IntegerPlanner::solve; invalid_argument  capacity, utilization or a demand outside its range (the
///            message names the stage)
Result<ClairvoyantPlan> clairvoyant_plan(const TrueDemand& demand, IntegerPlanProblem problem);

/// The levels of clairvoyant_plan() for a demand, one per stage, to price policies with (plan_cost).
///
///   errors   as there
Result<std::vector<ShortfallLevel>> shortfall_levels(const TrueDemand& demand);

/// The offsets that say "one level per stage": 0, 1, … stages.
std::vector<std::uint32_t> one_level_per_stage(int stages);

}  // namespace mpca::mpc
