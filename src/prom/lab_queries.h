// What the reference lab's online controller asks Prometheus at every step: requests per second, CPU cores, requests in
// flight, each the sum over the pods of one toy-load.
#pragma once

#include <string>

#include "core/result.h"
#include "core/time.h"
#include "prom/client.h"

namespace mpca::prom {

struct LabQuerySettings {
  std::string name_space = "default";     // the label `namespace` of the pods' series
  std::string job = "toy-load-toy-load";  // their label `job`: with the lab's ServiceMonitor, the service's name
  Duration rate_window = std::chrono::minutes(1);
};

/// Beside what is asked: how old it is and of how many pods, both by the gauge in flight, which every pod has from its
/// start. Limits of age and pods are the caller's to set. Rates are of all requests, whatever their status.
struct LabQueries {
  InstantQuery request_rate_rps;
  InstantQuery cpu_cores;
  InstantQuery in_flight_requests;
};

///   errors   invalid_argument  an empty namespace or job; a window that is not > 0 in whole milliseconds
Result<LabQueries> lab_queries(const LabQuerySettings& settings);

}  // namespace mpca::prom
