#include "workload/routes.h"

#include "workload/work_request.h"

namespace mpca::workload {

Route route_of(std::string_view path, std::string_view metrics_path) {
  if (path.find('%') != std::string_view::npos) {
    const auto decoded = decode_percent(path, false);
    return !decoded || decoded->find('%') != std::string::npos ? Route::other : route_of(*decoded, metrics_path);
  }
  if (path == "/work") return Route::work;
  if (path == metrics_path) return Route::metrics;
  if (path == "/healthz") return Route::healthz;
  if (path == "/readyz") return Route::readyz;
  return path == "/" ? Route::root : Route::other;
}

std::string_view label_of(Route route, std::string_view metrics_path) {
  switch (route) {
    case Route::root:
      return "/";
    case Route::healthz:
      return "/healthz";
    case Route::readyz:
      return "/readyz";
    case Route::work:
      return "/work";
    case Route::metrics:
      return metrics_path;
    case Route::other:
      break;
  }
  return "other";
}

int method_index(std::string_view method) {
  for (int i = 0; i < kMethods - 1; ++i) {
    if (method == kMethodLabels[i]) return i;
  }
  return kMethods - 1;
}

}  // namespace mpca::workload
