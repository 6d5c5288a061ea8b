// A workload of a Kubernetes cluster under control: its replicas by the /scale subresource of whatever kind it is, its
// pods by the selector that /scale tells.
#pragma once

#include <string>

#include "control/live_workload.h"
#include "control/pod_numbers.h"
#include "control/target_ref.h"
#include "kube/client.h"
#include "kube/scale.h"

namespace mpca::control {

/// An error of the API in the words of a workload.
LiveError live_error(const kube::ApiError& error);

class KubeWorkload final : public LiveWorkload {
 public:
  /// The client outlives it.
  KubeWorkload(TargetRef target, kube::Client& client);

  /// Where pods may not be listed (403), as many as the scale's status says are taken for ready.
  LiveResult<WorkloadView> read(TimePoint now) override;
  LiveResult<void> set_replicas(int replicas, const std::string& version) override;

 private:
  kube::ScaleTarget target_;
  kube::Client& client_;
  kube::Discovery discovery_;
  PodNumbers numbers_;
};

}  // namespace mpca::control
