// A workload of a Kubernetes cluster under control: its replicas by the /scale subresource of whatever kind it is, its
// pods by the selector that /scale tells.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/live_workload.h"
#include "kube/client.h"
#include "kube/pods.h"
#include "kube/scale.h"

namespace mpca::control {

struct TargetRef {
  std::string api_version = "apps/v1";
  std::string kind = "Deployment";
  std::string namespace_name;
  std::string name;
};

class KubeWorkload final : public LiveWorkload {
 public:
  /// The client outlives it.
  KubeWorkload(TargetRef target, kube::Client& client);

  /// A pod starts when it is created: waiting for a node is part of its lag. Where pods may not be listed (403), as
  /// many as the scale's status says are taken for ready.
  LiveResult<WorkloadView> read(TimePoint now) override;
  LiveResult<void> set_replicas(int replicas, const std::string& version) override;

 private:
  void show(const std::vector<kube::Pod>& pods, TimePoint now, WorkloadView& view);

  kube::ScaleTarget target_;
  kube::Client& client_;
  kube::Discovery discovery_;
  std::map<std::string, std::int64_t> ids_;  // of the pods that were there at the last look, by uid
  std::int64_t last_id_ = 0;
};

}  // namespace mpca::control
