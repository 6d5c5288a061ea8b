// Statistics of samples, as the field's tools compute them.
#pragma once

#include <span>
#include <vector>

namespace mpca {

/// The quantile at `level` of n >= 1 values, linear between order statistics at position level (n - 1) (numpy's
/// default, type 7 of Hyndman and Fan (1996), Sample quantiles in statistical packages, The American Statistician 50,
/// 361-365). `values` is reordered. O(n).
double quantile_linear(std::vector<double>& values, double level);

/// 0 for no values. Summed in order.
double mean(std::span<const double> values);

}  // namespace mpca
