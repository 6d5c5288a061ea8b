#include "forecast/holt.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/result.h"
#include "forecast/exponential_smoothing.h"

namespace mpca::forecast {
namespace {

using Point = std::array<double, 3>;  // alpha, beta, phi

constexpr Point kLow = {1e-4, 1e-4, 0.8};
constexpr Point kHigh = {1.0 - 1e-4, 1.0 - 1e-4, 0.995};
constexpr int kSimplexSteps = 200;

Point clamped(Point point) {
  for (std::size_t i = 0; i < point.size(); ++i) point[i] = std::clamp(point[i], kLow[i], kHigh[i]);
  return point;
}

/// The best initial state at `point` and its sum of squares. The window is taken relative to its first value, which
/// moves all levels alike and keeps the sums free of cancellation.
HoltFit fit_initial_state(std::span<const double> window, const Point& point) {
  const auto [alpha, beta, phi] = point;
  const double origin = window.front();
  struct State {
    double level, trend;
  };
  State from_data{0.0, 0.0}, from_level{1.0, 0.0}, from_trend{0.0, 1.0};
  const auto step = [&](State& state, double value) {
    const double damped = phi * state.trend;
    const double error = value - state.level - damped;
    state.level += damped + alpha * error;
    state.trend = damped + alpha * beta * error;
    return error;
  };
  double dd = 0.0, dl = 0.0, dt = 0.0, ll = 0.0, lt = 0.0, tt = 0.0;
  for (const double value : window) {
    const double d = step(from_data, value - origin);
    const double l = step(from_level, 0.0);
    const double t = step(from_trend, 0.0);
    dd += d * d;
    dl += d * l;
    dt += d * t;
    ll += l * l;
    lt += l * t;
    tt += t * t;
  }
  const double determinant = ll * tt - lt * lt;
  const double level = -(dl * tt - dt * lt) / determinant;
  const double trend = -(dt * ll - dl * lt) / determinant;
  return {.smoothing_level = alpha,
          .smoothing_trend = beta,
          .damping = phi,
          .initial_level = origin + level,
          .initial_trend = trend,
          .level = origin + from_data.level + level * from_level.level + trend * from_trend.level,
          .trend = from_data.trend + level * from_level.trend + trend * from_trend.trend,
          .sum_of_squares = std::max(0.0, dd + level * dl + trend * dt)};
}

double sum_of_squares(std::span<const double> window, const Point& point) {
  return fit_initial_state(window, point).sum_of_squares;
}

Point best_of_grid(std::span<const double> window) {
  Point best{};
  double least = 0.0;
  bool first = true;
  for (const double phi : {0.85, 0.95, 0.99}) {
    for (const double alpha : {0.05, 0.25, 0.5, 0.75, 0.95}) {
      for (const double beta : {0.02, 0.2, 0.5, 0.8}) {
        const double sum = sum_of_squares(window, {alpha, beta, phi});
        if (first || sum < least) {
          first = false;
          least = sum;
          best = {alpha, beta, phi};
        }
      }
    }
  }
  return best;
}

Point nelder_mead(std::span<const double> window, const Point& start) {
  struct Vertex {
    Point point;
    double value;
  };
  const auto vertex = [&](const Point& point) {
    const Point inside = clamped(point);
    return Vertex{inside, sum_of_squares(window, inside)};
  };
  constexpr Point kSize = {0.1, 0.1, 0.04};
  std::array<Vertex, 4> simplex;
  simplex[0] = vertex(start);
  for (std::size_t i = 0; i < 3; ++i) {
    Point point = start;
    point[i] += point[i] + kSize[i] > kHigh[i] ? -kSize[i] : kSize[i];
    simplex[i + 1] = vertex(point);
  }
  const auto by_value = [](const Vertex& a, const Vertex& b) { return a.value < b.value; };
  for (int k = 0; k < kSimplexSteps; ++k) {
    std::ranges::stable_sort(simplex, by_value);
    Vertex& worst = simplex[3];
    const auto along = [&](double factor) {
      Point point{};
      for (std::size_t i = 0; i < 3; ++i) {
        const double centre = (simplex[0].point[i] + simplex[1].point[i] + simplex[2].point[i]) / 3.0;
        point[i] = centre + factor * (worst.point[i] - centre);
      }
      return vertex(point);
    };
    const Vertex reflected = along(-1.0);
    if (reflected.value < simplex[0].value) {
      const Vertex expanded = along(-2.0);
      worst = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[2].value) {
      worst = reflected;
    } else {
      const Vertex contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < std::min(worst.value, reflected.value)) {
        worst = contracted;
      } else {
        for (std::size_t v = 1; v < 4; ++v) {
          Point point{};
          for (std::size_t i = 0; i < 3; ++i) point[i] = 0.5 * (simplex[0].point[i] + simplex[v].point[i]);
          simplex[v] = vertex(point);
        }
      }
    }
  }
  return std::ranges::min_element(simplex, by_value)->point;
}

}  // namespace

HoltFit fit_holt_damped(std::span<const double> window) {
  MPCA_CHECK(window.size() >= kHoltMinimumWindow, "a Holt fit needs kHoltMinimumWindow values");
  return fit_initial_state(window, nelder_mead(window, best_of_grid(window)));
}

void holt_damped_forecast(std::span<const double> window, double es_fallback_smoothing,
                          std::span<double> forecast_out) {
  if (window.size() < kHoltMinimumWindow) {
    std::ranges::fill(forecast_out, smoothed_level(window, es_fallback_smoothing));
    return;
  }
  const HoltFit fit = fit_holt_damped(window);
  double power = 1.0, damped_trend = 0.0;
  for (double& value : forecast_out) {
    power *= fit.damping;
    damped_trend += power * fit.trend;
    value = std::max(0.0, fit.level + damped_trend);
  }
}

}  // namespace mpca::forecast
