// What a controller of many workloads knows of its cluster, kept up to date by watches: the targets with their replicas
// and versions, the pods of a selector, and which HorizontalPodAutoscalers want to scale what. Ten thousand workloads
// then ask the API server nothing when nothing happens.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/target_ref.h"
#include "kube/label_selector.h"
#include "kube/pods.h"
#include "kube/watch.h"

namespace mpca::control {

struct TargetState {
  int spec_replicas = 0;
  std::string version;
  std::optional<kube::LabelSelector> selector;  // nullopt: none that means single pods
};

/// An autoscaler of somebody else.
struct OtherAutoscaler {
  std::string name;
  std::string owner_kind;  // `ScaledObject` when KEDA made it; empty: nobody
  bool operator==(const OtherAutoscaler&) const = default;
};

/// Any thread. Objects that cannot be read count as not there.
class ClusterIndex {
 public:
  void on_pod(const kube::Change& change);
  /// Of one resource with `spec.replicas` and `spec.selector`.
  void on_target(std::string_view api_version, std::string_view kind, const kube::Change& change);
  void on_hpa(const kube::Change& change);

  std::optional<TargetState> target(const TargetRef& ref) const;
  std::vector<std::shared_ptr<const kube::Pod>> pods(const std::string& namespace_name,
                                                     const kube::LabelSelector& selector) const;
  std::vector<OtherAutoscaler> others_of(const TargetRef& ref) const;
  std::size_t pod_count() const;

 private:
  using PodPointer = std::shared_ptr<const kube::Pod>;
  struct Namespace {
    std::map<std::string, PodPointer> by_name;
    std::map<std::pair<std::string, std::string>, std::set<PodPointer>> by_label;
  };
  void forget_pod(Namespace& space, const std::string& name);

  mutable std::shared_mutex mutex_;  // of what follows
  std::map<std::string, Namespace> namespaces_;
  std::map<TargetRef, TargetState> targets_;
  struct Hpa {
    TargetRef target;
    OtherAutoscaler other;
  };
  std::map<std::pair<std::string, std::string>, Hpa> hpas_;
  std::multimap<TargetRef, OtherAutoscaler> by_target_;
};

}  // namespace mpca::control
