// Go's integers: two's complement, overflow wraps. What C++ leaves undefined is what upstream computes with.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace mpca::hpa::internal {

inline std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
/// Towards zero; `b` is not 0.
inline std::int64_t divide(std::int64_t a, std::int64_t b) { return b == -1 ? multiply(a, -1) : a / b; }

inline std::int32_t add32(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
inline std::int32_t subtract32(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

/// int32(x) and int64(x) of Go. Where the double does not fit, Go leaves the result to the processor; here it
/// saturates.
template <class Integer>
Integer truncated(double x) {
  constexpr auto kLow = static_cast<double>(std::numeric_limits<Integer>::min());
  constexpr double kAboveHigh = -kLow;
  if (std::isnan(x)) return 0;
  if (x < kLow) return std::numeric_limits<Integer>::min();
  if (x >= kAboveHigh) return std::numeric_limits<Integer>::max();
  return static_cast<Integer>(x);
}

}  // namespace mpca::hpa::internal
