// A PredictiveAutoscaler object (autoscaling.mpc.dev/v1alpha1): what the CRD lets users say about one workload, checked
// as the CRD's schema checks it, and the status that the controller writes into it. The schema itself is
// crd_manifest(), made from the same settings tables, so that the cluster and this reader accept the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "policy/policy.h"

namespace mpca::config {

inline constexpr std::string_view kAutoscalerApiVersion = "autoscaling.mpc.dev/v1alpha1";
inline constexpr std::string_view kAutoscalerKind = "PredictiveAutoscaler";
inline constexpr std::string_view kAutoscalerResource = "predictiveautoscalers";
/// `"true"`: nothing is written to the workload, whatever the mode.
inline constexpr std::string_view kPausedAnnotation = "autoscaling.mpc.dev/paused";

enum class Mode {
  off,        // not looked at
  recommend,  // decides and says so in status; never writes
  shadow,     // recommend, and keeps books of what it and whoever is in charge cost
  automatic,  // `Auto`: sets the replicas, when the process is allowed to (--apply)
};
/// `Off`, `Recommend`, `Shadow`, `Auto`.
std::string_view name_of(Mode mode);

/// Where the load is read. Without queries of its own, those of the reference lab (prom/lab_queries.h) for `job`.
struct PrometheusSource {
  std::string url;      // empty: the service, through the API server's proxy
  std::string service;  // NAME or NAME:PORT (9090)
  std::string service_namespace;
  std::string job;          // label of the workload's series; empty: the target's name
  std::string served_rate;  // PromQL of requests/s answered; empty: the lab's
  std::string failed_rate;  // optional
  std::string in_flight;    // optional
  std::string cpu_cores;    // optional
  std::string ready_pods;   // optional: of how many pods the answers are the sum
  bool operator==(const PrometheusSource&) const = default;
};

/// The pods' own /metrics, asked directly.
struct ScrapeSource {
  int port = 8080;
  std::string path = "/metrics";
  std::string requests = "toy_http_requests_total";                 // a counter
  std::vector<std::pair<std::string, std::string>> request_labels;  // that its samples have to have
  std::string status_label = "code";                                // empty: all requests are served
  std::string in_flight = "toy_in_flight_requests";                 // a gauge; empty: none
  std::string cpu_seconds = "process_cpu_seconds_total";            // a counter; empty: none
  bool operator==(const ScrapeSource&) const = default;
};

struct LoadSource {
  std::optional<PrometheusSource> prometheus;  // exactly one of the two
  std::optional<ScrapeSource> scrape;
  Duration rate_window = std::chrono::minutes(1);
  Duration stale_after = std::chrono::minutes(2);
  bool operator==(const LoadSource&) const = default;
};

struct AutoscalerObject {
  std::string namespace_name, name, uid, resource_version;
  std::int64_t generation = 0;
  bool is_paused = false;
  bool is_deleted = false;  // has a deletion timestamp

  std::string target_api_version = "apps/v1", target_kind = "Deployment", target_name;
  Mode mode = Mode::recommend;
  policy::Workload workload;  // bounds, capacity, target utilization, period
  std::string policy;         // complete, as create_policy() takes it: objective, priors, calendar, own HPA written out
  std::string time_zone = "UTC";
  LoadSource load;
  std::string status;  // as the object has it, JSON; empty: none yet
};

/// One object as the API server stores it (JSON), or a manifest with one (YAML), whatever else is in it. Policies are
/// tried, too.
///   where    what each message begins with
///   errors   invalid_argument  every problem with its field; none, or several
Result<AutoscalerObject> parse_autoscaler(std::string_view text, std::string_view where);
/// All that are in a manifest, or in a List of them.
Result<std::vector<AutoscalerObject>> parse_autoscalers(std::string_view text, std::string_view where);

enum class ConditionStatus { yes, no, unknown };

/// In the HPA's words: AbleToScale, ScalingActive, ScalingLimited with its reasons where ours mean the same; beside
/// them Ready (the object was understood) and Acting (decisions are carried out; the reason says what is missing).
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::unknown;
  std::string reason;
  std::string message;
  TimePoint last_transition;
  bool operator==(const Condition&) const = default;
};

struct ForecastStatus {
  Duration lead_time{};
  double level = 0.0;
  double demand_rps = 0.0;
  bool operator==(const ForecastStatus&) const = default;
};

/// What both have cost since `since`, and how much demand each has or would have served late.
struct ShadowStatus {
  TimePoint since;
  double replica_hours = 0.0, would_be_replica_hours = 0.0;
  double late_share = 0.0, would_be_late_share = 0.0;
  bool operator==(const ShadowStatus&) const = default;
};

struct AutoscalerStatus {
  std::int64_t observed_generation = 0;
  int current_replicas = 0;  // asked for in the target
  int ready_replicas = 0;
  int desired_replicas = 0;  // decided last
  std::optional<double> demand_rps;
  std::optional<TimePoint> last_decision, last_scale;
  std::string decision;  // its sentence
  std::vector<ForecastStatus> forecast;
  std::optional<double> readiness_lag_s, capacity_rps;  // as learned
  std::optional<ShadowStatus> shadow;
  std::vector<Condition> conditions;  // by type
  bool operator==(const AutoscalerStatus&) const = default;
};

/// The object of a server-side apply of the status subresource, JSON.
std::string status_apply_body(const AutoscalerObject& object, const AutoscalerStatus& status);
/// What an object's status said, for a controller that starts: conditions keep their transition times.
///   errors   invalid_argument
Result<AutoscalerStatus> parse_status(std::string_view json);

/// The CustomResourceDefinition, YAML: what deploy/ holds, byte for byte.
std::string crd_manifest();

}  // namespace mpca::config
