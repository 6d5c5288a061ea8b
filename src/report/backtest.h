// What a study of many simulated runs found, as data: the rows, fronts and comparisons that its page, its table and its
// JSON are made from. How each figure is defined: docs/METHODOLOGY.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mpca::report {

/// Part of a run, in sums that can be added up over parts and runs.
struct RunSums {
  double seconds = 0.0;
  double replica_seconds = 0.0;  // paid
  double requests = 0.0;
  double late = 0.0;
  double failed = 0.0;
};

/// One policy on one trace with one seed.
struct BacktestRow {
  std::string trace;
  std::string policy;  // one member of a family: its label (policy/label.h) in a report, its text in a study's files
  std::uint64_t seed = 0;
  RunSums whole;
  RunSums halves[2];                           // of the time
  double demand_replica_seconds = 0.0;         // requests / capacity: what serving them takes at least
  double half_demand_replica_seconds[2] = {};  // the same of each half
  double p95_ms = 0.0;
  double p99_ms = 0.0;
  double churn = 0.0;  // sum of absolute changes of the spec
  double pods_started = 0.0;
  double slack_ratio = 0.0;  // ready capacity that did nothing, out of all ready capacity

  double relative_cost() const { return ratio(whole.replica_seconds, demand_replica_seconds); }
  double violation_ratio() const { return ratio(whole.late + whole.failed, whole.requests); }
  double half_cost(int half) const { return ratio(halves[half].replica_seconds, half_demand_replica_seconds[half]); }
  double half_violation_ratio(int half) const {
    return ratio(halves[half].late + halves[half].failed, halves[half].requests);
  }
  static double ratio(double part, double of) { return of > 0.0 ? part / of : 0.0; }
};

/// A figure, and the 95 % interval of a paired bootstrap over the seeds; the interval is absent with one seed.
struct Interval {
  double value = 0.0;
  std::optional<double> low;
  std::optional<double> high;
};

/// One member of a family: means over the seeds.
struct FrontPoint {
  std::string policy;
  double violation_ratio = 0.0;
  double relative_cost = 0.0;
  double p95_ms = 0.0;
  double p99_ms = 0.0;
  double churn_per_hour = 0.0;
  double pods_started = 0.0;
  double slack_ratio = 0.0;
  bool is_on_front = false;  // on the lower convex hull of its family
  std::string trajectory;    // file of its trajectories relative to the page, or empty
};

/// A family of policies on one trace, in order of violation_ratio.
struct Front {
  std::string family;  // `hpa:sweep`, `reactive:sweep`, `clairvoyant`, or the one policy's text
  std::vector<FrontPoint> points;
};

/// J(P) = relative cost + P x violation ratio, of the best member of a family.
struct Bill {
  double price = 0.0;  // P
  std::optional<double> policy;
  std::optional<double> hpa_hindsight;
  std::optional<double> hpa_first_half;      // on the second half, the member chosen on the first
  std::optional<double> policy_second_half;  // its counterpart, chosen in the same way
  std::optional<double> hpa60;
  std::optional<double> clairvoyant;
};

/// One family against the opponents on one trace at one violation level. Absent: the level is not reached, or the trace
/// is too short for halves.
struct LevelComparison {
  std::string trace;
  std::string policy;  // family
  double violation_ratio = 0.0;
  std::optional<double> policy_cost;
  std::optional<double> hpa_hindsight_cost;
  std::optional<double> hpa_first_half_cost;      // on the second half, at the violations it had there
  std::optional<double> policy_second_half_cost;  // of the policy on the second half, at those same violations
  std::optional<double> clairvoyant_cost;
  std::optional<Interval> saving_hindsight;  // 1 - policy / HPA
  std::optional<Interval> saving_first_half;
  std::optional<double> gap_closed;  // (HPA - policy) / (HPA - clairvoyant)
  std::vector<Bill> bills;           // the same for each level
};

/// What was done to a trace before it was played.
struct PlayedTrace {
  std::string name;
  std::string file;
  double file_step_s = 0.0;
  double played_step_s = 0.0;  // less than the file's: played faster than life
  double seconds = 0.0;        // played
  double scale = 1.0;          // of rates
  bool is_held = false;        // steps are held; else straight lines between their middles
  std::vector<double> time_s;  // thinned, for drawing
  std::vector<double> demand_rps;
};

struct BacktestReport {
  std::string preset;
  std::string world;  // `fluid` or `requests`
  int seeds = 0;
  double capacity_rps = 0.0;  // of a replica
  double latency_target_ms = 0.0;
  std::vector<double> violation_levels;
  std::vector<double> prices;
  std::vector<std::pair<std::string, std::string>> configuration;  // everything that matters, for a table
  std::string command;
  std::string version;
  std::vector<PlayedTrace> traces;
  std::vector<std::vector<Front>> fronts;    // per trace, families in the same order
  std::vector<LevelComparison> comparisons;  // trace x family x level
  std::vector<BacktestRow> rows;
};

}  // namespace mpca::report
