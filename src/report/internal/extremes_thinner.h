// Several series of a run, thinned while it goes on: the extremes survive. How: report/thin_series.h.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mpca::report::internal {

class ExtremesThinner {
 public:
  /// `series` >= 1; `total_steps` >= 1 steps will come (should more come, there are more points), `max_points` >= 2.
  ExtremesThinner(std::size_t series, int total_steps, int max_points);

  /// One value per series.
  void add(double time_s, std::span<const double> values);

  /// All that was added: the times, and the values of each series at them. Call it once.
  struct Points {
    std::vector<double> time_s;
    std::vector<std::vector<double>> series;
  };
  Points finish();

 private:
  struct Extremes {
    double low = 0.0;
    double high = 0.0;
    bool low_came_first = true;
  };

  void close_bucket();

  int bucket_steps_;
  int in_bucket_ = 0;
  double first_time_s_ = 0.0;
  double middle_time_s_ = 0.0;
  std::vector<Extremes> extremes_;
  Points points_;
};

}  // namespace mpca::report::internal
