// The engine: sends what an ArrivalPlan says, when it says so, and counts every request that was due exactly once. A
// latency runs from the instant the request was due, not from when it was sent: if the client, the connection or the
// server made it wait, the users of a real service would have waited as well (Tene, "coordinated omission"). The engine
// watches itself: how late it sent, how busy its threads were, how long requests waited for a connection.
// docs/explanation/load-generator.md has the method.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/latency_histogram.h"
#include "core/result.h"
#include "core/time.h"
#include "load/arrivals.h"
#include "load/targets.h"

namespace mpca::load {

struct LoadSettings {
  std::vector<Target> targets;                  // at least one; taken in turn, or by weight when any has one
  Duration timeout = std::chrono::seconds(30);  // from due to the last byte of the answer
  int max_connections = 10'000;                 // open at once; requests beyond it wait, which counts in their latency
  bool keep_alive = true;
  bool verify_certificates = true;
  std::string certificate_authority_file;             // empty: the system's
  std::string unix_socket;                            // when set, connect there instead of to the URL's host
  Duration resolve_every = std::chrono::seconds(30);  // how long a name's addresses are used
  int threads = 1;
  Duration interval = std::chrono::seconds(1);  // of the time series
};

/// What became of requests. due == succeeded + the sum of failures + cancelled, always.
struct Counts {
  std::uint64_t due = 0;
  std::uint64_t succeeded = 0;                    // answered completely with 2xx or 3xx
  std::map<int, std::uint64_t> by_status;         // every complete answer, whatever its status;
  std::map<std::string, std::uint64_t> by_error;  // no complete answer: `timeout`, `connection refused`, …
  std::uint64_t cancelled = 0;                    // due, and given up because the run was interrupted
  std::uint64_t failed() const;                   // answers outside 2xx and 3xx, and all of by_error
  void add(const Counts& other);
  bool operator==(const Counts&) const = default;
};

/// One phase of the plan.
struct PhaseResult {
  int phase = 0;
  Duration planned_start{};
  Duration planned_length{};
  Duration first_due{};  // from the start of the run; equal to planned_start when nothing was due
  Duration last_due{};
  Duration last_end{};  // when the last request of the phase ended
  Counts counts;
  LatencyHistogram latency;  // of complete answers, whatever their status, and of failures until they failed
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

/// Requests by the interval in which they were due (the time series) or in which they ended (live).
struct IntervalResult {
  Duration start{};  // from the start of the run
  Counts counts;
  LatencyHistogram latency;
};

/// How the client itself did. What could colour the result is said in `findings`.
struct SelfAudit {
  LatencyHistogram lateness;          // from due to handed to the system for sending, requests that found a connection
  LatencyHistogram connection_wait;   // from due to a connection, requests that had to wait for one
  double busiest_thread_cpu = 0.0;    // fraction of one core, mean over the run, of the busiest thread
  std::vector<std::string> findings;  // sentences: `requests were sent late: p99.9 4.1ms (limit 1ms)`; empty: none
  bool is_client_limited() const { return !findings.empty(); }
};

struct LoadResult {
  TimePoint started_at;
  Duration length{};  // from start to the end of the last request
  std::vector<PhaseResult> phases;
  std::vector<IntervalResult> intervals;  // by due time, without gaps from 0
  SelfAudit audit;
  bool was_interrupted = false;
  Counts total() const;
};

/// Live, about once per interval, from a thread of the engine: what was due in the interval that just ended, and what
/// ended in it (counts other than `due`, and `latency`), plus how many are outstanding now.
struct LiveInterval {
  Duration start{};
  IntervalResult ended;
  std::uint64_t outstanding = 0;
};
using OnInterval = std::function<void(const LiveInterval&)>;

/// Runs the plan to its end: until every request that was due has ended. After `stop` nothing more becomes due, what is
/// outstanding is given up as `cancelled`, and the result so far is returned with `was_interrupted`.
///
///   errors   invalid_argument  a setting out of range, a target that is none, a certificate file that cannot be read
Result<LoadResult> run_load(const ArrivalPlan& plan, const LoadSettings& settings, const std::stop_token& stop,
                            const OnInterval& on_interval);

}  // namespace mpca::load
