// Capacity: requests per second that one Ready pod serves when it always has work; and the time it works on one.
//
// What a look at the signals says depends on the situation, and that is what is hidden here:
//   saturated   more in flight than the slots hold, at both ends of the interval: throughput per Ready pod is the
//               capacity. With failures in it, work may have been done for clients that were gone; then what counts is
//               CPU used / CPU per request, where CPU is shown.
//               A throughput far below what was thought possible counts only with failures or a queue that grows: a
//               slow database fills the slots as well, and would otherwise pass for pods that serve nothing.
//   busy        throughput above what was thought possible, nothing waits and nothing fails: capacity is at least that.
//   at ease     in flight / rate is the service time (Little (1961), A proof for the queuing formula L = λW, Operations
//               Research 9, 383-387); at 30 % of capacity and more, CPU / rate is the CPU per request.
// A rise of CPU per request by more than 10 % lowers the capacity in proportion, before the first request is late; a
// fall takes that back, but raises nothing beyond what was seen saturated.
//
// A service that does all its work for clients that are gone shows no capacity at all. Where that lasts, and CPU is not
// shown, the capacity is lowered step by step: more pods are the only way out.
//
// All levels are medians that no single sample moves and that four agreeing ones replace (internal/level.h).
#pragma once

#include <optional>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"
#include "plant/figure.h"
#include "plant/internal/level.h"

namespace mpca::plant {

struct CapacityPrior {
  double capacity_rps = 25.0;    // the answer stays within a quarter and four times of it
  double weight = 3.0;           // in samples
  bool learn = true;             // false: the prior is the answer
  Duration service_time{};       // zero: 1 / capacity, as with one slot
  double cpu_limit_cores = 0.0;  // of a pod; zero: not known
};

/// What came new with one scrape.
struct LoadSample {
  TimePoint end;
  Duration length{};               // between samples
  double ready = 0.0;              // pods, mean over what the rates are means of
  double ready_uncertainty = 0.0;  // pods: how far `ready` may be off
  double served_rps = 0.0;
  std::optional<double> failed_rps = std::nullopt;
  std::optional<double> in_flight = std::nullopt;  // at the end
  std::optional<double> cpu_cores = std::nullopt;  // of all pods
};

/// State of about 0.6 KB, no allocation but in save(). Never NaN.
class Capacity {
 public:
  explicit Capacity(const CapacityPrior& prior);

  /// Intervals that do not end later than the last one, without a Ready pod, with a value that is negative or no number
  /// or with pods that came and went (uncertainty above a tenth) are ignored. O(1).
  void observe(const LoadSample& sample);

  double capacity_rps() const;
  Duration service_time() const;
  /// The level, or that of CPU per request, changed and rests on few samples since.
  bool is_drifting() const { return level_.is_new() || cpu_per_request_.is_new(); }
  /// Whether the last interval was saturated.
  bool is_saturated() const { return is_saturated_; }

  Figure capacity_figure() const;      // requests per second of a Ready pod
  Figure service_time_figure() const;  // seconds

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  lines missing or impossible; the object is then unchanged
  Result<void> load(const StateReader& reader);

 private:
  double cpu_factor() const;
  double cpu_bound_rps() const;
  void learn_saturated(double throughput_rps, double failed_share, bool grows, const LoadSample& sample);
  void learn_busy(double throughput_rps, double failed_share);
  void forget_old_cpu(double factor);
  void learn_cpu(double throughput_rps, double failed_share, const LoadSample& sample);
  void learn_service_time(double throughput_rps, double failed_share, double last_served_rps, const LoadSample& sample);
  double service_time_s() const { return in_flight_sum_ / rate_sum_; }

  CapacityPrior prior_;

  // Memory, in the order of save().
  bool has_sample_ = false;
  TimePoint last_end_;
  bool had_backlog_ = false;  // at the end of the last interval
  bool is_saturated_ = false;
  double last_in_flight_ = 0.0;
  double last_served_rps_ = 0.0;
  int saturated_samples_ = 0;
  int busy_samples_ = 0;
  int wasted_samples_ = 0;  // in a row: saturated, failing, and not near the level
  bool is_lowered_ = false;
  internal::Level level_;            // at the CPU per request of `reference_cpu_`
  internal::Level cpu_per_request_;  // core seconds
  double reference_cpu_ = 0.0;       // zero: not known yet
  double in_flight_sum_;             // forgetting
  double rate_sum_;
  int service_samples_ = 0;
};

}  // namespace mpca::plant
