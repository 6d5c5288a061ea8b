// Where an API server is and what we show it: from inside a pod here, from a kubeconfig file in config/kubeconfig.h.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "net/http_client.h"

namespace mpca::kube {

/// What an exec plugin hands out: a token, a client certificate with its key, or both.
struct ExecCredential {
  std::string token{};
  net::Pem certificate{};
  net::Pem key{};
  std::optional<TimePoint> expires{};
};

struct Connection {
  std::string description{};  // for messages: `in-cluster`, `context "dev" of FILE`
  std::string server{};       // https://10.0.0.1:6443; a path may follow
  net::TlsSettings tls{};
  std::string proxy{};
  bool proxy_from_environment = true;
  std::string default_namespace = "default";

  // One of the three, or none when the client certificate says who we are.
  std::string token{};
  std::string token_file{};  // read again each minute and after a 401: tokens rotate
  std::function<Result<ExecCredential>()>
      exec{};  // asked again before its credential expires and after a 401; any thread
};

inline constexpr const char* kServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/// As every pod finds it.
///
///   host, port   KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT
///   directory    with `token`, `ca.crt` and `namespace`
///   errors       not_found  not in a pod, or the pod has no token mounted; each with what is missing
Result<Connection> in_cluster(const std::string& host, const std::string& port,
                              const std::string& directory = kServiceAccountDirectory);

}  // namespace mpca::kube
