// Quantiles of the greatest demand within a horizon: what decides how many replicas to ask for. With a dead time until
// a replica serves, no plan can do better than hold, at each moment, what the whole stretch until new ones help will
// need; so the target is the maximum over that stretch and not a path read at its end.
//
// Experts guess how far the maximum lies above the demand of now, in logarithms: nothing (persistence), a damped trend
// (Holt; Gardner and McKenzie 1985), the usual rise at this time of the day and of the week, in local time, what
// followed at this place of a cycle found in the load (internal/cycle.h), a return to a recent maximum, and a
// regression on all of these. Each keeps a histogram of what it missed; some keep one per context (trend, volatility,
// distance to the recent maximum), shrunk to the general one while a context is rare. The answer mixes, for each level,
// the experts' quantiles by their pinball losses (Koenker and Bassett (1978), Regression quantiles, Econometrica 46,
// 33-50).
//
// A sample costs the same after a year as after an hour, allocates nothing, and the memory is fixed. Nothing is ever
// refitted.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"
#include "forecast/special_days.h"

namespace mpca::forecast {

/// The quantile levels that are answered.
inline constexpr std::array<double, 7> kForwardLevels = {0.5, 0.7, 0.85, 0.93, 0.97, 0.99, 0.998};
using ForwardQuantiles = std::array<double, kForwardLevels.size()>;  // at kForwardLevels, ascending

class ForwardMaximum {
 public:
  ///   special_days   each class of them takes another 0.2 KB
  explicit ForwardMaximum(const SpecialDays& special_days = {});
  ForwardMaximum(ForwardMaximum&&) noexcept;
  ForwardMaximum& operator=(ForwardMaximum&&) noexcept;
  ~ForwardMaximum();

  /// A sample of demand.
  ///   sampled       after that of the sample before; any other is ignored
  ///   demand        >= 0 (a sample that is not finite is ignored), as a multiple of some fixed amount that is worth
  ///   telling from zero, such as what
  ///                 one replica serves (logarithms are of 1 + demand)
  ///   is_censored   demand was at least this. It acts, but teaches nothing that rests on its value
  ///   horizon       > 0: quantiles are of the maximum over the samples in (sampled, sampled + horizon]
  ///   utc_offset    local time minus UTC, within 26 h: days and weeks are those of people
  ///   cost          about 20 microseconds in the mean, no allocation
  void observe(TimePoint sampled, double demand, bool is_censored, Duration horizon, Duration utc_offset = {});

  /// Of the last observe(), in the unit of demand; zeros before the first.
  const ForwardQuantiles& quantiles() const;

  /// Mean change of log(1 + demand) from sample to sample, lately.
  double volatility() const;
  /// Of the cycle that was found; zero when there is none.
  Duration cycle_length() const;
  /// The expert that has the greatest weight at the level `level_index` of kForwardLevels, in words.
  std::string_view leading_expert(std::size_t level_index) const;

  /// Bytes of memory that one object takes, without special days.
  static std::size_t state_bytes();

  /// The special days themselves are not part of the memory, what was learned on them is.
  void save(StateWriter& writer) const;
  /// A class of days that the memory does not know begins with nothing; one that is not known here is forgotten.
  ///   errors   invalid_argument  a line is missing or impossible; nothing is changed then
  Result<void> load(const StateReader& reader);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mpca::forecast
