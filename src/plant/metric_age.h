// How old metrics are when a decision is made, and how often there are new ones: the part of the dead time before the
// decision. Only fresh values count: what an outage does to their age is no property of the pipeline.
#pragma once

#include <array>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"
#include "plant/figure.h"

namespace mpca::plant {

struct MetricAgePrior {
  Duration age = std::chrono::seconds(10);
  Duration interval = std::chrono::seconds(15);
  double weight = 4.0;  // in observations
  bool learn = true;    // false: the priors are the answers
};

/// State of about 0.3 KB, no allocation but in save(). Never NaN.
class MetricAge {
 public:
  explicit MetricAge(const MetricAgePrior& prior);

  /// Once per control instant with a fresh value. Ages that are negative by more than a second (clocks that differ) or
  /// above ten minutes are ignored, so are instants that do not rise. A sample seen again is one more age and no new
  /// sample; one older than the newest is neither.
  void observe(TimePoint now, Duration age);

  Duration mean() const;
  Duration quantile(double level) const;
  Duration sample_interval() const;  // the median distance of new samples

  Figure mean_figure() const;  // all in seconds
  Figure quantile_figure(double level) const;
  Figure sample_interval_figure() const;

  void save(StateWriter& writer) const;
  ///   errors   invalid_argument  lines missing or impossible; the object is then unchanged
  Result<void> load(const StateReader& reader);

 private:
  static constexpr int kMostAges = 32;
  static constexpr int kMostIntervals = 15;

  double confidence(int seen) const { return seen / (seen + (prior_.weight > 1.0 ? prior_.weight : 1.0)); }

  void sort_ages();

  MetricAgePrior prior_;

  // Memory, in the order of save().
  bool has_observed_ = false;
  TimePoint last_now_;
  TimePoint newest_sample_;
  int age_count_ = 0;
  int interval_count_ = 0;
  std::array<float, kMostAges> ages_s_{};  // oldest first
  std::array<float, kMostIntervals> intervals_s_{};

  std::array<float, kMostAges> sorted_ages_s_{};  // follows from the memory
};

}  // namespace mpca::plant
