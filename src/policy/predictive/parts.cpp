#include "policy/predictive/parts.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::policy {
namespace {

struct Name {
  std::string_view text;
  Part part;
};
constexpr Name kNames[] = {
    {"levels", Part::levels},     {"trends", Part::trends}, {"planners", Part::planners},   {"keeping", Part::keeping},
    {"contexts", Part::contexts}, {"mean", Part::mean},     {"in-flight", Part::in_flight}, {"backlog", Part::backlog},
};

}  // namespace

std::string names_of_parts() {
  std::string names;
  for (const Name& name : kNames) names += cat(names.empty() ? "" : ", ", name.text);
  return names;
}

Result<Parts> parse_parts(std::string_view text) {
  Parts parts;
  if (trim(text).empty()) return parts;
  Problems problems;
  for (const std::string_view each : split(text, ';')) {
    const auto* const name = std::ranges::find(kNames, trim(each), &Name::text);
    if (name == std::end(kNames)) {
      problems.add(cat("\"", trim(each), "\" must be one of ", names_of_parts()));
    } else {
      parts.add(name->part);
    }
  }
  if (problems.empty() && candidates_without(parts).count() == 1)
    problems.add("somebody has to decide: not all of levels, trends, planners and keeping can be left out");
  MPCA_TRY_VOID(problems.to_result());
  return parts;
}

Tournament::Members candidates_without(Parts parts) {
  Tournament::Members members;
  const auto set = [&](std::size_t first, std::size_t count, Part part) {
    for (std::size_t c = first; c < first + count; ++c) members[c] = !parts.has(part);
  };
  set(0, Candidates::kRules, Part::levels);
  set(Candidates::kRules, Candidates::kTrends, Part::trends);
  set(Candidates::kRules + Candidates::kTrends, Candidates::kLevels, Part::planners);
  set(Candidates::kOwnHpa - Candidates::kPlannerPairs, Candidates::kPlannerPairs, Part::keeping);
  members.set(Candidates::kOwnHpa);
  return members;
}

}  // namespace mpca::policy
