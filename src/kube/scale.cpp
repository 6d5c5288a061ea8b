#include "kube/scale.h"

#include <algorithm>
#include <limits>

#include "core/text.h"
#include "net/json.h"
#include "net/url.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

std::string api_path(std::string_view api_version) {
  return cat(api_version.find('/') == std::string_view::npos ? "/api/" : "/apis/", api_version);
}

std::string scale_path(const ScaleTarget& target) {
  return object_path(target.api_version, target.namespace_name, target.resource, target.name) + "/scale";
}

std::unexpected<ApiError> not_of_this_api(const Client& client, const std::string& path, std::string_view what) {
  return std::unexpected(
      ApiError{.failure = Failure::server,
               .status = 200,
               .message = cat(client.connection().description, ": ", path, ": the answer is no ", what)});
}

std::optional<int> replicas_of(const json& part) {
  const auto value = net::integer_at(part, "replicas");
  if (!value) return 0;  // omitted when zero
  if (*value < 0 || *value > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<int>(*value);
}

ApiResult<Scale> read_scale(const Client& client, const std::string& path, const ApiResult<std::string>& body) {
  if (!body) return std::unexpected(body.error());
  const json object = net::parse_json(*body);
  const auto spec = replicas_of(net::json_at(object, "spec"));
  const auto status = replicas_of(net::json_at(object, "status"));
  if (net::text_at(object, "kind") != "Scale" || !net::json_at(object, "spec").is_object() || !spec || !status ||
      net::text_at(object, "metadata", "resourceVersion").empty()) {
    return not_of_this_api(client, path, "Scale");
  }
  return Scale{*spec, *status, net::text_at(object, "status", "selector"),
               net::text_at(object, "metadata", "resourceVersion")};
}

}  // namespace

std::string object_path(std::string_view api_version, std::string_view namespace_name, std::string_view resource,
                        std::string_view name) {
  std::string path = api_path(api_version);
  if (!namespace_name.empty()) path += "/namespaces/" + net::percent_encoded(namespace_name);
  path += cat("/", net::percent_encoded(resource));
  if (!name.empty()) path += "/" + net::percent_encoded(name);
  return path;
}

ApiResult<std::string> Discovery::scalable_resource(Client& client, const std::string& api_version,
                                                    const std::string& kind) {
  const auto find = [&]() -> const Resource* {
    const auto& known = by_api_version_[api_version];
    const auto found = std::ranges::find(known, kind, &Resource::kind);
    return found != known.end() ? &*found : nullptr;
  };
  const Resource* resource = find();
  if (resource == nullptr || !resource->has_scale) {
    const std::string path = api_path(api_version);
    const auto body = client.get(path);
    if (!body) return std::unexpected(body.error());
    const json answer = net::parse_json(*body);
    if (!net::json_at(answer, "resources").is_array()) return not_of_this_api(client, path, "APIResourceList");
    std::vector<Resource>& known = by_api_version_[api_version];
    known.clear();
    for (const json& entry : answer["resources"]) {
      const std::string name = net::text_at(entry, "name");
      if (name.find('/') == std::string::npos) known.push_back({name, net::text_at(entry, "kind")});
    }
    for (const json& entry : answer["resources"]) {
      const std::string name = net::text_at(entry, "name");
      for (Resource& one : known) one.has_scale = one.has_scale || name == one.name + "/scale";
    }
    resource = find();
  }
  const auto problem = [&](Failure failure, std::string_view words) {
    return std::unexpected(ApiError{.failure = failure, .message = cat(client.connection().description, ": ", words)});
  };
  if (resource == nullptr) {
    std::vector<std::string_view> kinds;
    for (const Resource& one : by_api_version_[api_version]) kinds.emplace_back(one.kind);
    return problem(Failure::not_found, cat(api_version, " has no kind ", kind, did_you_mean(kind, kinds)));
  }
  if (!resource->has_scale)
    return problem(Failure::invalid, cat(kind, " of ", api_version, " cannot be scaled: it has no scale subresource"));
  return resource->name;
}

ApiResult<Scale> get_scale(Client& client, const ScaleTarget& target, Priority priority) {
  const std::string path = scale_path(target);
  return read_scale(client, path, client.get(path, priority));
}

ApiResult<Scale> patch_scale(Client& client, const ScaleTarget& target, int replicas,
                             const std::string& resource_version) {
  const std::string path = scale_path(target);
  const json patch = {{"metadata", {{"resourceVersion", resource_version}}}, {"spec", {{"replicas", replicas}}}};
  return read_scale(client, path, client.patch_once(path, PatchKind::merge, net::json_text(patch), Priority::scale));
}

}  // namespace mpca::kube
