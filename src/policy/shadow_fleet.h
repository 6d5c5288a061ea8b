// The replicas that somebody would have who is not in charge: what he decides is carried out in thought, Ready after
// the readiness lag; what he takes back goes at once, the youngest first, as a ReplicaSet does it.
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/state_text.h"
#include "core/time.h"

namespace mpca::policy {

class ShadowFleet {
 public:
  struct Starting {
    TimePoint asked;
    int pods = 0;
  };

  /// Before begin() there is no fleet.
  bool has_begun() const { return ready_ >= 0; }
  /// It begins with what there is.
  ///   starting   oldest first
  void begin(int ready, std::vector<Starting> starting = {});

  /// Those asked for at least `readiness_lag` before `now` are Ready.
  void look(TimePoint now, Duration readiness_lag);
  /// From `now` on so many are asked for. Times rise.
  void hold(int replicas, TimePoint now);

  int ready() const { return ready_; }
  const std::vector<Starting>& starting() const { return starting_; }  // oldest first
  int held() const;                                                    // both

  /// Lines whose names begin with `prefix`.
  void save(std::string_view prefix, StateWriter& writer) const;
  ///   errors   invalid_argument  lines missing or impossible; it is then as it was
  Result<void> load(std::string_view prefix, const StateReader& reader);

 private:
  int ready_ = -1;  // -1: has not begun
  std::vector<Starting> starting_;
};

}  // namespace mpca::policy
