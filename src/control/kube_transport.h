// Prometheus behind the API server's service proxy: its questions go as calls of the API, with the credentials that the
// controller has there anyway.
#pragma once

#include "kube/client.h"
#include "prom/transport.h"

namespace mpca::control {

class KubeTransport final : public prom::Transport {
 public:
  /// The client outlives it.
  explicit KubeTransport(kube::Client& client) : client_(client) {}
  /// GET only.
  Result<prom::Reply> request(const prom::Request& request) override;

 private:
  kube::Client& client_;
};

}  // namespace mpca::control
