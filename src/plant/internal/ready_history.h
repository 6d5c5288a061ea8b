// How many pods were Ready over an interval of the past, from looks at single instants. When a change between two looks
// happened is not known: half of it is taken, the other half is the uncertainty.
#pragma once

#include <array>
#include <optional>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"

namespace mpca::plant::internal {

struct ReadyMean {
  double ready = 0.0;
  double uncertainty = 0.0;
};

class ReadyHistory {
 public:
  /// `now` rises from call to call.
  void add(TimePoint now, int ready);

  /// nullopt when the interval begins before what is remembered (the last 8 changes), ends after the last look, or is
  /// empty.
  std::optional<ReadyMean> mean(TimePoint begin, TimePoint end) const;

  void save(StateWriter& writer) const;
  Result<void> load(const StateReader& reader);

 private:
  static constexpr int kMostChanges = 8;
  struct Change {
    TimePoint after;
    TimePoint by;
    int ready = 0;  // from then on
  };

  bool has_looked_ = false;
  TimePoint last_look_;
  TimePoint known_from_;
  int ready_at_first_ = 0;  // at `known_from_`
  int count_ = 0;
  std::array<Change, kMostChanges> changes_{};  // oldest first
};

}  // namespace mpca::plant::internal
