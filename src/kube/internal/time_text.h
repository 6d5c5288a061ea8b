// Times as Kubernetes writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"

namespace mpca::kube::internal {

/// RFC 3339 in UTC (`2026-11-24T15:00:00Z`), with or without decimals; the API server writes no other zone.
std::optional<TimePoint> parse_time(std::string_view text);

/// MicroTime, always with six decimals: `2026-11-24T15:00:00.000000Z`.
std::string micro_time(TimePoint time);

}  // namespace mpca::kube::internal
