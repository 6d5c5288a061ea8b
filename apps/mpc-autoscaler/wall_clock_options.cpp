#include "mpc-autoscaler/wall_clock_options.h"

#include <algorithm>

#include "core/os/time_zone.h"
#include "core/text.h"

namespace mpca::app {
namespace {

constexpr Duration kUntil = std::chrono::hours(24) * 366 * 130;  // 2100: beyond what zones are known for

}  // namespace

Setting time_zone_setting(WallClockOptions& options) {
  return {"time-zone", &options.time_zone, "where the workload's users live, as Europe/Berlin: their days and weeks"};
}

Setting starts_at_setting(WallClockOptions& options) {
  return {"starts-at", &options.starts_at,
          "local time of a trace's beginning, as 2026-11-20T00:00, for calendars; not given: 1970 in UTC"};
}

Result<sim::WallClock> wall_clock(const WallClockOptions& options) {
  Problems problems;
  sim::WallClock clock;
  const auto zone = os::find_time_zone(options.time_zone);
  if (!zone) problems.add(cat("--time-zone is ", zone.error().message));
  if (!options.starts_at.empty()) {
    const auto local = parse_local_time(options.starts_at);
    if (!local)
      problems.add(cat("--starts-at is \"", options.starts_at, "\"; must be a local time such as 2026-11-20T00:00"));
    if (local && zone) clock.ahead = zone->to_time(*local).time_since_epoch();
  }
  MPCA_TRY_VOID(problems.to_result());
  clock.offsets = zone->offsets(std::min(TimePoint{}, TimePoint(clock.ahead)), TimePoint(kUntil));
  clock.time_zone = zone->name();
  return clock;
}

Result<void> check_dates(std::string_view flag, const std::vector<std::string>& policies,
                         const WallClockOptions& options) {
  if (!options.starts_at.empty()) return {};
  for (const std::string& policy : policies)
    if (policy.starts_with("predictive:") && policy.find("calendar=") != std::string::npos)
      return invalid(cat(flag, " ", policy, ": a calendar needs --starts-at, the date of the trace's beginning"));
  return {};
}

}  // namespace mpca::app
