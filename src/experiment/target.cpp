#include "experiment/target.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::experiment {
namespace {

constexpr const char* kDeploymentApi = "apps/v1";
constexpr const char* kHpaApi = "autoscaling/v2";
constexpr int kMostWrites = 10;  // its version moves with each update of its status

std::unexpected<kube::ApiError> not_readable(const kube::Client& client, const std::string& path) {
  return std::unexpected(
      kube::ApiError{.failure = kube::Failure::server,
                     .status = 200,
                     .message = cat(client.connection().description, ": ", path, ": the answer cannot be read")});
}

/// `apps/v1` and `apps/v1beta1` are one group.
std::string_view group_of(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

}  // namespace

kube::ScaleTarget scale_target(const Target& target) {
  return {.api_version = kDeploymentApi,
          .kind = "Deployment",
          .namespace_name = target.namespace_name,
          .name = target.deployment,
          .resource = "deployments"};
}

std::string describe(const Target& target) {
  return cat("Deployment ", target.deployment, " in namespace ", target.namespace_name);
}

std::string deployment_path(const Target& target) {
  return kube::object_path(kDeploymentApi, target.namespace_name, "deployments", target.deployment);
}

std::string hpa_path(const Target& target, std::string_view name) {
  return kube::object_path(kHpaApi, target.namespace_name, "horizontalpodautoscalers", name);
}

kube::ApiResult<LiveDeployment> read_deployment(kube::Client& client, const Target& target) {
  const std::string path = deployment_path(target);
  auto body = client.get(path);
  if (!body) return std::unexpected(body.error());
  const auto state = kube::parse_deployment_state(*body);
  if (!state) return not_readable(client, path);
  return LiveDeployment{*state, *std::move(body)};
}

kube::ApiResult<std::vector<LiveHpa>> hpas_of(kube::Client& client, const Target& target) {
  auto list = client.list(hpa_path(target));
  if (!list) return std::unexpected(list.error());
  std::vector<LiveHpa> found;
  for (std::string& item : list->items) {
    const auto state = kube::parse_hpa_state(item);
    if (state && state->scales.target_kind == "Deployment" && state->scales.target_name == target.deployment &&
        group_of(state->scales.target_api_version) == group_of(kDeploymentApi)) {
      found.push_back({*state, std::move(item)});
    }
  }
  std::ranges::sort(found, {}, [](const LiveHpa& hpa) { return hpa.state.name; });
  return found;
}

kube::ApiResult<void> set_replicas(kube::Client& client, const Target& target, int replicas) {
  for (int i = 1;; ++i) {
    const auto scale = kube::get_scale(client, scale_target(target));
    if (!scale) return std::unexpected(scale.error());
    if (scale->spec_replicas == replicas) return {};
    const auto written = kube::patch_scale(client, scale_target(target), replicas, scale->resource_version);
    if (written) return {};
    const bool may_try_again = written.error().failure == kube::Failure::conflict || written.error().outcome_unknown;
    if (!may_try_again || i == kMostWrites) return std::unexpected(written.error());
  }
}

Error to_error(const kube::ApiError& error) {
  switch (error.failure) {
    case kube::Failure::not_found:
      return {ErrorCode::not_found, error.message};
    case kube::Failure::already_exists:
      return {ErrorCode::already_exists, error.message};
    case kube::Failure::stopped:
      return {ErrorCode::interrupted, error.message};
    case kube::Failure::invalid:
    case kube::Failure::forbidden:
      return {ErrorCode::invalid_argument, error.message};
    default:
      return {ErrorCode::io, error.message};
  }
}

}  // namespace mpca::experiment
