// toy-load's metrics, by the reference lab's names, labels and buckets. A series appears with its first event. For one
// thread, except exposition().
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/time.h"
#include "workload/routes.h"

namespace mpca::workload {

class ToyLoadMetrics {
 public:
  explicit ToyLoadMetrics(const std::string& metrics_path);
  ~ToyLoadMetrics();
  ToyLoadMetrics(const ToyLoadMetrics&) = delete;
  ToyLoadMetrics& operator=(const ToyLoadMetrics&) = delete;

  /// An answered request (status 499: the client had gone). `method`: method_index().
  void count_request(int method, Route route, int status, Duration took);
  void count_error(Route route, std::string_view reason);
  void count_panic(Route route);
  void set_in_flight(int requests);
  void set_busy_slots(int slots);
  void set_queue_length(std::size_t requests);
  void observe_queue_wait(Duration waited);
  void observe_cpu(Duration burned);
  void observe_sleep(Duration slept);
  void observe_jitter(Duration slept);

  /// The text format of Prometheus, version 0.0.4, with process_*.
  std::string exposition() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::workload
