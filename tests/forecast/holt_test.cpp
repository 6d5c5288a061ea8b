#include "forecast/holt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/text.h"

namespace mpca::forecast {
namespace {

std::vector<double> forecast_of(const std::vector<double>& window, std::size_t lead_times) {
  std::vector<double> forecast(lead_times);
  holt_damped_forecast(window, 0.35, forecast);
  return forecast;
}

// ---- the slow and obvious way

struct Parameters {
  double alpha, beta, phi;
};

/// One-step errors in the textbook's component form (Hyndman and Athanasopoulos, Forecasting, section 8.2).
std::vector<double> errors_of(const std::vector<double>& window, const Parameters& p, double level, double trend) {
  std::vector<double> errors;
  for (const double y : window) {
    errors.push_back(y - (level + p.phi * trend));
    const double last_level = level;
    level = p.alpha * y + (1.0 - p.alpha) * (last_level + p.phi * trend);
    trend = p.beta * (level - last_level) + (1.0 - p.beta) * p.phi * trend;
  }
  return errors;
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// The least sum over initial level and trend, from the errors at three states: they are affine in the state.
double least_sum_of_squares(const std::vector<double>& window, const Parameters& p) {
  const double unit = 1.0 + std::abs(window[0]);
  const auto base = errors_of(window, p, window[0], 0.0);
  auto by_level = errors_of(window, p, window[0] + unit, 0.0), by_trend = errors_of(window, p, window[0], unit);
  for (std::size_t i = 0; i < base.size(); ++i) {
    by_level[i] -= base[i];
    by_trend[i] -= base[i];
  }
  const double ll = inner(by_level, by_level), lt = inner(by_level, by_trend), tt = inner(by_trend, by_trend);
  const double bl = inner(base, by_level), bt = inner(base, by_trend);
  const double determinant = ll * tt - lt * lt;
  const double level = (bt * lt - bl * tt) / determinant, trend = (bl * lt - bt * ll) / determinant;
  const auto errors = errors_of(window, p, window[0] + unit * level, unit * trend);
  return inner(errors, errors);
}

/// A dense grid of the region, and from its best points steps along the axes that halve when none helps.
double searched_sum_of_squares(const std::vector<double>& window) {
  using Point = std::array<double, 3>;
  const auto at = [&](const Point& p) {
    const double alpha = 1e-4 + (1.0 - 2e-4) * std::clamp(p[0], 0.0, 1.0);
    return least_sum_of_squares(window, {alpha, alpha * (1e-4 + (1.0 - 1e-4) * std::clamp(p[1], 0.0, 1.0)),
                                         0.8 + 0.195 * std::clamp(p[2], 0.0, 1.0)});
  };
  std::vector<std::pair<double, Point>> points;
  for (int a = 0; a <= 20; ++a) {
    for (int r = 0; r <= 10; ++r) {
      for (int d = 0; d <= 5; ++d) {
        const Point point = {a / 20.0, r / 10.0, d / 5.0};
        points.emplace_back(at(point), point);
      }
    }
  }
  std::sort(points.begin(), points.end());
  double best = points[0].first;
  for (std::size_t start = 0; start < 30; start += 3) {
    auto [value, point] = points[start];
    for (double step = 0.05; step > 1e-4;) {
      bool is_lower = false;
      for (std::size_t i = 0; i < 3; ++i) {
        for (const double move : {step, -step}) {
          Point next = point;
          next[i] = std::clamp(next[i] + move, 0.0, 1.0);
          if (const double next_value = at(next); next_value < value) {
            value = next_value;
            point = next;
            is_lower = true;
          }
        }
      }
      if (!is_lower) step /= 2.0;
    }
    best = std::min(best, value);
  }
  return best;
}

/// Walks, bursts, steps, waves and drifts, 6 to 60 values long.
std::vector<double> random_window(std::uint32_t number) {
  RandomStream random(11, "holt windows", number);
  const auto length = 6 + random.below(55);
  const auto kind = number % 5;
  const double level = 20.0 + 80.0 * random.uniform();
  double walk = level, drift = 0.0;
  std::vector<double> window;
  for (std::uint64_t i = 0; i < length; ++i) {
    double value = level + 3.0 * random.normal();
    if (kind == 0) value = walk += 5.0 * random.normal();
    if (kind == 1 && i > length / 2 && i < length / 2 + 3) value += 150.0;
    if (kind == 2 && i > length / 2) value += 60.0;
    if (kind == 3) value += 50.0 * std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / 20.0);
    if (kind == 4) value = walk += (drift = 0.9 * drift + random.normal()) + random.normal();
    window.push_back(std::max(0.0, value));
  }
  return window;
}

// ---- tests

TEST(HoltDamped, AShortWindowFallsBackToSmoothing) {
  // a = 0.35: 10, then 0.35 x 20 + 0.65 x 10 = 13.5.
  EXPECT_EQ(forecast_of({10.0, 20.0}, 3), (std::vector{13.5, 13.5, 13.5}));
  EXPECT_EQ(forecast_of({10.0, 10.0, 10.0, 10.0, 20.0}, 1), std::vector{13.5});
}

TEST(HoltDamped, AConstantWindowStaysExactlyThere) {
  EXPECT_EQ(forecast_of(std::vector<double>(60, 20.0), 8), std::vector<double>(8, 20.0));
  EXPECT_EQ(forecast_of(std::vector<double>(6, 0.0), 2), std::vector<double>(2, 0.0));
}

// A damped trend of phi = 0.9 without noise: level 100 + 0.9 x 10, then + 0.81 x 10, … It is a model of the family, so
// the fit leaves nothing and the forecast goes on: after n steps the sum of 10 x 0.9^i.
TEST(HoltDamped, ASeriesOfTheModelIsContinued) {
  std::vector<double> series;
  double level = 100.0, trend = 10.0;
  for (int i = 0; i < 34; ++i) {
    trend *= 0.9;
    level += trend;
    series.push_back(level);
  }
  const std::vector<double> window(series.begin(), series.begin() + 30);
  const HoltFit fit = fit_holt_damped(window);
  EXPECT_NEAR(fit.damping, 0.9, 1e-3);
  EXPECT_LT(fit.sum_of_squares, 1e-4);
  const auto forecast = forecast_of(window, 4);
  for (std::size_t h = 0; h < 4; ++h) EXPECT_NEAR(forecast[h], series[30 + h], 0.01);
}

TEST(HoltDamped, DemandIsNeverForecastBelowZero) {
  std::vector<double> falling;
  for (int i = 0; i < 20; ++i) falling.push_back(100.0 - 5.0 * i);
  const auto forecast = forecast_of(falling, 10);
  EXPECT_NEAR(forecast[0], 0.0, 1.0);
  EXPECT_EQ(forecast[9], 0.0);
}

TEST(HoltDamped, ALevelAddedToAllValuesIsAddedToTheForecast) {
  std::vector<double> window = random_window(3), shifted = window;
  for (double& value : shifted) value += 1000.0;
  const auto forecast = forecast_of(window, 8), shifted_forecast = forecast_of(shifted, 8);
  const HoltFit fit = fit_holt_damped(window), shifted_fit = fit_holt_damped(shifted);
  EXPECT_NEAR(shifted_fit.sum_of_squares, fit.sum_of_squares, 1e-6 * fit.sum_of_squares);
  for (std::size_t h = 0; h < 8; ++h) EXPECT_NEAR(shifted_forecast[h], forecast[h] + 1000.0, 0.05);
}

TEST(HoltDamped, TheFitDescribesItself) {
  for (std::uint32_t number = 0; number < 200; ++number) {
    const auto window = random_window(number);
    const HoltFit fit = fit_holt_damped(window);
    EXPECT_GT(fit.smoothing_level, 0.0);
    EXPECT_LT(fit.smoothing_level, 1.0);
    EXPECT_GT(fit.smoothing_trend, 0.0);
    EXPECT_LE(fit.smoothing_trend, fit.smoothing_level);
    EXPECT_GE(fit.damping, 0.8);
    EXPECT_LE(fit.damping, 0.995);
    const auto errors = errors_of(window, {fit.smoothing_level, fit.smoothing_trend, fit.damping}, fit.initial_level,
                                  fit.initial_trend);
    EXPECT_NEAR(inner(errors, errors), fit.sum_of_squares, 1e-6 * (1.0 + fit.sum_of_squares)) << "window " << number;
  }
}

TEST(HoltDamped, TheSameWindowGivesTheSameBits) {
  const auto window = random_window(8);
  EXPECT_EQ(forecast_of(window, 8), forecast_of(window, 8));
}

TEST(HoltDamped, NoWindowIsFittedMuchWorseThanByAnExhaustiveSearch) {
  // Allowed: 1 % of the sum, and 0.1 % of the window's own sum of squares where almost nothing is left to fit.
  int beaten = 0;
  for (std::uint32_t number = 0; number < 150; ++number) {
    const auto window = random_window(number);
    double mean = 0.0, spread = 0.0;
    for (const double value : window) mean += value / static_cast<double>(window.size());
    for (const double value : window) spread += (value - mean) * (value - mean);
    const double ours = fit_holt_damped(window).sum_of_squares, searched = searched_sum_of_squares(window);
    EXPECT_LE(ours, 1.01 * searched + 1e-3 * spread) << "window " << number;
    if (ours <= searched) ++beaten;
  }
  EXPECT_GE(beaten, 75);  // the search steps along axes and ends early in narrow valleys
}

// The reference lab's recorded forecasts. Its optimiser starts once and may stay in another basin; agreement of a value
// is max(2 rps, 5 %), and 90 % of the values have to agree (README.md beside the data).
TEST(HoltDamped, NineOfTenRecordedForecastsOfTheReferenceLabAgree) {
  const std::string directory = MPCA_TEST_DATA "/reference/vectors/";
  std::map<std::string, std::vector<double>> demand_rps;  // by setting and trace
  std::ifstream steps(directory + "offline_steps.csv"), forecasts(directory + "offline_holt_forecasts.csv");
  ASSERT_TRUE(steps && forecasts) << "no reference vectors in " << directory;
  std::string line;
  for (std::getline(steps, line); std::getline(steps, line);) {
    const auto fields = split(line, ',');
    demand_rps[cat(fields[0], ",", fields[1])].push_back(parse_double(fields[3]).value());
  }
  int values = 0, agreed = 0;
  for (std::getline(forecasts, line); std::getline(forecasts, line);) {
    const auto fields = split(line, ',');
    const auto& demand = demand_rps.at(cat(fields[0], ",", fields[1]));
    const auto end = static_cast<std::size_t>(parse_int(fields[2]).value()) + 1;
    const std::vector<double> window(demand.begin() + static_cast<std::ptrdiff_t>(end > 60 ? end - 60 : 0),
                                     demand.begin() + static_cast<std::ptrdiff_t>(end));
    const auto forecast = forecast_of(window, fields.size() - 3);
    for (std::size_t h = 0; h < forecast.size(); ++h) {
      const double recorded = parse_double(fields[3 + h]).value();
      ++values;
      if (std::abs(forecast[h] - recorded) <= std::max(2.0, 0.05 * std::abs(recorded))) ++agreed;
    }
  }
  EXPECT_EQ(values, 1968);  // 246 steps of 8 lead times
  EXPECT_GE(agreed, 1900);  // 96.5 %; 1927 when this was written
}

}  // namespace
}  // namespace mpca::forecast
