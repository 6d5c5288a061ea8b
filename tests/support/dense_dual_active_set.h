// A slow, general and independent way to solve a strictly convex quadratic program, for tests: it knows nothing of
// stages.
//
//   minimise ½ zᵀ P z + qᵀ z   subject to   G z >= h
//
// The dual method with dense matrices: from the unconstrained minimum, take in the most violated row, drop rows whose
// multiplier would turn negative, until none is violated. Goldfarb and Idnani (1983), A numerically stable dual method
// for solving strictly convex quadratic programs, Mathematical Programming 27, 1-33.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace mpca::test {

using Real = long double;  // the weights of a plan may differ by 1e9, and its matrix is as badly conditioned
using Vector = std::vector<Real>;
using Matrix = std::vector<Vector>;  // rows

inline Real dot(std::span<const Real> a, std::span<const Real> b) {
  Real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct DenseQpSolution {
  Vector z;
  Vector multipliers;  // one per row of G, >= 0
};

class DenseDualActiveSet {
 public:
  /// nullopt when no z satisfies all rows, or when more than 50 rows per variable were taken in.
  static std::optional<DenseQpSolution> solve(const Matrix& P, const Vector& q, const Matrix& G, const Vector& h,
                                              Real tolerance) {
    DenseDualActiveSet method(P, q);
    return method.run(G, h, tolerance);
  }

 private:
  DenseDualActiveSet(const Matrix& P, const Vector& q) : n_(q.size()), z_(n_), j_(n_, Vector(n_)), r_(n_, Vector(n_)) {
    // P = L Lᵀ; J = L^-T; z = -P^-1 q.
    Matrix l(n_, Vector(n_));
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t k = 0; k <= i; ++k) {
        Real value = P[i][k];
        for (std::size_t m = 0; m < k; ++m) value -= l[i][m] * l[k][m];
        l[i][k] = i == k ? std::sqrt(value) : value / l[k][k];
      }
    }
    for (std::size_t column = 0; column < n_; ++column) {
      Vector unit(n_);
      for (std::size_t i = column; i < n_; ++i) {
        Real value = i == column ? 1 : 0;
        for (std::size_t m = column; m < i; ++m) value -= l[i][m] * unit[m];
        unit[i] = value / l[i][i];
      }
      j_[column] = unit;  // row `column` of L^-T is column `column` of L^-1
    }
    Vector jq(n_);
    for (std::size_t k = 0; k < n_; ++k)
      for (std::size_t i = 0; i < n_; ++i) jq[k] += j_[i][k] * q[i];
    for (std::size_t i = 0; i < n_; ++i) z_[i] = -dot(j_[i], jq);
  }

  std::optional<DenseQpSolution> run(const Matrix& G, const Vector& h, Real tolerance) {
    std::vector<char> is_active(h.size());
    for (std::size_t round = 0; round < 50 * n_; ++round) {
      std::size_t worst = h.size();
      Real worst_slack = -tolerance;
      for (std::size_t i = 0; i < h.size(); ++i) {
        const Real slack = is_active[i] ? 0 : dot(G[i], z_) - h[i];
        if (slack < worst_slack) {
          worst_slack = slack;
          worst = i;
        }
      }
      if (worst == h.size()) {
        DenseQpSolution solution{z_, Vector(h.size())};
        for (std::size_t k = 0; k < active_.size(); ++k) solution.multipliers[active_[k]] = multipliers_[k];
        return solution;
      }
      Real multiplier = 0;
      for (;;) {
        Vector d(n_);
        for (std::size_t k = 0; k < n_; ++k)
          for (std::size_t i = 0; i < n_; ++i) d[k] += j_[i][k] * G[worst][i];
        const std::size_t m = active_.size();
        Vector r(m);
        for (std::size_t i = m; i-- > 0;) {
          r[i] = d[i];
          for (std::size_t k = i + 1; k < m; ++k) r[i] -= r_[i][k] * r[k];
          r[i] /= r_[i][i];
        }
        Vector direction(n_);
        Real free_square = 0;
        for (std::size_t k = m; k < n_; ++k) free_square += d[k] * d[k];
        for (std::size_t i = 0; i < n_; ++i)
          for (std::size_t k = m; k < n_; ++k) direction[i] += j_[i][k] * d[k];

        Real until_drop = std::numeric_limits<Real>::infinity();
        std::size_t dropped = m;
        for (std::size_t k = 0; k < m; ++k) {
          if (r[k] > 0 && multipliers_[k] / r[k] < until_drop) {
            until_drop = multipliers_[k] / r[k];
            dropped = k;
          }
        }
        const bool depends = free_square <= 1e-28L * dot(d, d);
        const Real slack = dot(G[worst], z_) - h[worst];
        const Real until_met = depends ? std::numeric_limits<Real>::infinity() : -slack / free_square;
        const Real step = std::min(until_drop, until_met);
        if (!std::isfinite(step)) return std::nullopt;
        if (!depends)
          for (std::size_t i = 0; i < n_; ++i) z_[i] += step * direction[i];
        for (std::size_t k = 0; k < m; ++k) multipliers_[k] -= step * r[k];
        multiplier += step;
        if (until_met <= until_drop) {
          add(worst, multiplier, d);
          is_active[worst] = 1;
          break;
        }
        is_active[active_[dropped]] = 0;
        drop(dropped);
      }
    }
    return std::nullopt;
  }

  static std::pair<Real, Real> rotation(Real a, Real b) {
    const Real length = std::hypot(a, b);
    return length == 0 ? std::pair{Real(1), Real(0)} : std::pair{a / length, b / length};
  }

  // Rotates columns `k` and `k + 1` of J.
  void rotate_j(std::size_t k, Real c, Real s) {
    for (std::size_t i = 0; i < n_; ++i) {
      const Real a = j_[i][k], b = j_[i][k + 1];
      j_[i][k] = c * a + s * b;
      j_[i][k + 1] = c * b - s * a;
    }
  }

  void add(std::size_t row, Real multiplier, Vector& d) {
    const std::size_t m = active_.size();
    for (std::size_t k = n_ - 1; k > m; --k) {
      const auto [c, s] = rotation(d[k - 1], d[k]);
      d[k - 1] = c * d[k - 1] + s * d[k];
      d[k] = 0;
      rotate_j(k - 1, c, s);
    }
    for (std::size_t i = 0; i <= m; ++i) r_[i][m] = d[i];
    active_.push_back(row);
    multipliers_.push_back(multiplier);
  }

  void drop(std::size_t index) {
    const std::size_t m = active_.size();
    for (std::size_t column = index; column + 1 < m; ++column) {
      for (std::size_t i = 0; i < m; ++i) r_[i][column] = r_[i][column + 1];
      const auto [c, s] = rotation(r_[column][column], r_[column + 1][column]);
      for (std::size_t k = column; k < m; ++k) {
        const Real upper = r_[column][k], lower = r_[column + 1][k];
        r_[column][k] = c * upper + s * lower;
        r_[column + 1][k] = c * lower - s * upper;
      }
      // The columns right of `column` still stand one place to the right; they are rotated with it above.
      rotate_j(column, c, s);
    }
    for (std::size_t i = 0; i < m; ++i) r_[i][m - 1] = 0;
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(index));
    multipliers_.erase(multipliers_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  std::size_t n_;
  Vector z_;
  Matrix j_, r_;
  std::vector<std::size_t> active_;
  Vector multipliers_;
};

}  // namespace mpca::test
