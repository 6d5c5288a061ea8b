#include "sim/demand_curve.h"

#include <algorithm>
#include <cmath>

namespace mpca::sim {
namespace {

/// The integral of the curve from 0 to time t, in steps; `t` within [0, n].
class Integral {
 public:
  Integral(const std::vector<double>& demand, Interpolation interpolation)
      : demand_(demand), interpolation_(interpolation), whole_(demand.size() + 1, 0.0) {
    for (std::size_t i = 0; i < demand.size(); ++i) whole_[i + 1] = whole_[i] + within(i, 1.0);
  }

  double operator()(double t) const {
    const std::size_t i = std::min(static_cast<std::size_t>(t), demand_.size() - 1);
    return whole_[i] + within(i, t - static_cast<double>(i));
  }

 private:
  double at_edge(std::size_t edge) const {
    if (edge == 0) return demand_.front();
    if (edge == demand_.size()) return demand_.back();
    return 0.5 * (demand_[edge - 1] + demand_[edge]);
  }

  /// Over the first `part` of step i: trapezoids edge - middle - edge.
  double within(std::size_t i, double part) const {
    const double middle = demand_[i];
    if (interpolation_ == Interpolation::held) return middle * part;
    const double left = at_edge(i);
    const double right = at_edge(i + 1);
    const double first = std::min(part, 0.5);
    const double second = std::max(part - 0.5, 0.0);
    return first * (left + (middle - left) * first) + second * (middle + (right - middle) * second);
  }

  const std::vector<double>& demand_;
  Interpolation interpolation_;
  std::vector<double> whole_;
};

}  // namespace

std::vector<double> rate_per_second(const trace::DemandTrace& trace, Interpolation interpolation) {
  const Integral integral(trace.demand_rps, interpolation);
  const double step_s = to_seconds(trace.step);
  const auto seconds =
      static_cast<std::size_t>(std::floor(step_s * static_cast<double>(trace.demand_rps.size()) + 1e-9));
  std::vector<double> rates(seconds);
  double before = 0.0;
  for (std::size_t s = 0; s < seconds; ++s) {
    const double after =
        integral(std::min(static_cast<double>(s + 1) / step_s, static_cast<double>(trace.demand_rps.size())));
    rates[s] = std::max((after - before) * step_s, 0.0);
    before = after;
  }
  return rates;
}

}  // namespace mpca::sim
