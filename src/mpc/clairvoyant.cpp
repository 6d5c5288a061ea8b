#include "mpc/clairvoyant.h"

#include <cmath>
#include <numeric>

#include "core/text.h"

namespace mpca::mpc {

Result<std::vector<ShortfallLevel>> shortfall_levels(const TrueDemand& demand) {
  Problems problems;
  if (!(demand.capacity_rps > 0 && std::isfinite(demand.capacity_rps)))
    problems.add(cat("capacity_rps is ", demand.capacity_rps, "; must be > 0"));
  if (!(demand.target_utilization > 0 && demand.target_utilization <= 1))
    problems.add(cat("target_utilization is ", demand.target_utilization, "; must be > 0 and <= 1"));
  std::vector<ShortfallLevel> levels;
  levels.reserve(demand.demand_rps.size());
  const double replica_rps = demand.capacity_rps * demand.target_utilization;
  for (const double rps : demand.demand_rps) {
    if (!(rps >= 0 && std::isfinite(rps)))
      problems.add(cat("demand_rps of stage ", levels.size(), " is ", rps, "; must be finite and >= 0"));
    levels.push_back({rps / replica_rps, demand.shortfall_price});
  }
  MPCA_TRY_VOID(problems.to_result());
  return levels;
}

std::vector<std::uint32_t> one_level_per_stage(int stages) {
  std::vector<std::uint32_t> offsets(static_cast<std::size_t>(stages) + 1);
  std::iota(offsets.begin(), offsets.end(), 0U);
  return offsets;
}

Result<ClairvoyantPlan> clairvoyant_plan(const IntegerPlanProblem& problem) {
  IntegerPlanner planner;
  MPCA_TRY(const IntegerPlan plan, planner.solve(problem));
  return ClairvoyantPlan{.spec_replicas = {plan.spec_replicas.begin(), plan.spec_replicas.end()},
                         .ready_replicas = {plan.ready_replicas.begin(), plan.ready_replicas.end()},
                         .cost = plan.cost};
}

Result<ClairvoyantPlan> clairvoyant_plan(const TrueDemand& demand, IntegerPlanProblem problem) {
  MPCA_TRY(const std::vector<ShortfallLevel> levels, shortfall_levels(demand));
  problem.stages = static_cast<int>(levels.size());
  const std::vector<std::uint32_t> offsets = one_level_per_stage(problem.stages);
  problem.levels = levels;
  problem.level_offsets = offsets;
  return clairvoyant_plan(problem);
}

}  // namespace mpca::mpc
