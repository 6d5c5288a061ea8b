// The pods of one workload as an Observation shows them. Their numbers stay the same for their whole lives and survive
// a restart of the controller, since what a policy has learned of them is under those numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>

#include "control/live_workload.h"
#include "core/state_text.h"
#include "kube/pods.h"

namespace mpca::control {

class PodNumbers {
 public:
  /// Fills in all of `view` that is about pods; those that have ended are left out. A pod starts when it is created:
  /// waiting for a node is part of its lag.
  void show(std::span<const std::shared_ptr<const kube::Pod>> pods, TimePoint now, WorkloadView& view);

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  it is then as it was
  Result<void> load(const StateReader& reader);

 private:
  std::map<std::int64_t, std::int64_t> ids_;  // of the pods that were there at the last look, by a hash of the uid
  std::int64_t last_id_ = 0;
};

}  // namespace mpca::control
