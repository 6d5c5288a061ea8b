#include "report/run_decisions.h"

#include <algorithm>
#include <limits>

namespace mpca::report {

std::vector<int> kept_every(std::span<const std::int64_t> made, std::int64_t in_all) {
  std::vector<std::int64_t> shortest_first(made.begin(), made.end());
  std::sort(shortest_first.begin(), shortest_first.end());
  std::int64_t left = in_all, most = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < shortest_first.size(); ++i) {
    const std::int64_t share = left / static_cast<std::int64_t>(shortest_first.size() - i);
    if (shortest_first[i] > share) {
      most = std::max<std::int64_t>(share, 1);
      break;
    }
    left -= shortest_first[i];
  }
  std::vector<int> every;
  for (const std::int64_t decisions : made)
    every.push_back(static_cast<int>(decisions <= most ? 1 : (decisions + most - 1) / most));
  return every;
}

DecisionKeeper::DecisionKeeper(const policy::Workload& workload, int every) : workload_(workload) {
  decisions_.every = every;
}

void DecisionKeeper::add(const policy::Observation& observation, const policy::Decision& decision) {
  if (decisions_.made == 0) first_ = observation.now;
  if (decisions_.made++ % decisions_.every != 0) return;
  ToldDecision& told = decisions_.kept.emplace_back();
  told.time_s = to_seconds(observation.now - first_);
  told.sentence = explanation_sentence(observation, decision);
  if (says_more_than_its_sentence(decision.explanation)) told.parts = account_parts(observation, decision, workload_);
}

}  // namespace mpca::report
