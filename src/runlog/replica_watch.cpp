#include "runlog/replica_watch.h"

#include "core/text.h"
#include "trace/timestamps.h"

namespace mpca::runlog {
namespace {

std::string count(std::optional<int> value) { return value ? cat(*value) : std::string(); }

}  // namespace

std::string replica_watch_header() {
  return "ts_utc,elapsed_s,spec_replicas,ready_replicas,available_replicas,hpa_current_replicas,hpa_desired_replicas\n";
}

std::string replica_watch_row(TimePoint now, double elapsed_s, int spec_replicas, int ready_replicas,
                              int available_replicas, std::optional<int> hpa_current_replicas,
                              std::optional<int> hpa_desired_replicas) {
  return cat(trace::format_rfc3339(std::chrono::floor<std::chrono::seconds>(now)), ",", fixed(elapsed_s, 1), ",",
             spec_replicas, ",", ready_replicas, ",", available_replicas, ",", count(hpa_current_replicas), ",",
             count(hpa_desired_replicas), "\n");
}

}  // namespace mpca::runlog
