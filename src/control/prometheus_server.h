// The way to a Prometheus: at an address of its own, or as a service behind the API server's proxy.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "kube/client.h"
#include "prom/client.h"

namespace mpca::control {

struct PrometheusAddress {
  std::string url;  // empty: the service
  std::string service_namespace;
  std::string service;  // NAME or NAME:PORT (9090)
};

/// How servers at addresses of their own are asked. The API server's proxy has the credentials of its client.
struct PrometheusCredentials {
  std::string token_file;  // of a bearer token, read for each question since tokens rotate; empty: none
  std::string ca_file;     // PEM of the authorities that are trusted; empty: the system's
};
/// Before anything is asked. Messages begin with --prom-url, --prom-token-file, --prom-ca-file.
///   errors   invalid_argument  every problem: a url that is none, a file that cannot be read, a token without a url,
///   or
///                              one that others could read on its way (http to another machine)
Result<void> check(std::span<const std::string> urls, const PrometheusCredentials& credentials);

/// Not thread safe; each thread has its own.
class PrometheusServer {
 public:
  /// Nothing is asked yet.
  ///
  ///   client   for the service, which without a url has to be a possible one; outlives this, as do clock and random
  ///   errors   invalid_argument  of the service's names
  static Result<std::unique_ptr<PrometheusServer>> reach(const PrometheusAddress& address,
                                                         const PrometheusCredentials& credentials,
                                                         prom::ClientSettings settings, kube::Client& client,
                                                         Clock& clock, RandomStream& random);
  prom::PrometheusClient& client() { return client_; }

 private:
  PrometheusServer(std::unique_ptr<prom::Transport> transport, const prom::ClientSettings& settings, Clock& clock,
                   RandomStream& random)
      : transport_(std::move(transport)), client_(settings, *transport_, clock, random) {}

  std::unique_ptr<prom::Transport> transport_;
  prom::PrometheusClient client_;
};

}  // namespace mpca::control
