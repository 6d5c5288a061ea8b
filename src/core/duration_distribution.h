// A duration that may vary, in one grammar for lags everywhere (a flag, an environment variable, a setting):
//   40s                                  always
//   lognormal(mean=40s,cv=0.3)           by mean and standard deviation / mean
//   quantiles(0.1=20s;0.5=30s;0.9=50s)   straight lines between the levels, constant outside them
//   samples(20s;31s;25s)                 each equally likely, as from measured lags
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/result.h"
#include "core/time.h"

namespace mpca {

class DurationDistribution {
 public:
  /// Always `value` (>= 0).
  static DurationDistribution constant(Duration value);

  ///   errors   invalid_argument  none of the forms: lognormal has D > 0 and X in [0, 10]; levels rise strictly within
  ///                              [0, 1] and their durations never fall; samples are at least one. The message says
  ///                              what was found and all forms
  static Result<DurationDistribution> parse(std::string_view text);

  /// One value; a constant draws nothing from `stream`, the others as many values each time. O(log n).
  Duration sample(RandomStream& stream) const;
  /// The same distribution in a time that passes `factor` (> 0) times as fast: every value divided by it.
  DurationDistribution sped_up(double factor) const;

  Duration mean() const { return mean_; }
  /// Standard deviation / mean; 0 for a constant.
  double coefficient_of_variation() const { return cv_; }
  /// What parse() reads back.
  std::string text() const;

  bool operator==(const DurationDistribution&) const = default;

 private:
  struct Quantile {
    double level = 0.0;
    Duration value{};
    bool operator==(const Quantile&) const = default;
  };
  DurationDistribution(Duration mean, double cv) : mean_(mean), cv_(cv) {}
  static DurationDistribution of_quantiles(std::vector<Quantile> quantiles);
  static DurationDistribution of_samples(std::vector<Duration> samples);

  Duration mean_{};
  double cv_ = 0.0;
  std::vector<Quantile> quantiles_;  // by level
  std::vector<Duration> samples_;    // at most one of the two holds something
};

}  // namespace mpca
