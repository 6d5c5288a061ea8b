// The settings text of the policy `hpa`: what people write of a HorizontalPodAutoscaler, in one line. From it come the
// object and the controller's flags for the twin; and back: an object, read from a file, as such a line, so that a log
// which names the policy repeats it without the file. The grammar with examples is in docs/HPA.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "hpa/spec.h"
#include "policy/policy.h"

namespace mpca::policy {

/// What a metric of the object is fed with.
enum class HpaSignal { cpu, served_rate, failed_rate, offered_rate, in_flight };

struct HpaSettings {
  int target = 60;                                   // percent
  Duration stabilization = std::chrono::minutes(5);  // the controller's
  double tolerance = 0.1;                            // the controller's
  std::string metrics = "cpu";                       // list, see docs/HPA.md
  double cpu_request_cores = 1.0;                    // of a pod
  int min_replicas = -1;                             // -1: the workload's
  int max_replicas = -1;                             // -1: the workload's
  std::string up_window = "default";                 // these eight: `default` is the API's default; all of them
  std::string up_select = "default";                 // default means no behavior at all, the legacy rules
  std::string up_policies = "default";
  std::string up_tolerance = "default";
  std::string down_window = "default";
  std::string down_select = "default";
  std::string down_policies = "default";
  std::string down_tolerance = "default";
  Duration cpu_initialization = std::chrono::minutes(5);  // the controller's
  Duration initial_readiness_delay = std::chrono::seconds(30);
};

SettingsTable settings_of(HpaSettings& settings);

/// The settings with the workload's bounds, ready for the twin.
struct HpaPlan {
  hpa::Spec spec;
  hpa::ControllerSettings controller;
  std::vector<HpaSignal> signals;  // per metric of the spec
  std::int64_t cpu_request_milli = 1000;
};

///   errors   invalid_argument  every text that is not of the grammar, min above max; each line begins with `where`
Result<HpaPlan> plan_hpa(const HpaSettings& settings, const Workload& workload, std::string_view where);

/// An object as `key=value,…`, min and max included.
///   errors   unsupported  a metric that no world of ours shows; each line begins with `where` and names the field
Result<std::string> hpa_settings_text(const hpa::Spec& spec, std::string_view where);

}  // namespace mpca::policy
