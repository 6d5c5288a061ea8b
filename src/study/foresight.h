// `clairvoyant`: what perfect foresight of the arrival rate would have asked for, with the same pods, the same dead
// time and the same control instants as everybody else. The exact integer planner on the true rate; what it does not
// know is the noise of single arrivals and of single pods' lags.
//
// Its cost of a stage is the bill itself: price × late requests, as M/D/c waiting at the true rate has them, made
// convex (between nothing served and all served in time a straight line). It is therefore the optimum of a bill, and
// the ruler that nothing should lie below; a small family of prices and dead times covers the violation levels.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policy/policy.h"
#include "study/play.h"
#include "study/preset.h"

namespace mpca::study {

inline constexpr std::string_view kClairvoyant = "clairvoyant";

/// Whether `text` names clairvoyance: it is not in the registry of policies, because it is shown the truth.
bool is_clairvoyant(std::string_view text);

/// The members of the family, `clairvoyant:price=10,stages=3`: dead times × prices that cover the violation levels.
std::vector<std::string> clairvoyant_family(const Preset& preset);

/// Its members for these prices, in their order.
std::vector<std::string> clairvoyant_members(const Preset& preset, std::span<const double> prices);

/// The plan of one member on `play`, one spec per control period.
///   errors   invalid_argument  `text` is not a member's text
Result<std::vector<int>> clairvoyant_plan(std::string_view text, const Play& play, const Preset& preset,
                                          const sim::WaitingTimes& waiting);

/// Asks for plan[k] at the k-th control instant, whatever it sees.
std::unique_ptr<policy::Policy> follow_plan(std::vector<int> plan);

}  // namespace mpca::study
