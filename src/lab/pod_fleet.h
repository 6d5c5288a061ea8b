// The Deployment and its kubelet: keeps as many pods as asked, each a process of its own with a port, a start-up lag
// and a readiness probe, and tells the balancer which of them are ready. Leaving pods are taken from the balancer
// first, then asked to end (SIGTERM, they drain), then made to. A pod that dies is started anew in its place; one that
// stops answering loses its readiness and is later restarted, as probes in a cluster would do it. All times are real; a
// fast experiment passes shorter ones.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/duration_distribution.h"
#include "core/result.h"
#include "lab/balancer.h"
#include "lab/child_process.h"

namespace mpca::lab {

struct PodSettings {
  std::string program;  // toy-load
  int concurrency = 2;  // requests a pod works on at once
  DurationDistribution readiness_lag = DurationDistribution::constant(std::chrono::seconds(40));
  Duration probe_period = std::chrono::seconds(1);
  Duration termination_grace = std::chrono::seconds(30);
  std::string log_file;    // of all pods; empty: none
  std::uint64_t seed = 1;  // of the lags
  std::uint32_t replication = 0;
};

struct PodView {
  int id = 0;
  int port = 0;
  bool is_ready = false;
  bool is_terminating = false;
  Duration age{};  // since it was asked for
  bool operator==(const PodView&) const = default;
};

struct FleetView {
  int spec_replicas = 0;
  int ready_replicas = 0;
  std::vector<PodView> pods{};  // in the order they were asked for
  int restarts = 0;
  std::string problem;  // why a pod could not be started; empty: none
};

class PodFleet {
 public:
  /// `balancer` must outlive the fleet.
  PodFleet(const PodSettings& settings, Balancer& balancer);
  /// Ends every pod.
  ~PodFleet();
  PodFleet(const PodFleet&) = delete;
  PodFleet& operator=(const PodFleet&) = delete;

  /// Starts `replicas` pods without their lag and waits until all are ready.
  ///   errors   not_found  no such program; io  a pod did not start, or was not ready within `limit`
  Result<void> start(int replicas, Duration limit);

  /// From any thread; does not wait.
  void set_replicas(int replicas);
  FleetView view() const;

  // What goes wrong in a cluster. Each acts on the oldest ready pod and says whether there was one.
  bool kill_pod();
  bool hang_pod();
  /// Pods asked for from now on never become ready (`true`), or do again.
  void set_never_ready(bool never_ready);

 private:
  struct Pod;
  void keep();
  void reconcile();
  void start_pod(Pod& pod, bool with_lag);
  void reap();
  std::vector<Pod*> probed_pods();
  void apply_probes(const std::vector<int>& ids, const std::vector<bool>& answers);
  void tell_balancer();
  Pod* oldest_ready();

  PodSettings settings_;
  Balancer& balancer_;
  RandomStream lags_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Pod>> pods_;
  std::vector<Backend> told_;
  int spec_replicas_ = 0;
  int next_id_ = 1;
  int restarts_ = 0;
  bool starts_without_lag_ = false;
  bool never_ready_ = false;
  bool is_changed_ = false;
  bool is_stopping_ = false;
  std::string problem_;
  std::thread keeper_;  // starts all pods, so its end would be theirs
};

}  // namespace mpca::lab
