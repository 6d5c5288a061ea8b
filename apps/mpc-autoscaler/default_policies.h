// What commands run when nobody names a policy: ours, beside the HPA as people run it (60 %, 300 s). `backtest` judges
// against the HPA in any case.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace mpca::app {

inline constexpr std::array<std::string_view, 2> kComparedPolicies = {"predictive", "hpa"};
inline constexpr std::array<std::string_view, 1> kJudgedPolicies = {"predictive"};

inline std::vector<std::string> given_or(const std::vector<std::string>& given,
                                         std::span<const std::string_view> defaults) {
  return given.empty() ? std::vector<std::string>(defaults.begin(), defaults.end()) : given;
}

/// The sentence of --policy.
inline std::string policies_sentence(std::string_view form, std::span<const std::string_view> defaults) {
  std::string names;
  for (const std::string_view name : defaults) names += cat(names.empty() ? "" : " ", name);
  return cat(form, "; see `mpc-autoscaler policies`; not given: ", names);
}

}  // namespace mpca::app
