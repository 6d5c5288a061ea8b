// A positive quantity that stays for long and then changes at once, seen through samples that may be anything: the
// median of the last samples near it. A sample far away changes nothing until four in a row agree with one another;
// then they are the new level. So one wild sample is never believed, and a change is, four samples after it.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/result.h"
#include "core/state_text.h"

namespace mpca::plant::internal {

class Level {
 public:
  static constexpr int kMostSamples = 15;
  static constexpr int kToAgree = 4;

  enum class Taken { ignored, near, far, changed };

  /// `prior` > 0 counts as `prior_weight` samples until it is contradicted. Samples outside [least, greatest] are
  /// ignored, as is what is not a positive number.
  Level(double prior, double prior_weight, double least, double greatest);

  Taken add(double value);
  /// From now on all values are `factor` (> 0, finite) times as large.
  void scale(double factor);

  double value() const { return value_; }
  int samples() const { return count_; }
  /// Robust standard deviation / value; 0 below three samples.
  double spread() const;
  /// Of the samples since a change of something that was known.
  bool is_new() const { return since_change_ < kSettled; }

  void save(StateWriter& writer, std::string_view name) const;
  Result<void> load(const StateReader& reader, std::string_view name);

 private:
  static constexpr int kSettled = 8;
  void find_value();

  double least_;
  double greatest_;
  double prior_;
  double prior_weight_;
  int count_ = 0;
  int far_count_ = 0;
  int since_change_ = kSettled;
  std::array<double, kMostSamples> samples_{};  // oldest first
  std::array<double, kToAgree> far_{};          // in a row, oldest first
  double value_ = 0.0;                          // follows from the others
};

}  // namespace mpca::plant::internal
