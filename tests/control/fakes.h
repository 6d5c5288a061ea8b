// A workload and metrics without a cluster, for tests of what decides about them.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "control/live_metrics.h"
#include "control/live_workload.h"
#include "core/text.h"

namespace mpca::control {

using namespace std::chrono_literals;

/// An API server that holds one workload.
class FakeWorkload final : public LiveWorkload {
 public:
  LiveResult<WorkloadView> read(TimePoint) override {
    ++reads;
    if (!read_troubles.empty()) {
      const auto trouble = read_troubles.front();
      read_troubles.pop_front();
      if (trouble) return std::unexpected(LiveError{*trouble, "no answer"});
    }
    return WorkloadView{
        .spec_replicas = spec, .ready_replicas = ready, .starting_pod_ages = {}, .version = cat(version)};
  }
  LiveResult<void> set_replicas(int replicas, const std::string& of) override {
    ++writes;
    if (before_write) std::exchange(before_write, nullptr)();
    if (!write_troubles.empty()) {
      const LiveError error = write_troubles.front();
      write_troubles.pop_front();
      if (loses_answer) spec = replicas;
      return std::unexpected(error);
    }
    if (of != cat(version)) return std::unexpected(LiveError{Trouble::conflict, "it has changed"});
    spec = replicas;
    ++version;
    return {};
  }

  int spec = 4, ready = 4, version = 7;
  int reads = 0, writes = 0;
  bool loses_answer = false;
  std::deque<std::optional<Trouble>> read_troubles;
  std::deque<LiveError> write_troubles;
  std::function<void()> before_write;
};

class FakeMetrics final : public LiveMetrics {
 public:
  LiveReading read(int) override { return reading; }
  LiveReading reading{.rate_window = 60s,
                      .served_rate_rps = policy::Signal::fresh(80.0, 5s),
                      .failed_rate_rps = {},
                      .in_flight_requests = policy::Signal::fresh(3.0, 5s),
                      .cpu_cores = {},
                      .trouble = {}};
};

}  // namespace mpca::control
