// The sentence that a comparison comes down to: who served users better, and who held fewer replicas.
//
// Both are judged apart, because one buys the other. Service is the share of time over the target and, where that is
// equal, the share of requests beyond capacity. Cost is replica-hours. Differences too small to matter (Margins) count
// as equal, so nobody wins by a rounding error. A policy that serves best and costs least wins; else it is a trade-off
// and is called one.
//
// Where requests were really sent, service is what users got: failed requests, then the p95 of all latencies, then the
// p99. With repeats the medians are judged, and a difference counts only when the ranges of the repeats do not overlap.
// A result with cautions begins by saying that it is not to be trusted.
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

/// The same for measured runs. 10% of latency: two runs of one policy on one machine differ by that much.
struct MeasuredMargins {
  double failed_ratio = 0.001;  // a tenth of a percentage point of the requests
  double latency_share = 0.1;   // of the larger one
  double latency_s = 0.002;     // nobody notices less
  double cost_share = 0.01;     // a hundredth of the replica-hours
};

/// What of a measured run, or of its repeats, counts. A single run has median, lowest and highest the same.
struct MeasuredStanding {
  std::string policy;
  RepeatedFigure failed_ratio;
  RepeatedFigure latency_p95_s;
  RepeatedFigure latency_p99_s;
  RepeatedFigure replica_hours;  // or any measure in proportion to them
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
  int server = 0;            // index of the policy that served users best; the winner
  int cheapest = 0;          // index of the policy that cost least; the winner
  bool is_doubtful = false;  // a run has cautions; the sentence begins with that
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

/// The same for measured runs. With overlapping repeats the details say which difference does not count.
Verdict judge_measured(const std::string& subject, std::span<const MeasuredStanding> standings,
                       const MeasuredMargins& margins = {});

/// Of a measured trace (every run knows failed requests, p95 and p99) by judge_measured(), else by judge().
Verdict verdict_of(const TraceComparison& trace, double target_utilization);

/// Over all traces, each counted the same whatever its length: the mean of the ratios, and the geometric mean of each
/// policy's replica-hours relative to the cheapest on the trace (of measured traces, of the latencies, too). One trace:
/// the verdict of that trace. With Comparison::repeated under the names of the runs: of the repeats.
Verdict overall_verdict(const Comparison& comparison);

}  // namespace mpca::report
