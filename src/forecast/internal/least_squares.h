// Linear regression that forgets: recursive least squares (Plackett (1950), Some theorems in least squares, Biometrika
// 37, 149-157) with exponential forgetting. What is not excited for long must not make the covariance grow without end,
// so forgetting stops while its trace is as large as at the start.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace mpca::forecast::internal {

template <std::size_t Features>
class LeastSquares {
 public:
  using Vector = std::array<double, Features>;

  LeastSquares() {
    for (std::size_t i = 0; i < Features; ++i) covariance_[i][i] = kStart;
  }

  double predict(const Vector& x) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < Features; ++i) sum += weights_[i] * x[i];
    return sum;
  }

  /// One pair. Errors beyond +-kErrorLimit count as that: one burst must not bend the line.
  void learn(const Vector& x, double y) {
    Vector gain{};
    double denominator = kForgetting, trace = 0.0;
    for (std::size_t i = 0; i < Features; ++i) {
      for (std::size_t j = 0; j < Features; ++j) gain[i] += covariance_[i][j] * x[j];
      denominator += gain[i] * x[i];
      trace += covariance_[i][i];
    }
    const double error = std::clamp(y - predict(x), -kErrorLimit, kErrorLimit);
    const double growth = trace < kStart * Features ? 1.0 / kForgetting : 1.0;
    for (std::size_t i = 0; i < Features; ++i) {
      weights_[i] += gain[i] / denominator * error;
      for (std::size_t j = 0; j <= i; ++j) {
        covariance_[i][j] = (covariance_[i][j] - gain[i] * gain[j] / denominator) * growth;
        covariance_[j][i] = covariance_[i][j];
      }
    }
  }

  template <class Visit>
  void visit(Visit&& visit) {
    for (Vector& row : covariance_) visit(row);
    visit(weights_);
  }

 private:
  static constexpr double kForgetting = 0.9995;  // per pair: about the last 2000
  static constexpr double kStart = 10.0;
  static constexpr double kErrorLimit = 0.7;

  std::array<Vector, Features> covariance_{};
  Vector weights_{};
};

}  // namespace mpca::forecast::internal
