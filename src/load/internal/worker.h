// One thread of the engine: its share of the arrivals, its connections, its counts. Nothing is shared with other
// threads but what Run holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "load/internal/names.h"
#include "load/internal/stream.h"
#include "load/internal/tally.h"
#include "load/internal/url.h"
#include "load/load_run.h"

namespace mpca::load {

/// Where requests go: targets of the same scheme, host and port use each other's connections.
struct Origin {
  bool is_https = false;
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Origin&) const = default;
};

/// A target, ready to be sent.
struct PreparedRequest {
  std::string bytes;
  std::size_t body_bytes = 0;
  std::size_t origin = 0;
  bool is_head = false;
  bool is_idempotent = false;  // RFC 9110, section 9.2.2: may be sent again when its connection turns out to be closed
};

/// Hears the intervals of all threads, each once all have come to its end.
class LiveCollector {
 public:
  LiveCollector(int workers, Duration interval, const OnInterval& on_interval)
      : workers_(workers), interval_(interval), on_interval_(on_interval) {}
  /// Each worker hands over every interval, in order.
  void hand_over(std::size_t interval, Tally&& ended, std::uint64_t outstanding);
  /// After the last worker: tells what is left, an interval that some had begun when the last request ended.
  void finish();

 private:
  struct Pending {
    Counts counts;
    LatencyHistogram latency;
    std::uint64_t outstanding = 0;
    int handed_over = 0;
  };
  void tell_first();

  int workers_;
  Duration interval_;
  const OnInterval& on_interval_;
  std::mutex mutex_;  // of what follows, and so that calls come one after the other
  std::vector<Pending> pending_;
  std::size_t first_pending_ = 0;  // the interval of pending_.front()
};

/// What all workers of a run read. `unfinished` they also change.
struct Run {
  const ArrivalPlan& plan;
  const LoadSettings& settings;
  std::stop_token stop;
  std::vector<Origin> origins;
  std::vector<PreparedRequest> requests;   // one per target
  std::vector<double> cumulative_weights;  // of the targets; empty: taken in turn
  NameTable* names = nullptr;
  TlsContext* tls = nullptr;  // null when no target needs it
  LiveCollector* live = nullptr;
  Duration started{};  // of the monotonic clock
  std::atomic<int> unfinished{0};
};

/// What a worker adds to the result.
struct WorkerResult {
  struct Phase {
    Tally tally;
    Duration first_due = Duration::max();
    Duration last_due{};
    Duration last_end{};
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
  };
  std::vector<Phase> phases;
  std::vector<Tally> intervals;
  LatencyHistogram lateness;
  LatencyHistogram connection_wait;
  double cpu_share = 0.0;
  Duration last_end{};
  bool was_interrupted = false;
};

/// Runs to the end of the plan and until every request of all workers has ended. Worker `index` of settings.threads
/// takes every arrival whose number is `index` modulo the threads.
WorkerResult run_worker(Run& run, int index);

}  // namespace mpca::load
