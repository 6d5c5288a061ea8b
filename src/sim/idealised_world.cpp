#include "sim/idealised_world.h"

#include <algorithm>

#include "core/result.h"

namespace mpca::sim {

IdealisedWorld::IdealisedWorld(const trace::DemandTrace& trace, const policy::Workload& workload, int initial_replicas)
    : trace_(trace), workload_(workload), replicas_(initial_replicas) {}

std::optional<policy::Observation> IdealisedWorld::next() {
  if (step_ >= trace_.demand_rps.size()) return std::nullopt;
  policy::Observation observation;
  observation.now = TimePoint(trace_.start + workload_.period * static_cast<std::int64_t>(step_));
  observation.spec_replicas = replicas_;
  observation.ready_replicas = replicas_;
  observation.served_rate_rps = policy::Signal::fresh(std::max(trace_.demand_rps[step_], 0.0));
  // A replica at its capacity keeps one core busy.
  observation.cpu_cores = policy::Signal::fresh(
      std::min(std::max(trace_.demand_rps[step_], 0.0) / workload_.capacity_rps, static_cast<double>(replicas_)));
  return observation;
}

policy::PeriodOutcome IdealisedWorld::apply(const policy::Decision& decision) {
  MPCA_CHECK(step_ < trace_.demand_rps.size(), "apply() after the end of the trace");
  const double demand = std::max(trace_.demand_rps[step_], 0.0);
  const double capacity = workload_.capacity_rps * replicas_;
  backlog_requests_ = std::max(0.0, backlog_requests_ + to_seconds(workload_.period) * (demand - capacity));
  policy::PeriodOutcome outcome;
  outcome.start = TimePoint(trace_.start + workload_.period * static_cast<std::int64_t>(step_));
  outcome.length = workload_.period;
  outcome.demand_rps = demand;
  outcome.spec_replicas = replicas_;
  outcome.ready_replicas = replicas_;
  outcome.utilization = demand / (workload_.capacity_rps * std::max(replicas_, 1));
  outcome.backlog_requests = backlog_requests_;
  replicas_ = decision.replicas;
  ++step_;
  return outcome;
}

}  // namespace mpca::sim
