// The standard process_* metrics of Prometheus' client libraries, from /proc/self. What cannot be read is left out: a
// missing metric is not a zero.
// prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics.
#pragma once

#include <memory>

// Registered or asked by those who include the library themselves.
namespace prometheus {
class Collectable;
}

namespace mpca::prom {

/// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_start_time_seconds,
/// process_open_fds, process_max_fds of this process, read anew at each Collect().
std::shared_ptr<prometheus::Collectable> make_process_collector();

}  // namespace mpca::prom
