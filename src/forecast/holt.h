// Holt's linear trend with damping, additive, fitted anew to a short window by least squares: the reference lab's
// offline forecast `hw`. In innovations form, with level l, trend b, damping phi and one-step error e:
//
//   e(t) = y(t) - l(t-1) - phi b(t-1)
//   l(t) = l(t-1) + phi b(t-1) + alpha e(t)
//   b(t) = phi b(t-1) + alpha beta e(t)
//
// with 0 < beta <= alpha < 1 and 0.8 <= phi <= 0.995. The bound of beta by alpha is that of the lab's library
// (statsmodels 0.13, Holt with damped_trend and estimated initialisation); on its recorded fits beta is often exactly
// alpha.
//
// The errors are linear in the initial level and trend, so for each (alpha, beta, phi) the best two are the solution of
// a 2 x 2 system, and only three parameters in a box are left to search (variable projection; Golub and Pereyra (1973),
// The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate, SIAM J. Numer.
// Anal. 10, 413-432). The sum of squares has several minima: a coarse grid finds their basins, a quasi-Newton descent
// their bottoms. The lab's optimiser starts once and stays in the basin of its start, so the two agree often and not
// always. Ours stops after a fixed number of steps and never by the clock: the same window gives the same forecast.
// Gardner and McKenzie (1985), Forecasting trends in time series, Management Science 31, 1237-1246.
#pragma once

#include <cstddef>
#include <span>

namespace mpca::forecast {

/// Windows shorter than this say too little about five parameters; the forecast is then exponential smoothing.
inline constexpr std::size_t kHoltMinimumWindow = 6;

/// A fitted model and where it stands at the end of the window.
struct HoltFit {
  double smoothing_level = 0.0;  // alpha in (0, 1)
  double smoothing_trend = 0.0;  // beta in (0, alpha]: the share of each change of level that the trend takes up
  double damping = 0.0;          // phi in [0.8, 0.995], per step
  double initial_level = 0.0;
  double initial_trend = 0.0;
  double level = 0.0;  // after the last value
  double trend = 0.0;
  double sum_of_squares = 0.0;  // of the one-step errors over the window
};

/// The fit of least squares.
///
///   window   at least kHoltMinimumWindow finite values (MPCA_CHECK), in order of time, equally spaced
///   errors   none; values beyond 1e100 overflow the sum of squares
///   cost     O(n) per evaluation, at most 72 + 4 x 30 x 10 of them, typically 140; no allocation
HoltFit fit_holt_damped(std::span<const double> window);

/// The forecast of each lead time h = 1, 2, … steps: level + (phi + … + phi^h) trend, never below zero (demand is not).
/// Shorter windows than kHoltMinimumWindow give exponential smoothing with `es_fallback_smoothing`, flat.
///
///   window         at least one finite value (MPCA_CHECK)
///   forecast_out   one element per lead time, filled
void holt_damped_forecast(std::span<const double> window, double es_fallback_smoothing, std::span<double> forecast_out);

}  // namespace mpca::forecast
