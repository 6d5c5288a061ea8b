// Which of toy-load's routes a request means, and the closed sets of labels that its metrics have: whatever a port
// scanner sends, the number of time series stays bounded.
#pragma once

#include <string_view>

namespace mpca::workload {

enum class Route { root, healthz, readyz, work, metrics, other };
inline constexpr int kRoutes = 6;

/// The reference lab's built-in paths; METRICS_PATH may be none of them.
inline constexpr std::string_view kBuiltInPaths[] = {"/", "/healthz", "/readyz", "/work"};

/// `path` as sent, percent-encoded or not; unknown paths are `other`.
Route route_of(std::string_view path, std::string_view metrics_path);

/// The label `path` of a route.
std::string_view label_of(Route route, std::string_view metrics_path);

/// The label `method`: the methods of RFC 9110 and PATCH by their names, everything else `other`. An index into
/// kMethodLabels.
int method_index(std::string_view method);
inline constexpr std::string_view kMethodLabels[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                     "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"};
inline constexpr int kMethods = 10;
inline constexpr int kGet = 0;

}  // namespace mpca::workload
