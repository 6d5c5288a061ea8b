#include "control/prometheus_server.h"

#include "control/kube_transport.h"
#include "prom/http_transport.h"

namespace mpca::control {

Result<std::unique_ptr<PrometheusServer>> PrometheusServer::reach(const PrometheusAddress& address,
                                                                  prom::ClientSettings settings, kube::Client& client,
                                                                  Clock& clock, RandomStream& random) {
  std::unique_ptr<prom::Transport> transport;
  if (address.url.empty()) {
    MPCA_TRY(settings.path_prefix, prom::prometheus_proxy_path(address.service_namespace, address.service));
    transport = std::make_unique<KubeTransport>(client);
  } else {
    transport = std::make_unique<prom::HttpTransport>(address.url, net::HttpClientSettings{});
  }
  return std::unique_ptr<PrometheusServer>(new PrometheusServer(std::move(transport), settings, clock, random));
}

}  // namespace mpca::control
