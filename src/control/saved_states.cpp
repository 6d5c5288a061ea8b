#include "control/saved_states.h"

#include "core/text.h"
#include "kube/scale.h"
#include "net/base64.h"
#include "net/json.h"
#include "runlog/compression.h"

namespace mpca::control {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "mpc-autoscaler-state-";
constexpr const char* kState = "state.zlib";  // of binaryData
constexpr const char* kBytes = "bytes";       // of data: how many the state has
constexpr std::int64_t kLargestState = 1 << 20;
constexpr const char* kLabel = "autoscaling.mpc.dev/saved-state";

}  // namespace

std::string SavedStates::path(const std::string& uid) const {
  return kube::object_path("v1", namespace_name_, "configmaps", uid.empty() ? std::string() : cat(kPrefix, uid));
}

kube::ApiResult<std::optional<Result<std::string>>> SavedStates::load(kube::Client& client,
                                                                      const std::string& uid) const {
  if (!is_on()) return std::nullopt;
  const auto body = client.get(path(uid));
  if (!body && body.error().failure == kube::Failure::not_found) return std::nullopt;
  if (!body) return std::unexpected(body.error());
  const json map = net::parse_json(*body);
  const auto packed = net::base64_decoded(net::text_at(map, "binaryData", kState));
  const auto bytes = parse_int(net::text_at(map, "data", kBytes));
  std::optional<std::string> state;
  if (packed && bytes && *bytes >= 0 && *bytes <= kLargestState)
    state = runlog::uncompressed(*packed, static_cast<std::size_t>(*bytes));
  if (!state) return Result<std::string>(invalid(cat("ConfigMap ", kPrefix, uid, " holds no saved state")));
  return Result<std::string>(*std::move(state));
}

kube::ApiResult<void> SavedStates::save(kube::Client& client, const config::AutoscalerObject& object,
                                        const std::string& state) const {
  if (!is_on()) return {};
  const json map = {{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata",
                     {{"name", cat(kPrefix, object.uid)},
                      {"labels", {{kLabel, "true"}, {"app.kubernetes.io/managed-by", "mpc-autoscaler"}}},
                      {"annotations", {{"autoscaling.mpc.dev/of", cat(object.namespace_name, "/", object.name)}}}}},
                    {"data", {{kBytes, cat(state.size())}}},
                    {"binaryData", {{kState, net::base64_encoded(runlog::compressed(state))}}}};
  // A server-side apply makes what is not there; the body names all that we own.
  const auto saved =
      client.patch(cat(path(object.uid), "?fieldManager=mpc-autoscaler&force=true"), kube::PatchKind::apply,
                   net::json_text(map), kube::Priority::normal, kube::Detail::metadata);
  if (!saved) return std::unexpected(saved.error());
  return {};
}

kube::ApiResult<void> SavedStates::remove(kube::Client& client, const std::string& uid) const {
  if (!is_on()) return {};
  const auto removed = client.remove(path(uid));
  if (!removed && removed.error().failure != kube::Failure::not_found) return std::unexpected(removed.error());
  return {};
}

kube::ApiResult<std::vector<std::string>> SavedStates::saved(kube::Client& client) const {
  std::vector<std::string> uids;
  if (!is_on()) return uids;
  const auto list =
      client.list(cat(path(), "?labelSelector=", "autoscaling.mpc.dev%2Fsaved-state%3Dtrue"), kube::Detail::metadata);
  if (!list) return std::unexpected(list.error());
  for (const std::string& item : list->items) {
    const std::string name = net::text_at(net::parse_json(item), "metadata", "name");
    if (name.starts_with(kPrefix)) uids.push_back(name.substr(kPrefix.size()));
  }
  return uids;
}

}  // namespace mpca::control
