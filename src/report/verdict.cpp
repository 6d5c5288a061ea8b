#include "report/verdict.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/result.h"
#include "core/text.h"

namespace mpca::report {
namespace {

std::string percent(double share) {
  const std::string text = fixed(100.0 * share, 1);
  if (share > 0.0 && text == "0.0") return "under 0.1%";
  if (share < 1.0 && text == "100.0") return "over 99.9%";
  return text + "%";
}

std::string time_at_target(const Standing& standing) {
  return standing.violation_ratio <= 0.0 ? "all of the time" : percent(1.0 - standing.violation_ratio) + " of the time";
}

std::string rough_percent(double share) { return fixed(100.0 * share, share < 0.0995 ? 1 : 0) + "%"; }

std::string points(double difference) { return fixed(100.0 * std::abs(difference), 1) + " points"; }

// -1 when `a` is the smaller (better) one, 0 when they count as equal.
int compare(double a, double b, double margin) { return a < b - margin ? -1 : a > b + margin ? 1 : 0; }

int compare_cost(const Standing& a, const Standing& b, const Margins& margins) {
  return compare(a.cost, b.cost, margins.cost_share * std::max(a.cost, b.cost));
}

int compare_service(const Standing& a, const Standing& b, const Margins& margins) {
  const int by_time = compare(a.violation_ratio, b.violation_ratio, margins.violation_ratio);
  return by_time != 0 ? by_time : compare(a.unserved_ratio, b.unserved_ratio, margins.unserved_ratio);
}

using Candidates = std::vector<std::size_t>;

std::size_t smallest(std::span<const Standing> standings, const Candidates& candidates, double Standing::* value) {
  return *std::min_element(candidates.begin(), candidates.end(),
                           [&](std::size_t a, std::size_t b) { return standings[a].*value < standings[b].*value; });
}

Candidates within(std::span<const Standing> standings, Candidates candidates, double Standing::* value, double margin) {
  const double limit = standings[smallest(standings, candidates, value)].*value + margin;
  std::erase_if(candidates, [&](std::size_t i) { return standings[i].*value > limit; });
  return candidates;
}

Candidates best_service(std::span<const Standing> standings, Candidates candidates, const Margins& margins) {
  candidates = within(standings, std::move(candidates), &Standing::violation_ratio, margins.violation_ratio);
  return within(standings, std::move(candidates), &Standing::unserved_ratio, margins.unserved_ratio);
}

Candidates lowest_cost(std::span<const Standing> standings, Candidates candidates, const Margins& margins) {
  const double least = standings[smallest(standings, candidates, &Standing::cost)].cost;
  return within(standings, std::move(candidates), &Standing::cost, least * margins.cost_share);
}

// What tells the service of `other` from that of `reference`, the better server: `held it for 91.0% of the time`.
std::string service_clause(const Standing& other, const Standing& reference, const Margins& margins) {
  if (compare(other.violation_ratio, reference.violation_ratio, margins.violation_ratio) != 0)
    return cat("held it for ", time_at_target(other));
  if (compare(other.unserved_ratio, reference.unserved_ratio, margins.unserved_ratio) != 0)
    return cat("had ", percent(other.unserved_ratio), " of the requests beyond capacity (", reference.policy, ": ",
               percent(reference.unserved_ratio), ")");
  return "served users as well";
}

std::string against(const Standing& other, const Standing& reference, const Margins& margins) {
  std::vector<std::string> differences;
  bool better_somewhere = false;
  const auto tell = [&](int comparison, std::string more, std::string fewer) {
    if (comparison == 0) return;
    better_somewhere |= comparison < 0;
    differences.push_back(comparison > 0 ? std::move(more) : std::move(fewer));
  };
  const double time = other.violation_ratio - reference.violation_ratio;
  tell(compare(other.violation_ratio, reference.violation_ratio, margins.violation_ratio),
       cat("over the target ", points(time), " more of the time"),
       cat("over the target ", points(time), " less of the time"));
  const double requests = other.unserved_ratio - reference.unserved_ratio;
  tell(compare(other.unserved_ratio, reference.unserved_ratio, margins.unserved_ratio),
       cat(points(requests), " more of the requests beyond capacity"),
       cat(points(requests), " fewer of the requests beyond capacity"));
  if (const int cost = compare_cost(other, reference, margins); cost != 0) {
    tell(cost,
         reference.cost > 0.0 ? rough_percent(other.cost / reference.cost - 1.0) + " more replica-hours"
                              : "more replica-hours",
         rough_percent(1.0 - other.cost / std::max(reference.cost, 1e-300)) + " fewer replica-hours");
  }
  if (differences.empty()) return cat(other.policy, ": no difference that matters.");
  return cat(other.policy, ": ", join(differences, ", "), better_somewhere ? "." : "; better in nothing.");
}

std::string winner_sentence(const Standing& winner, const Standing& next, const std::string& held,
                            const Margins& margins) {
  const std::string cost = compare_cost(winner, next, margins) < 0
                               ? rough_percent(1.0 - winner.cost / next.cost) + " fewer replica-hours than "
                               : std::string("as many replica-hours as ");
  return cat(winner.policy, " ", held, " with ", cost, next.policy, ", which ", service_clause(next, winner, margins),
             ".");
}

std::string trade_off_sentence(const Standing& server, const Standing& cheapest, const std::string& held,
                               const Margins& margins) {
  return cat("it is a trade-off: ", server.policy, " served users best and ", held, "; ", cheapest.policy, " took ",
             rough_percent(1.0 - cheapest.cost / server.cost), " fewer replica-hours and ",
             service_clause(cheapest, server, margins), ".");
}

}  // namespace

Verdict judge(const std::string& subject, std::span<const Standing> standings, double target_utilization,
              const Margins& margins) {
  MPCA_CHECK(!standings.empty(), "a verdict needs a policy");
  Candidates all(standings.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;

  std::size_t server = smallest(standings, best_service(standings, all, margins), &Standing::cost);
  const std::size_t cheapest = best_service(standings, lowest_cost(standings, all, margins), margins).front();
  const bool wins = compare_cost(standings[server], standings[cheapest], margins) <= 0;
  // Margins are not transitive: the cheapest may be as good as `server` and yet clearly worse than the very best.
  if (!wins && compare_service(standings[server], standings[cheapest], margins) >= 0)
    server = smallest(standings, all, &Standing::violation_ratio);

  const Standing& best = standings[server];
  const std::string held = cat("held utilization at or under the target of ", fixed(100.0 * target_utilization, 0),
                               "% for ", time_at_target(best));

  Verdict verdict;
  verdict.server = static_cast<int>(server);
  verdict.cheapest = static_cast<int>(wins ? server : cheapest);
  const bool all_equal = std::all_of(standings.begin(), standings.end(), [&](const Standing& other) {
    return compare_service(other, best, margins) == 0 && compare_cost(other, best, margins) == 0 &&
           compare(other.unserved_ratio, best.unserved_ratio, margins.unserved_ratio) == 0;
  });
  if (standings.size() == 1) {
    verdict.outcome = Outcome::alone;
    verdict.sentence = cat(subject, ", ", best.policy, " ", held, "; there is no other policy to compare it with.");
  } else if (all_equal) {
    verdict.outcome = Outcome::tie;
    verdict.sentence = cat(subject, ", there is no difference that matters: ", standings.size() == 2 ? "both" : "all",
                           " policies ", held, " with as many replica-hours.");
  } else if (wins) {
    Candidates others = all;
    std::erase(others, server);
    const std::size_t next = smallest(standings, best_service(standings, others, margins), &Standing::cost);
    verdict.outcome = Outcome::winner;
    verdict.sentence = cat(subject, ", ", winner_sentence(best, standings[next], held, margins));
  } else {
    verdict.outcome = Outcome::trade_off;
    verdict.sentence = cat(subject, ", ", trade_off_sentence(best, standings[cheapest], held, margins));
  }

  if (best.violation_ratio > 0.2)
    verdict.details.push_back(cat(standings.size() == 1 ? "" : "None held the target well: even ", best.policy,
                                  " was over it for ", percent(best.violation_ratio), " of the time."));
  for (std::size_t i = 0; i < standings.size(); ++i)
    if (i != server) verdict.details.push_back(against(standings[i], best, margins));
  return verdict;
}

Verdict verdict_of(const TraceComparison& trace, double target_utilization) {
  std::vector<Standing> standings;
  for (const PolicyRun& run : trace.runs)
    standings.push_back(
        {run.policy, run.metrics.violation_ratio, run.metrics.unserved_ratio, run.metrics.replica_hours});
  return judge(cat("On ", trace.name), standings, target_utilization);
}

Verdict overall_verdict(const Comparison& comparison) {
  MPCA_CHECK(!comparison.traces.empty(), "a comparison needs a trace");
  if (comparison.traces.size() == 1) return verdict_of(comparison.traces.front(), comparison.target_utilization);
  const auto count = static_cast<double>(comparison.traces.size());
  std::vector<Standing> standings;
  for (std::size_t i = 0; i < comparison.traces.front().runs.size(); ++i) {
    Standing& standing = standings.emplace_back();
    standing.policy = comparison.traces.front().runs[i].policy;
    for (const TraceComparison& trace : comparison.traces) {
      MPCA_CHECK(trace.runs.size() > i, "every trace has every policy, in the same order");
      const RunMetrics& metrics = trace.runs[i].metrics;
      standing.violation_ratio += metrics.violation_ratio / count;
      standing.unserved_ratio += metrics.unserved_ratio / count;
      standing.cost += std::log(std::max(metrics.mean_replicas, 1e-9)) / count;
    }
    standing.cost = std::exp(standing.cost);
  }
  return judge(cat("Over all ", comparison.traces.size(), " traces, each counted the same"), standings,
               comparison.target_utilization);
}

}  // namespace mpca::report
