// The watches that keep a ClusterIndex up to date, and tell of the objects that ask to be scaled.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/cluster_index.h"
#include "core/time.h"
#include "kube/watch.h"

namespace mpca::control {

class ClusterWatch {
 public:
  ///   make_client   with `max_attempts = 1`, one for each watch
  ///   namespaces    that are watched; empty: all
  ///   index         outlives the watch
  ///   on_object     of PredictiveAutoscalers, in a thread of the watch; must not throw
  ///   patience      with a watch that fails, until what it has told is too old
  ClusterWatch(const std::function<kube::Client()>& make_client, const std::vector<std::string>& namespaces,
               ClusterIndex& index, const kube::OnChange& on_object, std::uint64_t seed,
               Duration patience = std::chrono::minutes(3));

  /// Why the index is not to be decided on: something has not been listed yet, or a watch has been failing for so long
  /// that what is known is too old. nullopt: what is not in the index is not in the cluster. Any thread.
  std::optional<std::string> trouble() const;

  /// Whether targets of that kind are told to the index.
  static bool covers(const TargetRef& ref);

 private:
  struct Watch {
    std::string what;
    std::unique_ptr<kube::Watcher> watcher;
  };
  Duration patience_;
  std::vector<Watch> watches_;
};

}  // namespace mpca::control
