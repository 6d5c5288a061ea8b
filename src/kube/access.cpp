#include "kube/access.h"

#include "core/text.h"
#include "net/json.h"

namespace mpca::kube {

using nlohmann::json;

std::string describe(const Right& right) {
  return cat(right.verb, " ", right.resource, right.group.empty() ? "" : " of " + right.group,
             right.namespace_name.empty() ? " in all namespaces" : " in namespace " + right.namespace_name,
             right.name.empty() ? "" : cat(" (", right.name, ")"));
}

ApiResult<bool> is_allowed(Client& client, const Right& right) {
  const std::size_t slash = right.resource.find('/');
  json attributes = {{"verb", right.verb}, {"group", right.group}, {"resource", right.resource.substr(0, slash)}};
  if (slash != std::string::npos) attributes["subresource"] = right.resource.substr(slash + 1);
  if (!right.namespace_name.empty()) attributes["namespace"] = right.namespace_name;
  if (!right.name.empty()) attributes["name"] = right.name;
  const json review = {{"apiVersion", "authorization.k8s.io/v1"},
                       {"kind", "SelfSubjectAccessReview"},
                       {"spec", {{"resourceAttributes", attributes}}}};
  const auto answer = client.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", net::json_text(review));
  if (!answer) return std::unexpected(answer.error());
  return net::json_at(net::parse_json(*answer), "status", "allowed") == true;
}

}  // namespace mpca::kube
