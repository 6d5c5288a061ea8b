// The /scale subresource: the one way to read and set the replicas of anything that scales, be it a Deployment, a
// StatefulSet or a custom resource.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kube/client.h"

namespace mpca::kube {

struct ScaleTarget {
  std::string api_version;  // apps/v1
  std::string kind;         // Deployment
  std::string namespace_name;
  std::string name;
  std::string resource;  // deployments, as Discovery says
};

struct Scale {
  int spec_replicas = 0;
  int status_replicas = 0;
  std::string selector;  // as a labelSelector takes it
  std::string resource_version;
};

/// Which resource a kind is. What was found is kept; what was not is asked for again, since CRDs come later.
class Discovery {
 public:
  ///   kind      as in a scaleTargetRef
  ///   returns   the plural: `deployments`
  ///   errors    not_found  no such group, version or kind, with the nearest; invalid  the kind has no /scale
  ApiResult<std::string> scalable_resource(Client& client, const std::string& api_version, const std::string& kind);

 private:
  struct Resource {
    std::string name, kind;
    bool has_scale = false;
  };
  std::map<std::string, std::vector<Resource>> by_api_version_;
};

/// `/apis/apps/v1/namespaces/shop/deployments/web`; without a name, that of the collection.
std::string object_path(std::string_view api_version, std::string_view namespace_name, std::string_view resource,
                        std::string_view name = {});

ApiResult<Scale> get_scale(Client& client, const ScaleTarget& target, Priority priority = Priority::normal);

/// Sets the replicas if nothing has changed since `resource_version` was read. That version is the whole target's and
/// moves with each of its status updates, so a conflict is common: read again, decide again.
///   returns  the scale as written
ApiResult<Scale> patch_scale(Client& client, const ScaleTarget& target, int replicas,
                             const std::string& resource_version);

}  // namespace mpca::kube
