// The series of a run, thinned while it goes on, so that a run of a million periods can be drawn and never has to be
// held. What must survive are the extremes: a spike of one period is what the report is about.
//
// Periods are cut into buckets of equal length by their index. A run of at most `max_points` periods keeps them all.
// Else a bucket becomes two points, at the time of its first and of its middle period, and each series gets its minimum
// and maximum there, in the order in which they occurred. A series can thus be off in time by at most one bucket, never
// in height. Cut by index, not by value: all policies of a trace land on the same times.
#pragma once

#include <vector>

#include "policy/world.h"
#include "report/internal/extremes_thinner.h"

namespace mpca::report {

/// One value per point in each; empty when nothing was added.
struct ThinSeries {
  std::vector<double> time_s;  // seconds since the first period began
  std::vector<double> demand_rps;
  std::vector<double> spec_replicas;
  std::vector<double> ready_replicas;
  std::vector<double> utilization;
  std::vector<double> backlog_requests;
};

class SeriesThinner {
 public:
  /// `total_steps` >= 1 periods will come (should more come, there are more points), `max_points` >= 2. Memory is that
  /// of the result: between max_points / 2 and max_points points when it has to thin.
  SeriesThinner(int total_steps, int max_points);

  void add(const policy::PeriodOutcome& outcome);

  /// All that was added; the run may have ended early. Call it once.
  ThinSeries finish();

 private:
  bool started_ = false;
  TimePoint start_{};
  internal::ExtremesThinner thinner_;
};

}  // namespace mpca::report
