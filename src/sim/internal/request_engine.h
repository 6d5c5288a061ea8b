// What becomes of each request: which pod gets it and when, how long it waits, whether its client gives up first. An
// event simulation whose every event is decided when it happens; nothing is computed ahead that a pod added, drained or
// killed later could change. Times are since the start of the run.
//
// At equal times: services end; then clients give up (those that wait first); then what the caller does between two
// run_until() happens to the pods; then requests arrive. So an answer at the very time-out counts, and who would start
// at its time-out leaves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/latency_histogram.h"
#include "core/time.h"
#include "sim/internal/balancer.h"
#include "sim/internal/departures.h"
#include "sim/internal/ring.h"
#include "sim/metrics_pipeline.h"

namespace mpca::sim::internal {

struct EngineSettings {
  Duration service_time{};      // mean; what the queue limit counts with
  bool equal_services = false;  // every request's service is the same
  int slots = 1;                // of a pod
  bool waits_at_pod = false;    // each pod has a queue; else one at the balancer
  BalancerRule balancer = BalancerRule::least_outstanding;
  Duration queue_limit{};
  Duration client_timeout{};
  int retries = 0;
  Duration latency_target{};
};

struct RequestArrival {
  Duration time{};
  Duration service{};  // what it takes on a slot, each time it is tried
};

/// Cumulative. A request is a user's; its tries are the balancer's.
struct RequestCounts {
  std::uint64_t requests = 0;
  std::uint64_t served = 0;  // late ones included
  std::uint64_t late = 0;
  std::uint64_t refused = 0;
  std::uint64_t timed_out = 0;  // or died with a pod
  std::uint64_t failed_tries = 0;
};

enum class RequestFate { served, refused, timed_out, died };

/// How the k-th request ended, for tests and pictures.
struct RequestEnd {
  std::uint32_t request = 0;
  Duration time{};
  RequestFate fate{};
  std::int64_t pod = 0;  // that served it; 0: none
  bool operator==(const RequestEnd&) const = default;
};

class RequestEngine {
 public:
  /// Random choices of the balancer come from `seed`.
  RequestEngine(const EngineSettings& settings, std::uint64_t seed);

  /// The requests that come next, by time and not before what was run; those of before have all arrived (checked). The
  /// memory must stay until then.
  void offer(std::span<const RequestArrival> arrivals);
  bool has_offered() const { return next_arrival_ < arrivals_.size(); }

  /// Services and time-outs up to `until`, it included, and arrivals before it.
  void run_until(Duration until);

  /// A pod is Ready: it takes what waits at the balancer.
  void add_pod(std::int64_t id, Duration now);
  /// It gets nothing new, and goes on with what it has, its queue included.
  void drain_pod(std::int64_t id, Duration now);
  /// A drained pod leaves as soon as it has nothing to do; until then it is paid beyond its time.
  void release_pod(std::int64_t id, Duration now);
  /// What it has dies with it.
  void kill_pod(std::int64_t id, Duration now);
  bool has_pod(std::int64_t id) const { return find(id) != nullptr; }

  const RequestCounts& counts() const { return counts_; }
  /// Of the requests that ended since it was taken last; failed ones as the time-out.
  LatencyHistogram take_latency();
  std::uint64_t waiting() const { return waiting_; }
  /// Tries whose client is there.
  std::uint64_t in_flight() const { return in_flight_; }

  /// CPU is the busy time of all slots over their number: a full pod uses one core. Appends, by id.
  void pod_counters(Duration now, std::vector<PodCounters>& out) const;
  /// Busy slot time of pods while they were Ready.
  Duration ready_busy(Duration now) const;
  /// Time for which released pods stayed on.
  Duration lingered(Duration now) const;

  void set_log(std::vector<RequestEnd>* log) { log_ = log; }

 private:
  using PodIndex = Balancer::PodIndex;
  static constexpr Duration kNever = Duration::max();

  struct Request {
    Duration sent{};   // this try
    Duration first{};  // the first one
    Duration service{};
    std::uint32_t number = 0;  // wraps; only the log has it
    std::uint32_t tries_left = 0;
  };
  struct Running {
    Request request;
    PodIndex pod = 0;
    bool client_left = false;
  };
  struct Pod {
    std::int64_t id = 0;
    bool is_ready = false;  // gets requests
    bool is_released = false;
    Duration released_at{};
    std::uint32_t running = 0;
    std::uint32_t left_alone = 0;  // of them, those whose client has left
    Duration busy{};               // sum of ends minus sum of starts
    Duration busy_when_drained{};
    std::uint64_t served = 0;
    Ring<Request> queue;
    std::uint64_t taken = 0;  // requests that left the front of the queue, of earlier pods of this number too
  };
  struct PodPlace {
    std::int64_t id;
    PodIndex pod;
  };
  /// A request in a pod's queue, in the order of all that wait at pods.
  struct PodTicket {
    Duration give_up{};
    PodIndex pod = 0;
    std::uint64_t number = 0;
  };

  const PodPlace* find(std::int64_t id) const;
  void arrive(Request request, Duration now);
  bool try_once(const Request& request, Duration now);
  void start(PodIndex pod, const Request& request, Duration now);
  void complete();
  void start_next(PodIndex index, Duration now);
  void give_up_waiting();
  void give_up_running();
  Request take_from_queue(PodIndex pod);
  void skip_old_tickets();
  void fail_or_retry(const Request& request, Duration now, RequestFate fate);
  void retry_failed(Duration now, RequestFate fate);
  void leave(PodIndex pod, Duration now);
  void update_balancer(PodIndex pod);
  void find_queue_limit();
  Duration busy_until(const Pod& pod, Duration now) const { return pod.busy + now * pod.running; }
  Duration next_give_up_waiting() const;
  static std::size_t index_of(std::uint64_t tag) { return tag & ((1u << 24) - 1); }

  EngineSettings settings_;
  Balancer balancer_;
  std::span<const RequestArrival> arrivals_;
  std::size_t next_arrival_ = 0;

  std::vector<Pod> pods_;
  std::vector<PodIndex> free_pods_;
  std::vector<PodPlace> by_id_;
  std::vector<Running> running_;
  std::vector<std::uint32_t> free_running_;
  std::uint64_t starts_ = 0;
  Departures departures_;  // tag: number of the start, 24 bits of place in running_
  DueHeap give_ups_;       // of running ones whose client will not stay to the end; tag as there
  Ring<Request> queue_;    // at the balancer
  Ring<PodTicket> tickets_;
  double queue_limit_ = 0.0;      // requests that may wait in one queue
  std::vector<Request> failing_;  // memory of an event

  std::uint64_t waiting_ = 0;
  std::uint64_t in_flight_ = 0;
  RequestCounts counts_;
  LatencyHistogram latency_;
  Duration busy_of_gone_{};
  Duration lingered_of_gone_{};
  std::vector<RequestEnd>* log_ = nullptr;
};

}  // namespace mpca::sim::internal
