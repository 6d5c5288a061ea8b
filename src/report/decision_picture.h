// The minutes around one decision as a picture: demand and what was held, both in replicas, and at the decision the
// forecast's fan over the dead time and the plan's band. For a terminal, and as an SVG that stands alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/policy.h"

namespace mpca::report {

struct PicturedDecision {
  double time_s = 0.0;  // since the run began; increasing
  std::optional<double> demand_rps;
  int replicas = 0;  // decided: asked for until the next one
};

struct DecisionPicture {
  std::string title;
  std::string sentence;
  std::vector<PicturedDecision> decisions;  // n >= 1, those within [from_s, to_s] and the one before
  std::size_t at = 0;                       // the one that is explained
  std::vector<policy::ForecastPoint> forecast;
  std::optional<policy::PlanBand> band;
  double capacity_rps = 25.0;  // > 0
  double from_s = 0.0, to_s = 1.0;
};

struct PictureWindow {
  double from_s = 0.0, to_s = 1.0;
};

/// Some 64 periods around a decision, two thirds of them before it, or more where the dead time is long; within the run
/// if it is that long.
///   lead_time_s   of the forecast, 0 without one
///   end_s         of the run
PictureWindow window_around(double at_s, double period_s, double lead_time_s, double end_s);

/// `rows` lines of `columns` characters (Unicode), then the axis and what the marks mean.
///   columns, rows   at least 30 and 6
std::string text_picture(const DecisionPicture& picture, int columns = 70, int rows = 12);

/// A whole SVG file, 860 units wide; light or dark as the reader's system is.
std::string svg_picture(const DecisionPicture& picture);

}  // namespace mpca::report
