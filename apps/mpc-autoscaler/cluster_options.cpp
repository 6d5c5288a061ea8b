#include "mpc-autoscaler/cluster_options.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "config/kubeconfig.h"
#include "control/prometheus_metrics.h"
#include "core/text.h"

namespace mpca::app {
namespace {

/// The metrics with all that they ask through.
class OwningMetrics final : public control::LiveMetrics {
 public:
  ///   errors   invalid_argument  of the service's names
  static Result<std::unique_ptr<OwningMetrics>> create(const PrometheusOptions& options,
                                                       const control::PrometheusMetricsSettings& settings,
                                                       kube::Client client, Clock& clock, std::uint64_t seed) {
    std::unique_ptr<OwningMetrics> metrics(new OwningMetrics(std::move(client), seed));
    MPCA_TRY(
        metrics->server_,
        control::PrometheusServer::reach(
            {.url = options.prom_url, .service_namespace = options.prom_namespace, .service = options.prom_service},
            options.credentials,
            {.tries = options.prom_query_retries, .backoff = from_seconds(options.prom_query_backoff_seconds)},
            metrics->client_, clock, metrics->random_));
    metrics->metrics_.emplace(settings, metrics->server_->client());
    return metrics;
  }

  control::LiveReading read(int ready_replicas) override { return metrics_->read(ready_replicas); }

 private:
  OwningMetrics(kube::Client client, std::uint64_t seed) : client_(std::move(client)), random_(seed, "prometheus") {}

  kube::Client client_;
  RandomStream random_;
  std::unique_ptr<control::PrometheusServer> server_;
  std::optional<control::PrometheusMetrics> metrics_;
};

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

SettingsTable settings_of(ClusterOptions& options) {
  options.kube_server = environment("KUBECTL_SERVER");
  options.kube_context = environment("KUBECTL_CONTEXT");
  return {
      {"kube-server", &options.kube_server,
       "API server without credentials, such as a `kubectl proxy` (KUBECTL_SERVER)"},
      {"kube-context", &options.kube_context, "of the kubeconfig (KUBECTL_CONTEXT)"},
      {"kubeconfig", &options.kubeconfig, "file; not given: $KUBECONFIG, ~/.kube/config, or the pod we run in"},
  };
}

Result<ReachedCluster> connect(const ClusterOptions& options) {
  if (!options.kube_server.empty()) {
    kube::Connection connection;
    connection.server = options.kube_server;
    connection.description = options.kube_server;
    return ReachedCluster{std::move(connection), cat("kubectl proxy: ", options.kube_server)};
  }
  const std::string host = environment("KUBERNETES_SERVICE_HOST");
  if (options.kubeconfig.empty() && options.kube_context.empty() && environment("KUBECONFIG").empty() &&
      !host.empty()) {
    MPCA_TRY(kube::Connection connection, kube::in_cluster(host, environment("KUBERNETES_SERVICE_PORT")));
    return ReachedCluster{std::move(connection), "in-cluster"};
  }
  const std::vector<std::string> files = options.kubeconfig.empty()
                                             ? config::kubeconfig_files(environment("KUBECONFIG"), environment("HOME"))
                                             : std::vector{options.kubeconfig};
  auto read = config::load_kubeconfig(files, options.kube_context);
  if (!read && read.error().code == ErrorCode::not_found)
    return fail(ErrorCode::not_found,
                cat(read.error().message, " (no cluster without --kube-server, --kubeconfig, or being in a pod)"));
  MPCA_TRY(kube::Connection connection, std::move(read));
  std::string shown =
      cat("kubectl context: ", options.kube_context.empty() ? connection.description : options.kube_context);
  return ReachedCluster{std::move(connection), std::move(shown)};
}

SettingsTable settings_of(control::PrometheusCredentials& credentials) {
  return {
      {"prom-token-file", &credentials.token_file, "bearer token for --prom-url, read anew for each question"},
      {"prom-ca-file", &credentials.ca_file,
       "PEM of the authorities that may sign its certificate; not given: the system's"},
  };
}

SettingsTable settings_of(PrometheusOptions& options) {
  SettingsTable table = {
      {"prom-namespace", &options.prom_namespace, "of Prometheus' service, behind the API server's proxy"},
      {"prom-service", &options.prom_service, "NAME or NAME:PORT (9090)"},
      {"prom-url", &options.prom_url, "asks Prometheus at this address instead of through the API server"},
      {"prom-query-retries", &options.prom_query_retries, "", Range::between(1, 20), "tries of a query"},
      {"prom-query-backoff-seconds", &options.prom_query_backoff_seconds, "s", Range::between(0, 60),
       "longest first pause between them; doubles"},
  };
  for (Setting& setting : settings_of(options.credentials)) table.push_back(std::move(setting));
  return table;
}

std::optional<kube::Right> right_to_ask(const PrometheusOptions& options) {
  if (!options.prom_url.empty()) return std::nullopt;
  // The object is the service as its proxy's path names it, with scheme and port.
  const auto path = prom::prometheus_proxy_path(options.prom_namespace, options.prom_service);
  if (!path) return std::nullopt;
  const std::string_view before_name = "/services/";
  std::string name = path->substr(path->find(before_name) + before_name.size());
  name.resize(std::min(name.find('/'), name.size()));
  return kube::Right{
      .verb = "get", .group = "", .resource = "services/proxy", .namespace_name = options.prom_namespace, .name = name};
}

Result<std::unique_ptr<control::LiveMetrics>> prometheus_metrics(const PrometheusOptions& options,
                                                                 const std::string& name_space, const std::string& job,
                                                                 Duration rate_window, kube::Client client,
                                                                 Clock& clock, std::uint64_t seed) {
  Problems problems;
  const auto queries = prom::lab_queries({.name_space = name_space, .job = job, .rate_window = rate_window});
  if (!queries) problems.add(cat("--", queries.error().message));
  std::vector<std::string> urls;
  if (!options.prom_url.empty()) urls.push_back(options.prom_url);
  if (const auto valid = control::check(urls, options.credentials); !valid) problems.add(valid.error().message);
  const auto proxy = prom::prometheus_proxy_path(options.prom_namespace, options.prom_service);
  if (!proxy) problems.add(cat("--prom-namespace, --prom-service: ", proxy.error().message));
  MPCA_TRY_VOID(problems.to_result());
  return OwningMetrics::create(options, {.queries = control::load_queries(*queries), .rate_window = rate_window},
                               std::move(client), clock, seed);
}

}  // namespace mpca::app
