// The reference lab's idealised simulator as a World: what is asked for serves in the next period, the measured rate is
// the true demand, nothing is late or lost. It flatters every policy; its use is parity with the lab and a first look.
#pragma once

#include "policy/policy.h"
#include "policy/world.h"
#include "trace/demand_trace.h"

namespace mpca::sim {

class IdealisedWorld final : public policy::World {
 public:
  /// One step of the trace is one period of `workload`. The trace must outlive the world.
  IdealisedWorld(const trace::DemandTrace& trace, const policy::Workload& workload, int initial_replicas);

  std::optional<policy::Observation> next() override;
  policy::PeriodOutcome apply(const policy::Decision& decision) override;

 private:
  const trace::DemandTrace& trace_;
  policy::Workload workload_;
  std::size_t step_ = 0;
  int replicas_;
  double backlog_requests_ = 0.0;
};

}  // namespace mpca::sim
