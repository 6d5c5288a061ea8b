// A Deployment `web` in namespace `shop` and its HPA, for tests.
#pragma once

#include <string>

#include "core/text.h"
#include "experiment/target.h"

namespace mpca::experiment {

inline const Target kWeb{.namespace_name = "shop", .deployment = "web"};

constexpr const char* kDeploymentPath = "/apis/apps/v1/namespaces/shop/deployments/web";
constexpr const char* kHpaPath = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web";
constexpr const char* kMapPath = "/api/v1/namespaces/shop/configmaps/mpc-experiment-web";

/// All of them ready.
inline std::string deployment_object(int replicas) {
  return cat(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"generation":1},"spec":{"replicas":)", replicas,
             R"(,"selector":{"matchLabels":{"app":"web"}}},"status":{"observedGeneration":1,"replicas":)", replicas,
             R"(,"readyReplicas":)", replicas, R"(,"availableReplicas":)", replicas, "}}");
}

inline std::string hpa_object(const std::string& name, int cpu_percent, const std::string& uid = "uid-of-hpa",
                              const std::string& owner = {}) {
  const std::string owners = owner.empty() ? ""
                                           : cat(R"(,"ownerReferences":[{"apiVersion":"keda.sh/v1alpha1","kind":")",
                                                 owner, R"(","name":"web-scaler","uid":"u7","controller":true}])");
  return cat(R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":")", name,
             R"(","uid":")", uid, "\"", owners,
             R"(},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},)"
             R"("minReplicas":2,"maxReplicas":12,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":)"
             R"({"type":"Utilization","averageUtilization":)",
             cpu_percent, R"(}}}]},"status":{"currentReplicas":2,"desiredReplicas":3}})");
}

}  // namespace mpca::experiment
