// What a policy is shown at each decision, in every world. Only what a controller could measure: the truth of a
// simulator never gets in here. A measured value carries its age and its quality, because missing is not zero: an
// outage read as zero load has scaled real clusters to nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/time.h"

namespace mpca::policy {

enum class Quality {
  missing,  // no value: the world does not show this signal, or the query failed and there never was one
  stale,    // the last value known; `age` says how old it is
  fresh,
};

/// One measured value. Read it through value_if_known(), which makes the missing case visible at the call.
struct Signal {
  double value = 0.0;
  Duration age{};
  Quality quality = Quality::missing;

  static Signal fresh(double value, Duration age = {}) { return {value, age, Quality::fresh}; }
  static Signal stale(double value, Duration age) { return {value, age, Quality::stale}; }
  std::optional<double> value_if_known() const {
    return quality == Quality::missing ? std::nullopt : std::optional<double>(value);
  }
  bool operator==(const Signal&) const = default;
};

/// One pod as the API server and its metrics show it. Most policies need only the counts; a rule that looks at pods one
/// by one, such as the upstream HPA, needs this.
struct PodObservation {
  std::int64_t id = 0;  // of this pod for its whole life; greater for later ones
  TimePoint started;    // the kubelet has seen it
  bool is_ready = false;
  TimePoint ready_changed;      // last transition of the Ready condition, to Ready or away from it
  bool is_terminating = false;  // has a deletion timestamp
  Signal cpu_cores;             // mean over `cpu_window`
  Duration cpu_window{};
  bool operator==(const PodObservation&) const = default;
};

struct Observation {
  TimePoint now;
  Duration utc_offset{};  // local time of the workload minus UTC, now; for what people do by the clock

  int spec_replicas = 0;                    // written in the scale subresource: what was asked for last
  int ready_replicas = 0;                   // Ready now
  std::vector<Duration> starting_pod_ages;  // asked for and not Ready, oldest first

  Duration rate_window{};     // over which rates are means; 0: since the sample before
  Signal served_rate_rps;     // answered with success, mean over the metric's window
  Signal failed_rate_rps;     // answered with an error, refused, timed out
  Signal in_flight_requests;  // inside the system at the time of the sample, waiting ones included
  Signal cpu_cores;           // used by all pods together

  std::vector<PodObservation> pods;  // by id; empty: this world does not show single pods

  bool operator==(const Observation&) const = default;
};

}  // namespace mpca::policy
