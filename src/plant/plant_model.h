// The plant of one workload, identified online from what a policy is shown: readiness lag, capacity and service time,
// age of metrics and how often they come. One observation per control instant goes in, figures with their certainty
// come out. What is learned from what, and what cannot be known: docs/explanation/plant.md.
#pragma once

#include <optional>
#include <span>

#include "core/result.h"
#include "core/settings.h"
#include "core/state_text.h"
#include "core/time.h"
#include "plant/capacity.h"
#include "plant/figure.h"
#include "plant/internal/ready_history.h"
#include "plant/metric_age.h"
#include "plant/readiness_lag.h"

namespace mpca::plant {

struct PlantSettings {
  Duration readiness_lag = std::chrono::seconds(30);
  double readiness_lag_spread = 0.5;
  double readiness_lag_weight = 4.0;
  bool learn_readiness_lag = true;
  double capacity_rps = 25.0;
  double capacity_weight = 3.0;
  bool learn_capacity = true;
  Duration service_time{};
  double cpu_limit_cores = 0.0;
  Duration rate_window{};
  Duration metric_age = std::chrono::seconds(10);
  Duration sample_interval = std::chrono::seconds(15);
  bool learn_metric_age = true;
};

SettingsTable settings_of(PlantSettings& settings);

/// One value of the metrics, with its age.
struct Reading {
  double value = 0.0;
  Duration age{};
};

/// What was seen at a control instant. A reading that is missing, stale or in doubt is nullopt: half of the pods
/// without metrics halve the served rate, and in an overload nothing but their absence tells that from pods half as
/// fast.
struct PlantObservation {
  TimePoint now;
  int spec_replicas = 0;
  int ready_replicas = 0;
  std::span<const Duration> starting_pod_ages{};  // asked for and not Ready, oldest first
  std::span<const PodSight> pods{};               // by id; empty: not shown, and the ages are used
  Duration rate_window{};                         // over which rates are means; 0: that of the settings
  std::optional<Reading> served_rate_rps = std::nullopt;
  std::optional<Reading> failed_rate_rps = std::nullopt;
  std::optional<Reading> in_flight_requests = std::nullopt;
  std::optional<Reading> cpu_cores = std::nullopt;  // of all pods
};

struct PlantEstimate {
  Figure readiness_lag_s;             // mean
  Figure readiness_lag_median_s;      // by when half of the pods are Ready
  Figure readiness_lag_late_s;        // by when 80 % are
  double readiness_lag_spread = 0.0;  // standard deviation / mean
  Figure capacity_rps;                // of a Ready pod
  Figure service_time_s;
  Figure metric_age_s;       // mean, at a decision
  Figure metric_age_late_s;  // 90 % are younger
  Figure sample_interval_s;
  bool is_readiness_lag_drifting = false;
  bool is_capacity_drifting = false;
  bool is_saturated = false;  // by the last sample: served is what capacity gives, not what users ask for
};

/// State of about 2.5 KB; observe() and estimate() do not allocate. Never NaN, whatever goes in.
class PlantModel {
 public:
  explicit PlantModel(const PlantSettings& settings);

  /// Once per control instant; one that does not rise is ignored. Readings with an age below -1 s or above 10 minutes,
  /// below zero or not finite are as if missing. O(pods shown or starting).
  void observe(const PlantObservation& observation);

  /// 1-2 us.
  PlantEstimate estimate() const;

  /// Other levels than those of estimate(), and shares of pods by age.
  const ReadinessLag& readiness_lag() const { return readiness_lag_; }
  const Capacity& capacity() const { return capacity_; }
  const MetricAge& metric_age() const { return metric_age_; }

  /// Some 40 lines, all of their names distinct, into the state of who owns the model.
  void save_state(StateWriter& writer) const;
  ///   errors   invalid_argument  lines missing or impossible; the model is then as it was
  Result<void> load_state(const StateReader& reader);

 private:
  void observe_load(const PlantObservation& observation);

  Duration rate_window_;
  bool has_observed_ = false;
  TimePoint last_now_;
  ReadinessLag readiness_lag_;
  internal::ReadyHistory ready_;
  MetricAge metric_age_;
  Capacity capacity_;
};

}  // namespace mpca::plant
