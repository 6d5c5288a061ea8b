// What a policy has learned, kept where the next leader finds it: a ConfigMap per object in the controller's own
// namespace, so that no right in anybody else's is needed. Losing one costs what was learned, never the replicas.
// Compressed, since all of them lie in the cluster's etcd, each several times until that is compacted: some 20 KB of
// the 44 KB that a workload of months has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/predictive_autoscaler.h"
#include "core/result.h"
#include "kube/client.h"

namespace mpca::control {

class SavedStates {
 public:
  ///   namespace_name   empty: nothing is saved, and nothing is found
  explicit SavedStates(std::string namespace_name) : namespace_name_(std::move(namespace_name)) {}

  /// nullopt: there is none. An error within: there is one, and it is none of ours or damaged.
  kube::ApiResult<std::optional<Result<std::string>>> load(kube::Client& client, const std::string& uid) const;
  kube::ApiResult<void> save(kube::Client& client, const config::AutoscalerObject& object,
                             const std::string& state) const;
  /// One that is not there is fine.
  kube::ApiResult<void> remove(kube::Client& client, const std::string& uid) const;
  /// The uids of all objects that have one.
  kube::ApiResult<std::vector<std::string>> saved(kube::Client& client) const;

  bool is_on() const { return !namespace_name_.empty(); }

 private:
  std::string path(const std::string& uid = {}) const;
  std::string namespace_name_;
};

}  // namespace mpca::control
