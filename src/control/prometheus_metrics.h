// The load of a workload by the reference lab's three questions to a Prometheus, told as signals. Missing is not zero
// here, where the lab reads 0: no series, NaN and failed questions are missing, and a sum that some of the pods are
// missing in is stale, which raises and never lowers.
#pragma once

#include "control/live_metrics.h"
#include "prom/client.h"
#include "prom/lab_queries.h"

namespace mpca::control {

struct PrometheusMetricsSettings {
  prom::LabQueries queries;
  Duration rate_window{};
  Duration stale_after = std::chrono::minutes(2);
};

class PrometheusMetrics final : public LiveMetrics {
 public:
  /// The client outlives it.
  PrometheusMetrics(PrometheusMetricsSettings settings, prom::PrometheusClient& client);
  LiveReading read(int ready_replicas) override;

 private:
  policy::Signal ask(prom::InstantQuery query, std::string_view what, int ready_replicas, std::string& trouble);

  PrometheusMetricsSettings settings_;
  prom::PrometheusClient& client_;
};

}  // namespace mpca::control
