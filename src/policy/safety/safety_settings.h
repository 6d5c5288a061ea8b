// The knobs of the safety layer, for both of its halves: SignalScreen and SafetyGuard. The defaults are meant to be
// left alone; docs/explanation/safety.md says what each rule does and what people see of it.
#pragma once

#include "core/settings.h"
#include "core/time.h"

namespace mpca::policy {

struct SafetySettings {
  // What is believed.
  Duration stale_after = std::chrono::minutes(2);
  Duration zero_confirmation = std::chrono::minutes(2);
  double idle_cpu_cores = 0.05;    // per ready pod
  double impossible_factor = 3.0;  // of what the ready pods can serve
  double cpu_disagreement = 1.25;  // factor
  double least_coverage = 0.75;    // fraction of the ready pods

  // What may happen.
  double floor_utilization = 0.99;
  int max_up_pods = 4;
  double max_up_share = 3.0;    // fraction of the replicas
  double max_down_share = 1.0;  // fraction of the replicas per minute
  double rollout_share = 0.1;   // fraction of the replicas
  Duration rollout_hold = std::chrono::minutes(1);
  Duration rollout_longest = std::chrono::minutes(15);
  Duration blind_after = std::chrono::minutes(5);
  int fallback_replicas = 0;  // 0: none
  Duration recovery_hold = std::chrono::minutes(2);
  Duration start_hold = std::chrono::minutes(5);
};

SettingsTable settings_of(SafetySettings& settings);

}  // namespace mpca::policy
