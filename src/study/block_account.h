// The accounts of a run by blocks of its time. A policy plays the whole trace at once and is judged block by block, so
// that nothing starts cold in the middle; what a block costs is what the truth says at its end less what it said at its
// beginning.
#pragma once

#include <vector>

#include "sim/truth.h"

namespace mpca::study {

/// Sums, which can be added up over blocks and runs.
struct BlockAccount {
  double seconds = 0.0;
  double replica_seconds = 0.0;  // paid
  double requests = 0.0;
  double violations = 0.0;  // requests that were late or failed
  double churn = 0.0;       // sum of absolute changes of the spec

  BlockAccount& operator+=(const BlockAccount& other);
  double violation_ratio() const { return requests > 0.0 ? violations / requests : 0.0; }
  bool operator==(const BlockAccount&) const = default;
};

/// Cuts one run into `blocks` equal spans of `total_s` seconds. A block ends with the first control period that ends at
/// or after its share of the time, so blocks are the same for every policy of a study.
class BlockMeter {
 public:
  ///   blocks   n >= 1
  BlockMeter(double total_s, int blocks);

  /// After each period, with the run's accounts so far.
  void period_ended(const sim::Truth& truth);

  /// The accounts, n of them; call it once, after the last period.
  std::vector<BlockAccount> finish(const sim::Truth& truth);

 private:
  void close(const sim::Truth& truth);

  double total_s_;
  int count_;
  BlockAccount so_far_;  // at the end of the last closed block
  std::vector<BlockAccount> blocks_;
};

}  // namespace mpca::study
