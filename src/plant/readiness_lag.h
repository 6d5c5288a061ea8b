// Readiness lag: from asking for a pod until its Ready condition, learned pod by pod. It is the largest part of the
// loop's dead time, so what matters is its distribution, not its mean.
//
// Hidden here: which pods count as starting, and what a look at them every period says. A pod that became Ready between
// two looks is an interval (age at the last look, age now]; one that still starts is at least this old, and counts
// while it does: leaving it out makes a stuck rollout look fast exactly when it is slow. One that was taken away while
// starting is at least as old as when it was last seen. What crashed and is not Ready again does not start.
//
// The estimate is made of two. A lognormal is fitted to all samples at once (EM; Dempster, Laird, Rubin (1977), JRSS B
// 39, 1-38), with the prior as pseudo-samples. It says what an interval of 15 s does not: where within it. Then the
// product-limit estimate (Kaplan, Meier (1958), JASA 53, 457-481) is taken on 48 bins in the lognormal's standard
// units, with the lognormal itself as a few more samples (Susarla, van Ryzin (1976), JASA 71, 897-902). So coarse looks
// still give quantiles, and two kinds of pods (image there or not) are seen as two, which a fit alone would not.
//
// Memory: the last 64 pods. A change is found by two cumulative sums of standardised lags (Page (1954), Continuous
// inspection schemes, Biometrika 41, 100-115), which also say since when; older pods are then forgotten.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"
#include "plant/figure.h"

namespace mpca::plant {

struct ReadinessLagPrior {
  Duration mean = std::chrono::seconds(30);
  double spread = 0.5;  // standard deviation / mean
  double weight = 4.0;  // in pods
  bool learn = true;    // false: the prior is the answer
};

/// A pod as the API server shows it.
struct PodSight {
  std::int64_t id = 0;  // greater for later ones
  TimePoint asked;      // created; where only its start on the node is known, time in the scheduler's queue is not seen
  bool is_ready = false;
  TimePoint ready_changed;  // last transition of the Ready condition; about `asked` before the first
  bool is_terminating = false;
};

/// State of about 1.5 KB, no allocation but in save(). Never NaN. All durations within 1 s and 1 h.
class ReadinessLag {
 public:
  static constexpr Duration kLeast = std::chrono::seconds(1);
  static constexpr Duration kGreatest = std::chrono::hours(1);

  explicit ReadinessLag(const ReadinessLagPrior& prior);

  /// Once per control instant, by one of the two. Instants that do not rise are ignored; a negative age is zero.
  ///
  /// Where only numbers are known: who left the list of the starting became Ready or was taken away; how many of each
  /// follows from the total, and those taken away are the youngest, as a ReplicaSet does. A rise of the spec that is
  /// Ready at the next look already is a lag within that time.
  ///   starting_ages  oldest first
  ///   cost           O(starting pods); refits at most 64 + 32 samples, 1-10 us
  void observe_counts(TimePoint now, int spec_replicas, int ready_replicas, std::span<const Duration> starting_ages);

  /// Where single pods are shown: better, since `ready_changed` is exact. Pods that were Ready before the first look
  /// are samples too, if their last transition to Ready came within 10 minutes of their start.
  ///   pods   by id, all of them. One that is missing now counts as taken away
  void observe_pods(TimePoint now, std::span<const PodSight> pods);

  /// The shortest lag within which a share `level` in (0, 1) of pods becomes Ready (clamped to [0.001, 0.999]).
  Duration quantile(double level) const;
  /// The share of pods, starting since `age`, that are Ready `ahead` from now. 0 for pods older than all that is known:
  /// they are probably stuck.
  double ready_share(Duration age, Duration ahead) const;
  Duration mean() const { return from_seconds(mean_s_); }
  double spread() const { return spread_; }  // standard deviation / mean

  /// Pods in the sample; a censored one counts for the share of pods that had become Ready by its age.
  double effective_samples() const { return effective_samples_; }
  double confidence() const;
  /// A change was found and the estimate rests on the few pods since then.
  bool is_drifting() const;
  int starting() const { return starting_count_; }  // pods followed now, at most 32

  /// mean() and quantile(level) in seconds, with their uncertainty.
  Figure mean_figure() const;
  Figure quantile_figure(double level) const;

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  lines missing or impossible; the object is then unchanged
  Result<void> load(const StateReader& reader);

 private:
  static constexpr int kMostSamples = 64;
  static constexpr int kMostStarting = 32;
  static constexpr int kBins = 48;
  static constexpr int kSettled = 10;

  /// In logarithms of seconds; -inf and inf: open.
  struct Sample {
    float low = 0.0F;
    float high = 0.0F;
  };
  struct Start {
    std::int64_t id = 0;  // 0 where ids are not shown
    TimePoint asked;
    bool is_overdue = false;  // has told the cumulative sums that it is late
  };
  struct Surprise {
    double sum = 0.0;
    int count = 0;
  };

  bool begin_look(TimePoint now, bool has_ids);
  void end_look(TimePoint now);
  void add_sample(Duration low, Duration high, Surprise* surprise);
  void add_censored(Duration age);
  void push(Sample sample);
  void follow(Start start);
  double longest_log_s() const;
  bool is_probably_stuck(const Start& start) const;
  void look_for_overdue(TimePoint now);
  void look_for_change();
  /// A sample, and how many are the same: looks at fixed times make many.
  struct Distinct {
    double low = 0.0;
    double high = 0.0;
    double count = 0.0;
  };
  struct DistinctSamples {
    std::array<Distinct, kMostSamples + kMostStarting> all;
    std::size_t size = 0;
    std::span<const Distinct> view() const { return std::span(all).first(size); }
  };

  DistinctSamples distinct_samples() const;
  void expect();
  double base_weight_left(double samples) const;
  void fit_once(std::span<const Distinct> samples);
  void build(std::span<const Distinct> samples);
  double share_by(Duration age) const;
  double share_by_position(double position) const;
  double position_of(double log_s) const;

  ReadinessLagPrior prior_;

  // Memory, in the order of save().
  double base_location_ = 0.0;  // of the prior in use, in logarithms of seconds
  double base_scale_ = 0.0;
  double base_weight_ = 0.0;  // before anything was seen; sinks with what is seen
  double location_ = 0.0;     // of the fitted lognormal
  double scale_ = 0.0;
  double expected_location_ = 0.0;  // what a change is measured against: the fit, slowly, and not while in doubt
  double expected_scale_ = 0.0;
  double slower_ = 0.0;  // Page's sums, and the samples since they left zero
  double faster_ = 0.0;
  int since_slower_ = 0;
  int since_faster_ = 0;
  bool is_settled_ = false;      // another step of the fit changes nothing
  int since_change_ = kSettled;  // samples; stays at kSettled
  bool has_looked_ = false;
  bool has_ids_ = false;
  TimePoint last_look_;
  int last_spec_ = 0;
  int last_total_ = 0;
  int not_followed_ = 0;  // starting, beyond the 32
  std::int64_t newest_id_ = 0;
  int sample_count_ = 0;  // oldest first
  int starting_count_ = 0;
  std::array<Sample, kMostSamples> samples_{};
  std::array<Start, kMostStarting> starts_{};

  // Follows from the memory.
  Surprise surprise_;
  double effective_samples_ = 0.0;
  double mean_s_ = 0.0;
  double spread_ = 0.0;
  std::array<float, kBins + 1> cumulative_{};
};

}  // namespace mpca::plant
