// The sentence that a comparison comes down to: who served users better, and who held fewer replicas.
//
// Both are judged apart, because one buys the other. Service is the share of time over the target and, where that is
// equal, the share of requests beyond capacity. Cost is replica-hours. Differences too small to matter (Margins) count
// as equal, so nobody wins by a rounding error. A policy that serves best and costs least wins; else it is a trade-off
// and is called one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/comparison.h"

namespace mpca::report {

/// Differences up to these are no differences.
struct Margins {
  double violation_ratio = 0.005;  // half a percentage point of the time
  double unserved_ratio = 0.001;   // a tenth of a percentage point of the requests
  double cost_share = 0.01;        // a hundredth of the replica-hours
};

/// What of a run counts for the verdict.
struct Standing {
  std::string policy;
  double violation_ratio = 0.0;
  double unserved_ratio = 0.0;
  double cost = 0.0;  // replica-hours, or any measure in proportion to them
};

enum class Outcome {
  alone,      // one policy: nothing to compare
  tie,        // no difference that matters
  winner,     // one serves best and costs least
  shared,     // several do, and no difference among them matters
  trade_off,  // the best server costs more than the cheapest
};

struct Verdict {
  Outcome outcome = Outcome::alone;
  int server = 0;    // index of the policy that served users best; the winner
  int cheapest = 0;  // index of the policy that cost least; the winner
  std::string sentence;
  std::vector<std::string> details;  // sentences: that even the best is bad, and who is beaten in everything, by whom
};

/// Who was best under these rules.
///
///   subject    how the sentence begins: `On spike`
///   standings  n >= 1
///   cost       O(n)
Verdict judge(const std::string& subject, std::span<const Standing> standings, double target_utilization,
              const Margins& margins = {});

Verdict verdict_of(const TraceComparison& trace, double target_utilization);

/// Over all traces, each counted the same whatever its length: the mean of the ratios, and the geometric mean of each
/// policy's replica-hours relative to the cheapest on the trace. One trace: the verdict of that trace.
Verdict overall_verdict(const Comparison& comparison);

}  // namespace mpca::report
