#include "workload/toy_load_settings.h"

#include <algorithm>

#include "core/text.h"
#include "workload/routes.h"

namespace mpca::workload {
namespace {

constexpr int kFirstInheritedDescriptor = 3;  // sd_listen_fds(3)

std::string lower(std::string text) {
  for (char& letter : text) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  return text;
}

void check_metrics_path(const std::string& path, Problems& problems) {
  const bool is_built_in =
      std::find(std::begin(kBuiltInPaths), std::end(kBuiltInPaths), path) != std::end(kBuiltInPaths);
  const bool is_plain = path.find_first_of("?#% \t\"\\") == std::string::npos;
  if (path.starts_with('/') && !is_built_in && is_plain) return;
  problems.add(cat("METRICS_PATH is \"", path, "\"; must start with / and be none of /, /healthz, /readyz, /work"));
}

}  // namespace

AdmissionLimits ToyLoadSettings::admission_limits() const {
  AdmissionLimits limits;
  if (concurrency > 0) limits.concurrency = concurrency;
  if (queue_limit >= 0) limits.queue_limit = static_cast<std::size_t>(queue_limit);
  return limits;
}

SettingsTable settings_table(ToyLoadSettings& settings) {
  ToyLoadSettings& s = settings;
  return {
      {"PORT", &s.port, "", Range::between(0, 65535), "TCP port; 0 takes a free one, which the log names"},
      {"HOST", &s.host, "address to listen on; empty is all, IPv6 and IPv4"},
      {"METRICS_PATH", &s.metrics_path, "path of the Prometheus metrics; no built-in path"},
      {"READ_TIMEOUT", &s.read_timeout, "", Range::above(0), "for a request to come whole"},
      {"READ_HEADER_TIMEOUT", &s.read_header_timeout, "", Range::above(0), "for its head to come whole"},
      {"WRITE_TIMEOUT", &s.write_timeout, "", Range::above(0), "for a client to read an answer"},
      {"IDLE_TIMEOUT", &s.idle_timeout, "", Range::above(0), "between two requests of a connection"},
      {"SHUTDOWN_TIMEOUT", &s.shutdown_timeout, "", Range::above(0), "for requests in flight after SIGTERM or SIGINT"},
      {"MAX_HEADER_BYTES", &s.max_header_bytes, "bytes", Range::above(0), "longest request head; 431 beyond"},
      {"MAX_QUERY_ID_BYTES", &s.max_query_id_bytes, "bytes", Range::above(0), "the parameter id is cut to so many"},
      {"LOG_LEVEL", &s.log_level, "least level that is logged", {"debug", "info", "warn", "warning", "error"}},
      {"APP_NAME", &s.app_name, "how the log and / call this server"},
      {"CONCURRENCY", &s.concurrency, "requests", Range::at_least(0),
       "worked on at once, the others wait first come first served; 0 is no limit"},
      {"QUEUE_LIMIT", &s.queue_limit, "requests", Range::at_least(-1),
       "that may wait, 503 with Retry-After beyond; -1 is no limit"},
      {"READY_AFTER", &s.ready_after,
       "slow start-up until /readyz says ok: 40s, lognormal(mean=40s,cv=0.3), quantiles(0.1=20s;0.9=50s) or "
       "samples(20s;31s)"},
      {"SEED", &s.seed, "", Range::at_least(0), "of jitter, errors and READY_AFTER; 0 is another one at each start"},
  };
}

Result<ToyLoadSettings> settings_from(const Environment& environment, std::int64_t own_pid) {
  ToyLoadSettings settings;
  Problems problems;
  const auto value_of = [&](std::string_view name) {
    return std::string(trim(environment(name).value_or(std::string())));
  };
  for (const Setting& setting : settings_table(settings)) {
    std::string value = value_of(setting.name());
    if (setting.name() == "LOG_LEVEL") value = lower(value);
    if (value.empty()) continue;
    if (const auto done = setting.set(value); !done) problems.add(done.error().message);
  }
  check_metrics_path(settings.metrics_path, problems);
  if (const auto lag = DurationDistribution::parse(settings.ready_after))
    settings.ready_lag = *lag;
  else
    problems.add(cat("READY_AFTER: ", lag.error().message));

  const std::string pid = value_of("LISTEN_PID");
  const std::string count = value_of("LISTEN_FDS");
  if (!pid.empty() && parse_int(pid) == own_pid) {
    if (parse_int(count) != 1) problems.add(cat("LISTEN_FDS is \"", count, "\"; must be 1"));
    settings.inherited_listener = kFirstInheritedDescriptor;
  }
  MPCA_TRY_VOID(problems.to_result());
  return settings;
}

}  // namespace mpca::workload
