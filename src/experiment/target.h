// The Deployment under experiment and who else scales it, as the cluster has them.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "kube/client.h"
#include "kube/objects.h"
#include "kube/scale.h"

namespace mpca::experiment {

struct Target {
  std::string namespace_name;
  std::string deployment;
};

kube::ScaleTarget scale_target(const Target& target);
/// `Deployment web in namespace shop`.
std::string describe(const Target& target);
std::string deployment_path(const Target& target);
/// Without a name, that of the collection.
std::string hpa_path(const Target& target, std::string_view name = {});

struct LiveDeployment {
  kube::DeploymentState state;
  std::string object;  // JSON
};
kube::ApiResult<LiveDeployment> read_deployment(kube::Client& client, const Target& target);

struct LiveHpa {
  kube::HpaState state;
  std::string object;  // JSON
};
/// Those that scale the Deployment, whatever version of its API they name; by name.
kube::ApiResult<std::vector<LiveHpa>> hpas_of(kube::Client& client, const Target& target);

/// Scales it, whatever others write meanwhile: what an experiment begins and ends with, not what it decides.
kube::ApiResult<void> set_replicas(kube::Client& client, const Target& target, int replicas);

/// An error of the API as one of ours.
Error to_error(const kube::ApiError& error);

}  // namespace mpca::experiment
