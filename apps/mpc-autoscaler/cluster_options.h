// How commands reach a cluster, and the Prometheus that knows its workloads' load.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "control/live_metrics.h"
#include "control/prometheus_server.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/settings.h"
#include "kube/access.h"
#include "kube/client.h"

namespace mpca::app {

/// Empty when it is not set.
std::string environment(const char* name);

struct ClusterOptions {
  std::string kube_server;
  std::string kube_context;
  std::string kubeconfig;
};
/// Takes defaults from the environment.
SettingsTable settings_of(ClusterOptions& options);

struct ReachedCluster {
  kube::Connection connection;
  std::string shown;  // as the reference lab says it: `kubectl context: staging`
};
/// --kube-server, else a kubeconfig, else the pod we run in.
Result<ReachedCluster> connect(const ClusterOptions& options);

struct PrometheusOptions {
  std::string prom_namespace = "toy-monitoring";
  std::string prom_service = "toy-prometheus";
  std::string prom_url;
  int prom_query_retries = 3;
  double prom_query_backoff_seconds = 0.3;
  control::PrometheusCredentials credentials;  // for prom_url
};
SettingsTable settings_of(PrometheusOptions& options);
SettingsTable settings_of(control::PrometheusCredentials& credentials);
/// What asking takes; none: it goes not through the API server.
std::optional<kube::Right> right_to_ask(const PrometheusOptions& options);

/// The reference lab's three questions about one workload.
///
///   client   for questions behind the API server's proxy; used by the metrics alone, in whatever thread asks them
///   errors   invalid_argument  every problem, with its flag
Result<std::unique_ptr<control::LiveMetrics>> prometheus_metrics(const PrometheusOptions& options,
                                                                 const std::string& name_space, const std::string& job,
                                                                 Duration rate_window, kube::Client client,
                                                                 Clock& clock, std::uint64_t seed);

}  // namespace mpca::app
