// Pods as the controller needs them: which there are, since when they start, serve and end, where they answer and what
// CPU they ask for. The words are the HPA twin's, so what is read here goes into it as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hpa/pods.h"
#include "kube/client.h"
#include "kube/label_selector.h"

namespace mpca::kube {

struct ContainerPort {
  std::string container;
  std::string name;  // may be empty
  int number = 0;
};

struct Pod {
  std::string namespace_name, name, uid;
  Labels labels{};
  hpa::PodPhase phase = hpa::PodPhase::unknown;
  std::optional<TimePoint> created{};  // by whoever asked for it
  std::optional<TimePoint> started{};  // status.startTime: a node has taken it
  hpa::Readiness readiness = hpa::Readiness::no_condition;
  std::optional<TimePoint> ready_changed{};  // last transition of the Ready condition
  std::optional<TimePoint> deleted{};        // deletionTimestamp: it is ending
  std::string ip{};                          // empty: none yet
  std::vector<ContainerPort> ports{};
  hpa::PodRequests cpu{};
};

/// The collection of a selector as Scale::selector has it, to list or to watch.
std::string pods_path(std::string_view namespace_name, std::string_view selector);

/// From an object of a list or a watch; nullopt when it is no object with a name.
std::optional<Pod> parse_pod(std::string_view object);

ApiResult<std::vector<Pod>> list_pods(Client& client, std::string_view namespace_name, std::string_view selector);

}  // namespace mpca::kube
