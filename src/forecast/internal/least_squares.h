// Linear regression with an intercept that forgets: recursive least squares (Plackett (1950), Some theorems in least
// squares, Biometrika 37, 149-157) with exponential forgetting. What is not excited for long must not make the
// covariance grow without end, so forgetting stops while its trace is as large as at the start.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace mpca::forecast::internal {

template <std::size_t Features>
class LeastSquares {
 public:
  using Vector = std::array<double, Features>;

  LeastSquares() {
    for (std::size_t i = 0; i < kWeights; ++i) covariance(i, i) = kStart;
  }

  double predict(const Vector& x) const {
    double sum = weights_[0];
    for (std::size_t i = 0; i < Features; ++i) sum += weights_[i + 1] * x[i];
    return sum;
  }

  /// One pair. Errors beyond +-kErrorLimit count as that: one burst must not bend the line.
  void learn(const Vector& x, double y) {
    std::array<double, kWeights> with_one{1.0}, gain{};
    std::copy(x.begin(), x.end(), with_one.begin() + 1);
    double denominator = kForgetting, trace = 0.0;
    for (std::size_t i = 0; i < kWeights; ++i) {
      for (std::size_t j = 0; j < kWeights; ++j) gain[i] += covariance(std::max(i, j), std::min(i, j)) * with_one[j];
      denominator += gain[i] * with_one[i];
      trace += covariance(i, i);
    }
    const double error = std::clamp(y - predict(x), -kErrorLimit, kErrorLimit);
    const double growth = trace < kStart * kWeights ? 1.0 / kForgetting : 1.0;
    for (std::size_t i = 0; i < kWeights; ++i) {
      weights_[i] += gain[i] / denominator * error;
      for (std::size_t j = 0; j <= i; ++j)
        covariance(i, j) = (covariance(i, j) - gain[i] * gain[j] / denominator) * growth;
    }
  }

  template <class Visit>
  void visit(Visit&& visit) {
    visit(covariance_);
    visit(weights_);
  }

  /// What learning can lead to; the weights' bound is far beyond it.
  bool is_valid() const {
    for (std::size_t i = 0; i < kWeights; ++i) {
      if (covariance(i, i) < 0.0) return false;
      for (std::size_t j = 0; j < i; ++j)
        if (std::abs(covariance(i, j)) > 2.0 * kStart * kWeights) return false;
      if (covariance(i, i) > 2.0 * kStart * kWeights || std::abs(weights_[i]) > 1e9) return false;
    }
    return true;
  }

 private:
  static constexpr double kForgetting = 0.9995;  // per pair: about the last 2000
  static constexpr double kStart = 10.0;
  static constexpr double kErrorLimit = 0.7;
  static constexpr std::size_t kWeights = Features + 1;  // the intercept first

  // Symmetric: rows of the lower triangle, one after the other.
  double& covariance(std::size_t row, std::size_t column) { return covariance_[row * (row + 1) / 2 + column]; }
  double covariance(std::size_t row, std::size_t column) const { return covariance_[row * (row + 1) / 2 + column]; }

  std::array<double, kWeights*(kWeights + 1) / 2> covariance_{};
  std::array<double, kWeights> weights_{};
};

}  // namespace mpca::forecast::internal
