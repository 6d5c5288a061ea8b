// `--time-zone` and `--starts-at`: the date that a run shows to policies, for what lives by the calendar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "sim/dated_world.h"

namespace mpca::app {

struct WallClockOptions {
  std::string time_zone = "UTC";
  std::string starts_at;
};

Setting time_zone_setting(WallClockOptions& options);
Setting starts_at_setting(WallClockOptions& options);

///   errors   invalid_argument  unknown zone, or no local time; begins with the flag
Result<sim::WallClock> wall_clock(const WallClockOptions& options);

/// A calendar means dates: a run that has none would never meet its events.
///   flag       that the policies came by, for the message
///   policies   resolved
///   errors     invalid_argument  a policy has a calendar, and nobody said when the traces begin
Result<void> check_dates(std::string_view flag, const std::vector<std::string>& policies,
                         const WallClockOptions& options);

}  // namespace mpca::app
