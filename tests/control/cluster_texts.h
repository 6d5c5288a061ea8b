// Objects of a cluster as a watch tells them.
#pragma once

#include <string>
#include <string_view>

#include "core/text.h"
#include "kube/watch.h"

namespace mpca::control {

inline std::string pod_object(std::string_view space, std::string_view name, std::string_view labels,
                              bool is_ready = true) {
  return cat(R"({"metadata":{"namespace":")", space, R"(","name":")", name, R"(","uid":"uid-)", name,
             R"(","creationTimestamp":"2026-11-26T10:00:00Z","labels":)", labels,
             R"(},"status":{"phase":"Running","podIP":"10.0.0.7","conditions":[{"type":"Ready","status":")",
             is_ready ? "True" : "False", R"(","lastTransitionTime":"2026-11-26T10:00:10Z"}]}})");
}

inline kube::Change pod_change(const std::string& space, const std::string& name, std::string_view labels,
                               kube::Change::Kind kind = kube::Change::Kind::added, bool is_ready = true) {
  return {.kind = kind,
          .namespace_name = space,
          .name = name,
          .uid = "uid-" + name,
          .object = pod_object(space, name, labels, is_ready)};
}

inline kube::Change deployment_change(const std::string& space, const std::string& name, int replicas,
                                      std::string_view version) {
  return {
      .kind = kube::Change::Kind::added,
      .namespace_name = space,
      .name = name,
      .uid = "uid-" + name,
      .object = cat(R"({"metadata":{"namespace":")", space, R"(","name":")", name, R"(","resourceVersion":")", version,
                    R"("},"spec":{"replicas":)", replicas, R"(,"selector":{"matchLabels":{"app":")", name, R"("}}}})")};
}

inline kube::Change hpa_change(const std::string& space, const std::string& name, std::string_view api_version,
                               std::string_view target, kube::Change::Kind kind = kube::Change::Kind::added) {
  return {.kind = kind,
          .namespace_name = space,
          .name = name,
          .uid = "uid-" + name,
          .object = cat(R"({"spec":{"scaleTargetRef":{"apiVersion":")", api_version,
                        R"(","kind":"Deployment","name":")", target, R"("}}})")};
}

/// A PredictiveAutoscaler of shop/web by a rule that always wants 6 replicas.
inline std::string autoscaler_object(std::string_view mode,
                                     std::string_view policy = R"({"name":"static","settings":{"replicas":"6"}})",
                                     std::string_view more = "", std::string_view name = "web") {
  return cat(
      R"({"apiVersion":"autoscaling.mpc.dev/v1alpha1","kind":"PredictiveAutoscaler","metadata":{"namespace":"shop","name":")",
      name, R"(","uid":"uid-of-)", name, R"(","generation":1)", more,
      R"(},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"mode":")", mode,
      R"(","minReplicas":1,"maxReplicas":20,"period":"1s","capacityPerReplica":25,"policy":)", policy,
      R"(,"load":{"prometheus":{"url":"http://127.0.0.1:9"}}}})");
}

}  // namespace mpca::control
