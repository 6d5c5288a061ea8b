#include "kube/connection.h"

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::kube {
namespace {

constexpr std::size_t kLargestFile = 1u << 20;

}  // namespace

Result<Connection> in_cluster(const std::string& host, const std::string& port, const std::string& directory) {
  if (host.empty() || port.empty()) {
    return fail(ErrorCode::not_found,
                "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set");
  }
  Connection connection;
  connection.description = "in-cluster";
  connection.server = cat("https://", host.find(':') == std::string::npos ? host : cat("[", host, "]"), ":", port);
  connection.token_file = directory + "/token";
  connection.tls.ca.file = directory + "/ca.crt";
  connection.proxy_from_environment = false;
  for (const std::string& file : {connection.token_file, connection.tls.ca.file}) {
    if (const auto content = os::read_file(file, kLargestFile); !content)
      return fail(ErrorCode::not_found, cat("in-cluster: ", content.error().message,
                                            "; the pod needs a service account with its token mounted"));
  }
  if (const auto name = os::read_file(directory + "/namespace", kLargestFile); name && !trim(*name).empty())
    connection.default_namespace = trim(*name);
  return connection;
}

}  // namespace mpca::kube
