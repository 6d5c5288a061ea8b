// What is scaled.
#pragma once

#include <compare>
#include <string>

namespace mpca::control {

struct TargetRef {
  std::string api_version = "apps/v1";
  std::string kind = "Deployment";
  std::string namespace_name;
  std::string name;
  std::strong_ordering operator<=>(const TargetRef&) const = default;
};

}  // namespace mpca::control
