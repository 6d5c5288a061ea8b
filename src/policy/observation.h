// What a policy is shown at each decision, in every world. Only what a controller could measure: the truth of a
// simulator never gets in here. A measured value carries its age and its quality, because missing is not zero: an
// outage read as zero load has scaled real clusters to nothing.
#pragma once

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

struct Observation {
  TimePoint now;

  int spec_replicas = 0;                    // written in the scale subresource: what was asked for last
  int ready_replicas = 0;                   // Ready now
  std::vector<Duration> starting_pod_ages;  // asked for and not Ready, oldest first

  Signal served_rate_rps;     // answered with success, mean over the metric's window
  Signal failed_rate_rps;     // answered with an error, refused, timed out
  Signal in_flight_requests;  // inside the system at the time of the sample, waiting ones included
  Signal cpu_cores;           // used by all pods together

  bool operator==(const Observation&) const = default;
};

}  // namespace mpca::policy
