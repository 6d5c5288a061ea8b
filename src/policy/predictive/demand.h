// What users send, from what came back. Under overload the served rate says what capacity gives; failures and the
// growth of what is in flight are the rest. Where failures are not counted anywhere and the queue is full, demand is
// known to be more and not how much: it is taken to be half as much again, and again after each further dead time.
//
// A rate is a mean over a window, and so has to be the change that is added to it: the growth of a quarter of an hour's
// queue within the last seconds would be added to what was served a minute ago, and nothing of that was ever sent. Only
// while a queue builds up there is no time for means over a minute: pods are busy then and serve no less than before,
// so what was served, at most what pods can serve, and the growth of the last seconds are demand at least.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/time.h"
#include "policy/safety/signal_screen.h"

namespace mpca::policy {

struct DemandSample {
  TimePoint sampled;
  double rps = 0.0;
  bool is_censored = false;  // at least this
};

class Demand {
 public:
  /// Takes what is new and good in the observation. True: sample() is a new one.
  ///   dead_time    how long a guess about censored demand is given to help
  ///   queued_rps   there is a backlog (predictive/backlog.h), and Ready pods can serve so much
  bool observe(const ScreenedObservation& screened, bool is_saturated, Duration dead_time,
               std::optional<double> queued_rps = std::nullopt);

  /// Of the last true observe().
  const DemandSample& sample() const { return sample_; }
  bool has_sample() const { return has_sample_; }
  /// How it was known: `served + failed + change of in flight`.
  std::string source() const;

  template <class Visit>
  void visit(Visit&& visit) {
    visit(has_sample_);
    visit(is_collapse_);
    visit(sample_.sampled);
    visit(sample_.rps);
    visit(sample_.is_censored);
    visit(in_flight_);
    visit(kept_);
    visit(used_failed_);
    visit(used_change_);
    visit(used_coverage_);
    visit(used_queue_);
    visit(boost_);
    visit(boosted_);
  }
  bool is_valid() const;

 private:
  struct InFlight {
    TimePoint sampled;
    double requests = 0.0;

    template <class Visit>
    void visit(Visit&& visit) {
      visit(sampled);
      visit(requests);
    }
  };
  static constexpr int kMostKept = 15;

  /// The kept sample before `now`, the newest, whose distance is nearest to `window`; nullptr for the first one.
  const InFlight* before(const InFlight& now, Duration window) const;
  /// nullopt where in flight is not shown, or not of now.
  std::optional<InFlight> keep_in_flight(const ScreenedObservation& screened);
  // A service that fails all its requests serves nothing: a served rate of zero that failures or CPU contradict. Demand
  // is then at least what they say; it may rise by that, and does not fall.
  bool observe_collapse(const ScreenedObservation& screened);
  void boost(TimePoint sampled, Duration dead_time);

  bool has_sample_ = false;
  bool is_collapse_ = false;  // the sample is from observe_collapse()
  DemandSample sample_;
  std::array<InFlight, kMostKept> in_flight_{};  // oldest first
  int kept_ = 0;
  bool used_failed_ = false, used_change_ = false, used_coverage_ = false, used_queue_ = false;
  double boost_ = 1.0;
  TimePoint boosted_;
};

}  // namespace mpca::policy
