// A workload of many: read from what watches have told, written by its /scale. Targets of kinds that are not watched
// are asked for, one request a period.
#pragma once

#include <string>

#include "control/cluster_index.h"
#include "control/kube_workload.h"
#include "control/pod_numbers.h"
#include "kube/client.h"
#include "kube/scale.h"

namespace mpca::control {

class CachedWorkload final : public LiveWorkload {
 public:
  /// The index outlives it.
  ///   is_watched   whether the index is told of targets of that kind
  CachedWorkload(TargetRef target, const ClusterIndex& index, bool is_watched);

  /// For the calls that follow.
  void use(kube::Client& client) { client_ = &client; }

  /// After a write that failed, what the API server says now; after one that succeeded, what was written until the
  /// watch has told of it. An index that was filled is taken for true: whether its watches live is the caller's to
  /// know.
  LiveResult<WorkloadView> read(TimePoint now) override;
  LiveResult<void> set_replicas(int replicas, const std::string& version) override;

  const TargetRef& target() const { return ref_; }
  PodNumbers& numbers() { return numbers_; }

 private:
  LiveResult<TargetState> ask();
  LiveResult<void> find_resource();

  TargetRef ref_;
  const ClusterIndex& index_;
  bool is_watched_;
  kube::Client* client_ = nullptr;
  kube::ScaleTarget scale_target_;
  PodNumbers numbers_;
  bool must_ask_ = false;
  struct Written {
    int replicas = 0;
    std::string version;
    TimePoint at;
  };
  std::optional<Written> written_;  // and not told of by the watch yet
  TimePoint last_read_;
};

}  // namespace mpca::control
