#include "runlog/run_meta.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/result.h"
#include "core/text.h"
#include "trace/timestamps.h"

namespace mpca::runlog {
namespace {

constexpr std::string_view kOrder[] = {"scenario",
                                       "mode",
                                       "run_id",
                                       "started_at_utc",
                                       "finished_at_utc",
                                       "cluster_context",
                                       "namespace",
                                       "workload_name",
                                       "target_url",
                                       "profile_file",
                                       "runner_image",
                                       "hpa_target_average_utilization",
                                       "workload_knobs",
                                       "client",
                                       "git",
                                       "artifacts",
                                       "control_mode",
                                       "control_log",
                                       "control_stdout",
                                       "mpc_normalized_objective",
                                       "mpc_normalization_reference_replicas",
                                       "mpc_constraint_tolerance",
                                       "mpc_control_mode",
                                       "mpc_forecast",
                                       "mpc_es_alpha",
                                       "mpc_horizon",
                                       "mpc_alpha",
                                       "mpc_beta",
                                       "mpc_gamma",
                                       "mpc_rho_star",
                                       "mpc_capacity_per_replica",
                                       "mpc_min_replicas",
                                       "mpc_max_replicas",
                                       "mpc_max_step",
                                       "mpc_step_seconds",
                                       "mpc_metric_rate_window",
                                       "mpc_demand_mode",
                                       "mpc_inflight_gain",
                                       "mpc_demand_cap_rps",
                                       "mpc_emergency_inflight_threshold",
                                       "mpc_emergency_step",
                                       "mpc_emergency_mode",
                                       "mpc_surge_delta_threshold",
                                       "mpc_surge_step",
                                       "mpc_capacity_trigger_fraction",
                                       "mpc_capacity_trigger_step",
                                       "mpc_apply",
                                       "hpa_backup"};

std::string_view top_key(const RunMetaDocument::Entry& entry) {
  return entry.section.empty() ? entry.key : entry.section;
}

std::string section_yaml(const std::vector<RunMetaDocument::Entry>& entries, std::string_view top) {
  std::string text;
  for (const RunMetaDocument::Entry& entry : entries) {
    if (top_key(entry) != top) continue;
    if (entry.section.empty()) return cat(entry.key, ": ", entry.value.yaml(), "\n");
    if (text.empty()) text = cat(top, ":\n");
    text += cat("  ", entry.key, ": ", entry.value.yaml(), "\n");
  }
  return text;
}

}  // namespace

RunMetaValue::RunMetaValue(double value) : yaml_(std::isfinite(value) ? shortest(value) : "null") {
  // 1e+09 is a text to readers of YAML 1.1.
  const std::size_t exponent = yaml_.find('e');
  if (exponent != std::string::npos && yaml_.find('.') == std::string::npos) yaml_.insert(exponent, ".0");
}

std::string RunMetaValue::quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string yaml = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      yaml += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      yaml += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      if (c == '"' || c == '\\') yaml += '\\';
      yaml += c;
    }
  }
  return yaml + "\"";
}

void RunMetaDocument::set(std::string_view path, RunMetaValue value) {
  const std::size_t dot = path.find('.');
  const std::string section(dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot));
  const std::string key(dot == std::string_view::npos ? path : path.substr(dot + 1));
  MPCA_CHECK(!key.empty() && key.find('.') == std::string::npos, "a key, or a section and a key");
  for (Entry& entry : entries_) {
    MPCA_CHECK(entry.section != key || !section.empty(), "a section is no key");
    MPCA_CHECK(!entry.section.empty() || section.empty() || entry.key != section, "a key is no section");
    if (entry.section == section && entry.key == key) {
      entry.value = std::move(value);
      return;
    }
  }
  entries_.push_back({section, key, std::move(value)});
}

std::string run_meta_yaml(const RunMetaDocument& document) {
  std::vector<std::string_view> tops(std::begin(kOrder), std::end(kOrder));
  for (const RunMetaDocument::Entry& entry : document.entries()) {
    if (std::ranges::find(tops, top_key(entry)) == tops.end()) tops.push_back(top_key(entry));
  }
  std::string text;
  for (const std::string_view top : tops) text += section_yaml(document.entries(), top);
  return text;
}

std::string run_meta_time(TimePoint time) {
  return trace::format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace mpca::runlog
