// Questions to a Prometheus query API: instant and range queries, tried again with growing pauses where another try can
// help. Full jitter, so that the workloads of a process, and its replicas, do not come back at the same moment: Brooker
// (2015), Exponential backoff and jitter, aws.amazon.com/blogs/architecture.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/time.h"
#include "prom/answer.h"
#include "prom/transport.h"

namespace mpca::prom {

struct ClientSettings {
  /// Before `/api/v1/query`: "" or `/prometheus`, or service_proxy_path().
  std::string path_prefix{};
  /// The Authorization header of a try, asked anew for each since tokens rotate: bearer(), basic(), or empty for none.
  std::function<std::string()> authorization{};
  Duration try_limit = std::chrono::seconds(5);    // of one try; Prometheus gets it too, as `timeout`
  Duration time_limit = std::chrono::seconds(15);  // of all tries of a query and the pauses between them
  int tries = 3;
  Duration backoff = std::chrono::milliseconds(300);  // upper end of the first pause; doubles with each
  Duration longest_backoff = std::chrono::seconds(5);
  /// A longer path and query is sent by POST, which proxies cut less often. Not before, since a POST through an API
  /// server's proxy needs the verb create.
  std::size_t post_from_bytes = 4000;
};

/// What is asked, and what has to hold for the answer to count as whole and new. An instant vector does not say how old
/// the samples behind it are, nor how many pods it is the sum of: that takes questions of their own.
struct InstantQuery {
  std::string promql;
  std::string age_promql{};    // seconds since the newest sample behind it: `time() - max(timestamp(up))`
  Duration max_age{};          // older is Stale
  std::string count_promql{};  // how many pods are behind it: `count(up)`
  int expected_pods = 0;       // fewer is Partial
};

struct RangeQuery {
  std::string promql;
  TimePoint start;
  TimePoint end;                    // >= start
  Duration step{};                  // > 0, whole milliseconds
  Duration max_age{};               // no value in the last so much of the range is Stale; 0: any
  std::size_t expected_series = 0;  // fewer is Partial
};

/// Not thread safe; each thread has its own.
class PrometheusClient {
 public:
  /// All three outlive the client.
  PrometheusClient(const ClientSettings& settings, Transport& transport, Clock& clock, RandomStream& random);

  /// Evaluated at Prometheus' own now, so that its clock and ours need not agree.
  Answer instant(const InstantQuery& query);
  Answer range(const RangeQuery& query);

 private:
  using Parameters = std::vector<std::pair<std::string_view, std::string>>;
  Answer ask(std::string_view endpoint, Parameters parameters);
  Answer try_once(std::string_view endpoint, const Parameters& parameters, Duration limit);

  ClientSettings settings_;
  Transport& transport_;
  Clock& clock_;
  RandomStream& random_;
};

/// The value of an Authorization header. RFC 6750, RFC 7617.
std::string bearer(std::string_view token);
std::string basic(std::string_view user, std::string_view password);

/// The path of a service behind an API server: `/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy`.
///   errors   invalid_argument  a namespace or service that is no DNS label, a scheme other than http and https, a port
///                              that is neither a number nor a DNS label
Result<std::string> service_proxy_path(std::string_view name_space, std::string_view scheme, std::string_view service,
                                       std::string_view port);

/// The same of a Prometheus, as NAME or NAME:PORT (9090).
Result<std::string> prometheus_proxy_path(std::string_view name_space, std::string_view service_and_port);

}  // namespace mpca::prom
