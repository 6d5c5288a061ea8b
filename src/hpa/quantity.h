// Kubernetes quantities: `250m`, `1.5`, `100Mi`, `5e3`. The HPA calculates with whole milli-units only, so that is what
// a quantity becomes: 1 core is 1000, 1 byte is 1000. What is finer than a milli-unit rounds away from zero.
// Kubernetes 1.35, apimachinery/pkg/api/resource/quantity.go.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"

namespace mpca::hpa {

struct Quantity {
  std::int64_t milli = 0;
  /// What the controller reads as a floating-point number: whole number x power of ten of the stored form, so `0.575`,
  /// stored as `575m`, is 575 x 0.001 = 0.5750000000000001.
  double number = 0.0;
  bool operator==(const Quantity&) const = default;
};

///   errors   invalid_argument  not of the grammar, or beyond 2^63 - 1 milli-units
Result<Quantity> parse_quantity(std::string_view text);

/// The shortest text of so many milli-units: `250m`, `2`.
std::string milli_text(std::int64_t milli);

}  // namespace mpca::hpa
