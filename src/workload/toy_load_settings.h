// toy-load's settings and how its environment says them. The reference lab's variables and defaults; with those the
// server is the reference lab's. Pure: the environment comes in as a function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/duration_distribution.h"
#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"
#include "workload/admission_queue.h"

namespace mpca::workload {

struct ToyLoadSettings {
  int port = 9090;
  std::string host;  // empty: every address of both families
  std::string metrics_path = "/metrics";
  Duration read_timeout = std::chrono::seconds(5);
  Duration read_header_timeout = std::chrono::seconds(5);
  Duration write_timeout = std::chrono::seconds(20);
  Duration idle_timeout = std::chrono::seconds(60);
  Duration shutdown_timeout = std::chrono::seconds(25);
  int max_header_bytes = 1 << 20;
  int max_query_id_bytes = 256;
  std::string log_level = "info";
  std::string app_name = "toy-load";
  int concurrency = 0;   // 0: no limit
  int queue_limit = -1;  // -1: no limit
  std::string ready_after = "0s";
  int seed = 0;  // 0: another one at each start

  // Made of the above.
  DurationDistribution ready_lag = DurationDistribution::constant({});
  int inherited_listener = -1;  // LISTEN_FDS and LISTEN_PID

  AdmissionLimits admission_limits() const;
};

/// The variables, in the order of `--help`, bound to `settings`.
SettingsTable settings_table(ToyLoadSettings& settings);

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// Values are trimmed; an empty one is the default. A listening socket is inherited as systemd hands it over:
/// LISTEN_PID is `own_pid` and LISTEN_FDS at least 1, then it is descriptor 3, and HOST and PORT do not matter.
///   errors  invalid_argument  every variable with a bad value, a line each: `PORT is "x"; must be …`
Result<ToyLoadSettings> settings_from(const Environment& environment, std::int64_t own_pid);

}  // namespace mpca::workload
