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

std::string replica_watch_row(TimePoint now, double elapsed_s, const ReplicaWatchSample& sample) {
  return cat(trace::format_rfc3339(std::chrono::floor<std::chrono::seconds>(now)), ",", fixed(elapsed_s, 1), ",",
             count(sample.spec_replicas), ",", count(sample.ready_replicas), ",", count(sample.available_replicas), ",",
             count(sample.hpa_current_replicas), ",", count(sample.hpa_desired_replicas), "\n");
}

}  // namespace mpca::runlog
