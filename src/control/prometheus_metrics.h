// The load of a workload by questions to a Prometheus, told as signals. Missing is not zero here, where the reference
// lab reads 0: no series, NaN and failed questions are missing, and a sum that some of the pods are missing in is
// stale, which raises and never lowers.
#pragma once

#include <optional>

#include "control/live_metrics.h"
#include "prom/client.h"
#include "prom/lab_queries.h"

namespace mpca::control {

/// Age and number of pods are taken to be the same for all: they are asked with the first that is answered. A question
/// without PromQL is not asked, and its signal missing without trouble.
struct LoadQueries {
  prom::InstantQuery served_rate_rps;
  prom::InstantQuery cpu_cores{};
  prom::InstantQuery in_flight_requests{};
  prom::InstantQuery failed_rate_rps{};
};
LoadQueries load_queries(const prom::LabQueries& queries);

struct PrometheusMetricsSettings {
  LoadQueries queries;
  Duration rate_window{};
  Duration stale_after = std::chrono::minutes(2);
  Duration assumed_age{};  // of answers that no question tells the age of
};

class PrometheusMetrics final : public LiveMetrics {
 public:
  /// The client outlives it. When a question gets no answer, the others of that reading are not asked: each would wait
  /// as long, and other workloads with it.
  PrometheusMetrics(PrometheusMetricsSettings settings, prom::PrometheusClient& client);
  LiveReading read(int ready_replicas) override;

  /// A question of the last reading got no answer.
  bool was_silent() const { return is_silent_; }

 private:
  struct Behind {
    Duration age{};
    bool is_stale = false;
  };
  policy::Signal ask(prom::InstantQuery query, std::string_view what, int ready_replicas, std::optional<Behind>& behind,
                     std::string& trouble);

  PrometheusMetricsSettings settings_;
  prom::PrometheusClient& client_;
  bool is_silent_ = false;    // in the current or the last reading
  bool was_answered_ = true;  // a question of it, by a Prometheus
};

}  // namespace mpca::control
