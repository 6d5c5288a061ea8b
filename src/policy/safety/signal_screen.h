// Looks at the raw Observation before anything else uses it, and says of each signal whether it can be believed.
// Metrics fail in ways that look like numbers: a scrape that reads 0 while the service works, a counter that began
// again, half of the pods unseen, a sample from before the last one. Each of them has scaled real clusters down.
//
// What cannot be believed is taken out (missing is not zero) and named; what is old, or seen again, stays and is named.
// A doubtful served rate is judged by what else is known: requests in flight, failures, CPU, ready pods, the rate
// before. Where those say that more is served than it reads, it stays as a stale value, raised to what CPU speaks for:
// a lower bound, which may add replicas and never takes any away. A service that fails under its load also serves
// nothing, and must not be left alone with that.
//
// A served rate beyond what ready pods can serve is either a counter that began again or a spike in a world that shows
// what users send. A spike finds the pods busy, or nothing else is shown that could speak against it, and it is tens of
// times what was there; a whole counter is hours of requests within seconds.
//
// Doubts end when they have lasted for `zero-confirmation` in every new sample, since then it is the world that changed
// and not the metric. A zero that even the CPU of ready pods shares looks like an outage for longer, `blind-after`; a
// zero that something contradicts is never believed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "core/state_text.h"
#include "policy/observation.h"
#include "policy/safety/safety_settings.h"

namespace mpca::policy {

enum class Finding : std::uint8_t {
  good,               // known, fresh, newer than the one before, believable
  missing,            // no value
  invalid,            // NaN, infinite or negative; taken out
  stale,              // its source says so, or older than `stale-after`
  duplicate,          // the sample that was seen last, again
  reordered,          // older than one that was seen; called stale
  zero_unconfirmed,   // nearly nothing, after a rate that was not or is not known; taken out
  zero_contradicted,  // nearly nothing while requests are in flight or fail, pods work, or none is ready; a lower bound
  impossible,         // more than the ready pods can serve, and a jump that busy pods do not bear out; what CPU speaks
                      // for instead, or taken out
  below_cpu,          // fell below what CPU speaks for; a lower bound
};

/// After the name of the signal: `is missing`, `fell to zero, not confirmed`.
std::string_view words_of(Finding finding);

/// Hard to believe: the last four.
inline bool is_suspicious(Finding finding) { return finding >= Finding::zero_unconfirmed; }

struct ScreenedObservation {
  /// The observation as everything else should use it: finite values >= 0, ages >= 0, and nothing that is not believed.
  Observation observation;
  Finding served_rate = Finding::missing;
  Finding failed_rate = Finding::missing;
  Finding in_flight = Finding::missing;
  Finding cpu = Finding::missing;
  /// Of what the ready pods were Ready for in the window that was measured, the part of pods that have CPU, in (0, 1]:
  /// served rate and CPU are sums over those, so demand is about the sum divided by it. nullopt: single pods, or their
  /// CPU, are not shown.
  std::optional<double> covered_share;
  /// Ready pods without CPU, where others have it.
  int uncovered_pods = 0;
  /// Since the served rate was good for the last time, or since the first observation.
  Duration blind_for{};
  /// A reason to scale down may rest on this: a good served rate, nothing invalid, enough pods covered.
  bool is_clean = false;
};

class SignalScreen {
 public:
  ///   capacity_rps   of a ready replica, > 0
  SignalScreen(const SafetySettings& settings, double capacity_rps)
      : settings_(settings), capacity_rps_(capacity_rps) {}

  /// Once for each observation, in order of their times. O(pods); allocates only while `out` grows, so keep it.
  void screen(const Observation& raw, ScreenedObservation& out);

  /// When it was identified anew. Not part of the state: the plant's estimate is saved with the plant.
  void set_capacity_rps(double capacity_rps) { capacity_rps_ = capacity_rps; }

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  a line is missing or malformed; nothing is changed then
  Result<void> load(const StateReader& reader);

 private:
  struct State {
    std::array<TimePoint, 4> newest{TimePoint::min(), TimePoint::min(), TimePoint::min(), TimePoint::min()};
    TimePoint last_good = TimePoint::min();    // served rate, by `now`
    TimePoint doubt_since = TimePoint::min();  // the first sample of a row of equal doubts; min: none yet
    double trusted_rps = -1.0;                 // served rate believed last; below 0: none yet
    double cpu_s_per_request = 0.0;            // idle pods' share included; 0: not known
    Finding doubt = Finding::good;             // about the served rate seen last
  };
  static_assert(sizeof(State) <= 128);

  /// As ScreenedObservation has them.
  struct Coverage {
    std::optional<double> share;
    int uncovered_pods = 0;
  };

  Finding check(Signal& signal, TimePoint now, TimePoint& newest) const;
  Coverage coverage(Observation& observation) const;
  Finding judge(double served_rps, TimePoint sampled, ScreenedObservation& out);
  bool is_impossible(double served_rps, const ScreenedObservation& seen) const;
  bool may_be_a_spike(double served_rps, const ScreenedObservation& seen) const;
  bool is_contradicted(const ScreenedObservation& seen) const;
  bool agrees_with_zero(const ScreenedObservation& seen) const;
  std::optional<double> rate_by_cpu(const ScreenedObservation& seen) const;
  bool doubt(Finding why, TimePoint sampled, Duration confirmation);
  void replace_doubtful(ScreenedObservation& out) const;
  Finding believe(double served_rps, const ScreenedObservation& seen);

  SafetySettings settings_;
  double capacity_rps_;
  State state_;
};

}  // namespace mpca::policy
