#include "control/prometheus_server.h"

#include "control/kube_transport.h"
#include "core/os/file.h"
#include "core/settings.h"
#include "core/text.h"
#include "prom/http_transport.h"

namespace mpca::control {
namespace {

constexpr std::size_t kLongestToken = 65536, kLargestPem = 1 << 20;

}  // namespace

Result<void> check(std::span<const std::string> urls, const PrometheusCredentials& credentials) {
  Problems problems;
  for (const std::string& url : urls) {
    const auto privacy = net::privacy_of(url);
    if (!privacy) {
      problems.add(cat("--prom-url: \"", url, "\" is no http(s) address"));
    } else if (!credentials.token_file.empty() && !privacy->is_tls && !privacy->is_loopback) {
      problems.add(cat("--prom-token-file: ", url, " would get the token where others can read it; use https"));
    }
  }
  if (!credentials.token_file.empty()) {
    if (urls.empty()) problems.add("--prom-token-file: is for the servers of --prom-url, and there are none");
    if (const auto token = os::read_file(credentials.token_file, kLongestToken); !token)
      problems.add(cat("--prom-token-file: ", token.error().message));
  }
  if (!credentials.ca_file.empty())
    if (const auto pem = os::read_file(credentials.ca_file, kLargestPem); !pem)
      problems.add(cat("--prom-ca-file: ", pem.error().message));
  return problems.to_result();
}

Result<std::unique_ptr<PrometheusServer>> PrometheusServer::reach(const PrometheusAddress& address,
                                                                  const PrometheusCredentials& credentials,
                                                                  prom::ClientSettings settings, kube::Client& client,
                                                                  Clock& clock, RandomStream& random) {
  std::unique_ptr<prom::Transport> transport;
  if (address.url.empty()) {
    MPCA_TRY(settings.path_prefix, prom::prometheus_proxy_path(address.service_namespace, address.service));
    transport = std::make_unique<KubeTransport>(client);
  } else {
    transport = std::make_unique<prom::HttpTransport>(
        address.url, net::HttpClientSettings{.tls = {.ca = {.file = credentials.ca_file}}});
    if (!credentials.token_file.empty()) {
      settings.authorization = [file = credentials.token_file] {
        const auto token = os::read_file(file, kLongestToken);
        return token ? prom::bearer(trim(*token)) : std::string();
      };
    }
  }
  return std::unique_ptr<PrometheusServer>(new PrometheusServer(std::move(transport), settings, clock, random));
}

}  // namespace mpca::control
