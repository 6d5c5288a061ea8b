// Whether we may do what we are going to do, asked before we need it (authorization.k8s.io, SelfSubjectAccessReview),
// so that a missing right is a sentence at the start and not a failure at night.
#pragma once

#include <string>

#include "kube/client.h"

namespace mpca::kube {

struct Right {
  std::string verb;            // `list`
  std::string group;           // `apps`; empty: the core API
  std::string resource;        // `deployments`, `deployments/scale`
  std::string namespace_name;  // empty: in all
  std::string name{};          // of one object; empty: of any
};

/// `patch deployments/scale of apps in all namespaces`.
std::string describe(const Right& right);

/// Everybody who is known to the API server may ask this.
ApiResult<bool> is_allowed(Client& client, const Right& right);

}  // namespace mpca::kube
