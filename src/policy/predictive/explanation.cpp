#include "policy/predictive/explanation.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.h"
#include "policy/guards.h"

namespace mpca::policy {
namespace {

// So many candidates are named in any case, and more up to the greatest number while they weigh something.
constexpr std::size_t kFewestVotes = 3, kMostVotes = 5;
constexpr double kLeastWeight = 0.05;

std::string rounded(double value) { return shortest(std::round(1e4 * value) / 1e4); }

CandidateVote vote_of(std::size_t candidate, const Grounds& grounds) {
  const Tournament::Totals books = grounds.tournament.totals_of(candidate);
  return {.name = Candidates::name(candidate),
          .weight = grounds.weights[candidate],
          .replicas = static_cast<double>(grounds.candidates.replicas()[candidate]),
          .cost = books.cost / books.demand,
          .late_share = books.late / books.demand};
}

/// None before there are books on any demand.
std::vector<CandidateVote> votes_of(const Grounds& grounds) {
  std::vector<CandidateVote> votes;
  if (!(grounds.tournament.totals_of(0).demand > 0.0)) return votes;
  std::array<std::size_t, Candidates::kCount> order;
  for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
  std::partial_sort(order.begin(), order.begin() + kMostVotes, order.end(), [&](std::size_t a, std::size_t b) {
    return grounds.weights[a] > grounds.weights[b] || (grounds.weights[a] == grounds.weights[b] && a < b);
  });
  const auto bill = [&](std::size_t candidate) {
    const Tournament::Totals books = grounds.tournament.totals_of(candidate);
    return books.cost + grounds.late_price * books.late;
  };
  std::size_t cheapest = 0;
  for (std::size_t c = 1; c < order.size(); ++c)
    if (bill(c) < bill(cheapest)) cheapest = c;
  votes.reserve(kMostVotes + 1);
  bool has_cheapest = false;
  for (std::size_t i = 0; i < kMostVotes; ++i) {
    if (i >= kFewestVotes && grounds.weights[order[i]] < kLeastWeight) break;
    votes.push_back(vote_of(order[i], grounds));
    has_cheapest = has_cheapest || order[i] == cheapest;
  }
  if (!has_cheapest) votes.push_back(vote_of(cheapest, grounds));
  return votes;
}

PlanBand band_of(const Grounds& grounds) {
  constexpr std::size_t kFirstPlanner = Candidates::kRules + Candidates::kTrends;
  constexpr std::size_t kFirstPair = kFirstPlanner + Candidates::kLevels;
  const Candidates::Replicas& replicas = grounds.candidates.replicas();
  double low = 0.0, high = 0.0;
  for (std::size_t c = 0; c < replicas.size(); ++c) {
    const bool is_pair = c >= kFirstPair && c < kFirstPair + Candidates::kPlannerPairs;
    const std::size_t level = kFirstPlanner + (is_pair ? c - kFirstPair : 0);
    low += grounds.weights[c] * replicas[is_pair ? level : c];
    high += grounds.weights[c] * replicas[is_pair ? level + 2 : c];
  }
  return {ceil_replicas((1.0 - grounds.dead_band) * low - grounds.round_down),
          ceil_replicas((1.0 + grounds.dead_band) * high - grounds.round_down)};
}

}  // namespace

void explain(const Grounds& grounds, Explanation& explanation) {
  const plant::PlantEstimate& plant = grounds.plant;
  explanation.demand_rps = grounds.demand.sample().rps;
  explanation.demand_source = grounds.demand.source();
  const Duration lead_time = std::chrono::round<std::chrono::seconds>(grounds.dead_time);
  explanation.forecast.reserve(forecast::kForwardLevels.size());
  for (std::size_t l = 0; l < forecast::kForwardLevels.size(); ++l)
    explanation.forecast.push_back(
        {lead_time, forecast::kForwardLevels[l],
         std::max(grounds.forward.quantiles()[l] * grounds.unit_rps * grounds.event_factor, grounds.event_demand_rps)});
  explanation.values = {
      {"dead_time_s", to_seconds(grounds.dead_time)},
      {"readiness_lag_s", plant.readiness_lag_s.value},
      {"readiness_lag_late_s", plant.readiness_lag_late_s.value},
      {"readiness_lag_confidence", plant.readiness_lag_s.confidence},
      {"metric_age_s", plant.metric_age_s.value},
      {"metric_age_confidence", plant.metric_age_s.confidence},
      {"capacity_rps", plant.capacity_rps.value},
      {"capacity_confidence", plant.capacity_rps.confidence},
      {"late_price", grounds.late_price},
  };
  if (const Duration cycle = grounds.forward.cycle_length(); cycle > Duration::zero())
    explanation.values.push_back({"cycle_s", to_seconds(cycle)});
  if (grounds.event != nullptr) {
    explanation.values.push_back({cat("event: ", grounds.event->name), 1.0});
    explanation.values.push_back({"event_factor", grounds.event_factor});
    explanation.values.push_back({"event_demand_rps", grounds.event_demand_rps});
  }
  explanation.candidates = votes_of(grounds);
  explanation.band = band_of(grounds);
  explanation.status = explanation.candidates.empty() ? "no books yet, all candidates weigh the same"
                       : grounds.late_share > 0.0     ? cat("target share ", rounded(100.0 * grounds.late_share), " %")
                                                      : cat("late price ", rounded(grounds.late_price));
}

}  // namespace mpca::policy
