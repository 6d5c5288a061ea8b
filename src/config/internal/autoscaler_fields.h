// Which fields of a PredictiveAutoscaler are settings, in one table that the reader and the schema are both made of:
// name, default, range and, unless a flag is mentioned there, the sentence are those of the setting.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/predictive_autoscaler.h"
#include "core/settings.h"

namespace mpca::config::internal {

/// spec.KEY: a setting of every policy's workload.
struct WorkloadField {
  std::string_view key;
  std::string_view setting;
  std::string_view sentence;  // empty: the table's
  bool is_required = false;
  int least = 0;  // above the setting's own lowest value
};
inline constexpr WorkloadField kWorkloadFields[] = {
    // Zero is a person's wish that is left alone, here as by the HPA, so a decision for it could never be taken back.
    {"minReplicas", "min-replicas", "", false, 1},
    {"maxReplicas", "max-replicas", "", true},
    {"capacityPerReplica", "capacity",
     "Requests per second that one ready replica serves. What is learned stays within a quarter and four times of it",
     true},
    {"targetUtilization", "target-utilization", ""},
    {"period", "period", ""},
};

/// spec.GROUP.KEY: a setting of the policy, where it has one of that name.
struct PolicyField {
  std::string_view group;
  std::string_view key;
  std::string_view setting;
  std::string_view sentence;  // empty: the table's
};
inline constexpr PolicyField kPolicyFields[] = {
    {"objective", "latePrice", "late-price", ""},
    {"objective", "lateShare", "late-share",
     "Share of requests that may be late or fail; the price is then chosen to meet it. 0: latePrice decides"},
    {"objective", "latencyTarget", "latency-target", ""},
    {"readiness", "lag", "readiness-lag",
     "From asking for a pod until it is Ready, mean. Learning begins with it: without any pod seen starting, it is "
     "what "
     "decisions rest on"},
    {"readiness", "lagSpread", "readiness-lag-spread", "Standard deviation of the readiness lag, by its mean"},
    {"fallback", "replicas", "fallback-replicas", "At least so many when blind. 0: hold what is there"},
    {"fallback", "blindAfter", "blind-after",
     "Blind: so long without a served rate to believe. Then what is there is held, or raised to replicas"},
};
inline constexpr std::string_view kPolicyGroups[] = {"objective", "readiness", "fallback"};

/// Settings of a policy that other fields stand for.
struct TakenSetting {
  std::string_view setting;
  std::string_view field;
};
inline constexpr TakenSetting kTakenSettings[] = {
    {"calendar", "spec.calendar"}, {"hpa", "spec.metrics"}, {"stale-after", "spec.load.staleAfter"}};

/// Named as the fields are.
SettingsTable settings_of(LoadSource& load);
SettingsTable settings_of(ScrapeSource& scrape);

/// The setting of a workload as the field takes it.
SettingInfo info_of(const WorkloadField& field, const SettingsTable& of_workload);

/// The field as the setting takes it, in its shortest form; nullopt: absent, or refused, which is noted.
std::optional<std::string> setting_text(const Fields& fields, std::string_view key, const SettingInfo& info);

const SettingInfo* find_setting(const std::vector<SettingInfo>& all, std::string_view name);
const policy::PolicyKind* find_policy(std::string_view name);

inline constexpr std::string_view kDefaultPolicy = "predictive";
inline constexpr Mode kModes[] = {Mode::off, Mode::recommend, Mode::shadow, Mode::automatic};

}  // namespace mpca::config::internal
