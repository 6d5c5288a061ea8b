#include "policy/predictive/explanation.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace mpca::policy {

void explain(const Grounds& grounds, Explanation& explanation) {
  const plant::PlantEstimate& plant = grounds.plant;
  explanation.status = "optimal";
  explanation.demand_rps = grounds.demand.sample().rps;
  explanation.demand_source = grounds.demand.source();
  const Duration lead_time = std::chrono::round<std::chrono::seconds>(grounds.dead_time);
  for (std::size_t l = 0; l < forecast::kForwardLevels.size(); ++l)
    explanation.forecast.push_back(
        {lead_time, forecast::kForwardLevels[l], grounds.forward.quantiles()[l] * grounds.unit_rps});
  explanation.values = {
      {"dead_time_s", to_seconds(grounds.dead_time)},
      {"readiness_lag_s", plant.readiness_lag_s.value},
      {"readiness_lag_confidence", plant.readiness_lag_s.confidence},
      {"capacity_rps", plant.capacity_rps.value},
      {"capacity_confidence", plant.capacity_rps.confidence},
      {"metric_age_s", plant.metric_age_s.value},
      {"late_price", grounds.late_price},
  };
  if (const Duration cycle = grounds.forward.cycle_length(); cycle > Duration::zero())
    explanation.values.push_back({"cycle_s", to_seconds(cycle)});
  std::array<std::size_t, Candidates::kCount> order;
  for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
  constexpr std::size_t kShown = 3;
  std::partial_sort(order.begin(), order.begin() + kShown, order.end(), [&](std::size_t a, std::size_t b) {
    return grounds.weights[a] > grounds.weights[b] || (grounds.weights[a] == grounds.weights[b] && a < b);
  });
  for (std::size_t i = 0; i < kShown; ++i)
    explanation.values.push_back({"weight: " + Candidates::name(order[i]), grounds.weights[order[i]]});
}

}  // namespace mpca::policy
