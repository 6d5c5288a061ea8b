// A duration that may vary, in one grammar for lags everywhere (a flag, an environment variable, a setting): `40s`, or
// `lognormal(mean=40s,cv=0.3)`.
#pragma once

#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/time.h"

namespace mpca {

class DurationDistribution {
 public:
  /// Always `value` (>= 0).
  static DurationDistribution constant(Duration value);

  ///   errors   invalid_argument  neither a duration nor `lognormal(mean=D,cv=X)` with D > 0 and X in [0, 10]; the
  ///                              message says what was found and both forms
  static Result<DurationDistribution> parse(std::string_view text);

  /// One value; a constant draws nothing from `stream`.
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
  DurationDistribution(Duration mean, double cv) : mean_(mean), cv_(cv) {}
  Duration mean_{};
  double cv_ = 0.0;
};

}  // namespace mpca
