// The decisions of a run that a page shows, each with what it rested on. A page holds so many of them: a run's are
// thinned while it goes on, so that one of a million periods can be shown and never has to be held.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/time.h"
#include "policy/policy.h"
#include "report/decision_account.h"

namespace mpca::report {

struct ToldDecision {
  double time_s = 0.0;             // since the run's first decision
  std::string sentence;            // explanation_sentence()
  std::vector<AccountPart> parts;  // empty where the sentence says all
};

struct RunDecisions {
  std::int64_t made = 0;  // also those that are not kept
  int every = 1;          // number 0 is kept, and each `every`-th after it
  std::vector<ToldDecision> kept;
};

/// About 0.5 kB each in the page.
inline constexpr std::int64_t kDecisionsOfAPage = 1200;

/// `every` of each run of a page: short runs keep all their decisions, what they leave is shared by the long ones.
///
///   made     decisions of each run; n >= 0
///   in_all   > 0; kept over all runs are at most so many, or one of each run
std::vector<int> kept_every(std::span<const std::int64_t> made, std::int64_t in_all = kDecisionsOfAPage);

class DecisionKeeper {
 public:
  ///   every    > 0
  DecisionKeeper(const policy::Workload& workload, int every);

  void add(const policy::Observation& observation, const policy::Decision& decision);

  /// All that was added. Call it once.
  RunDecisions finish() { return std::move(decisions_); }

 private:
  policy::Workload workload_;
  TimePoint first_{};
  RunDecisions decisions_;
};

}  // namespace mpca::report
