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

std::string time_within_target(const Standing& standing) {
  return standing.violation_ratio <= 0.0 ? "all of the time" : percent(1.0 - standing.violation_ratio) + " of the time";
}

std::string rough_percent(double share) { return fixed(100.0 * share, share < 0.0995 ? 1 : 0) + "%"; }

std::string points(double difference) { return fixed(100.0 * difference, 1) + " points"; }

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

// Why `loser` has no reason to be chosen: all that `winner` does better.
std::string beaten_sentence(const Standing& loser, const Standing& winner, const Margins& margins) {
  std::vector<std::string> worse;
  if (compare(loser.violation_ratio, winner.violation_ratio, margins.violation_ratio) > 0)
    worse.push_back(
        cat("over the target ", points(loser.violation_ratio - winner.violation_ratio), " more of the time"));
  if (compare(loser.unserved_ratio, winner.unserved_ratio, margins.unserved_ratio) > 0)
    worse.push_back(cat(points(loser.unserved_ratio - winner.unserved_ratio), " more of the requests beyond capacity"));
  if (compare_cost(loser, winner, margins) > 0)
    worse.push_back(winner.cost > 0.0 ? rough_percent(loser.cost / winner.cost - 1.0) + " more replica-hours"
                                      : "more replica-hours");
  return cat(loser.policy, " against ", winner.policy, ": ", join(worse, ", "), "; better in nothing.");
}

// No worse in anything, better in something.
bool beats(const Standing& a, const Standing& b, const Margins& margins) {
  const int time = compare(a.violation_ratio, b.violation_ratio, margins.violation_ratio);
  const int requests = compare(a.unserved_ratio, b.unserved_ratio, margins.unserved_ratio);
  const int cost = compare_cost(a, b, margins);
  return std::max({time, requests, cost}) <= 0 && std::min({time, requests, cost}) < 0;
}

// `a, b and c`
std::string listed(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += cat(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return text;
}

// `winners` are all as good as `winner`, which is one of them.
std::string winner_sentence(std::span<const std::string> winners, const Standing& winner, const Standing& next,
                            const std::string& kept, const Margins& margins) {
  const std::string cost = compare_cost(winner, next, margins) < 0
                               ? rough_percent(1.0 - winner.cost / next.cost) + " fewer replica-hours than "
                               : std::string("as many replica-hours as ");
  const std::string start = cat(listed(winners), winners.size() > 1 ? " each " : " ", kept, " ",
                                time_within_target(winner), " with ", cost, next.policy);
  if (compare(next.violation_ratio, winner.violation_ratio, margins.violation_ratio) != 0)
    return cat(start, " (", time_within_target(next), ").");
  if (compare(next.unserved_ratio, winner.unserved_ratio, margins.unserved_ratio) != 0)
    return cat(start, ", which left ", percent(next.unserved_ratio), " of the requests beyond capacity (",
               winner.policy, ": ", percent(winner.unserved_ratio), ").");
  return start + ", which served users as well.";
}

std::string trade_off_sentence(const Standing& server, const Standing& cheapest, const std::string& kept,
                               const Margins& margins) {
  const std::string fewer = rough_percent(1.0 - cheapest.cost / server.cost) + " fewer replica-hours";
  if (compare(server.violation_ratio, cheapest.violation_ratio, margins.violation_ratio) != 0)
    return cat("it is a trade-off: ", server.policy, " ", kept, " ", time_within_target(server), ", ", cheapest.policy,
               " ", time_within_target(cheapest), " with ", fewer, ".");
  return cat("it is a trade-off: ", cheapest.policy, " took ", fewer, " than ", server.policy, ", but left ",
             percent(cheapest.unserved_ratio), " of the requests beyond capacity (", server.policy, ": ",
             percent(server.unserved_ratio), ").");
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
  const std::string kept =
      cat("kept utilization within the ", shortest(std::round(1000.0 * target_utilization) / 10.0), "% target");

  Verdict verdict;
  verdict.server = static_cast<int>(server);
  verdict.cheapest = static_cast<int>(wins ? server : cheapest);
  Candidates told;  // by the sentence, so the details need not
  Candidates others;
  std::vector<std::string> equals;
  for (std::size_t i : all) {
    const bool is_equal = compare(standings[i].violation_ratio, best.violation_ratio, margins.violation_ratio) == 0 &&
                          compare(standings[i].unserved_ratio, best.unserved_ratio, margins.unserved_ratio) == 0 &&
                          compare_cost(standings[i], best, margins) == 0;
    if (is_equal) equals.push_back(standings[i].policy);
    (is_equal ? told : others).push_back(i);
  }
  if (standings.size() == 1) {
    verdict.outcome = Outcome::alone;
    verdict.sentence = cat(subject, ", ", best.policy, " ", kept, " ", time_within_target(best),
                           "; there is no other policy to compare it with.");
  } else if (others.empty()) {
    verdict.outcome = Outcome::tie;
    verdict.sentence = cat(subject, ", there is no difference that matters: ", standings.size() == 2 ? "both" : "all",
                           " policies ", kept, " ", time_within_target(best), " with as many replica-hours.");
  } else if (wins) {
    const std::size_t next = smallest(standings, best_service(standings, others, margins), &Standing::cost);
    told.push_back(next);
    verdict.outcome = equals.size() > 1 ? Outcome::shared : Outcome::winner;
    verdict.sentence = cat(subject, ", ", winner_sentence(equals, best, standings[next], kept, margins));
  } else {
    told.push_back(cheapest);
    verdict.outcome = Outcome::trade_off;
    verdict.sentence = cat(subject, ", ", trade_off_sentence(best, standings[cheapest], kept, margins));
  }

  if (best.violation_ratio > 0.2)
    verdict.details.push_back(cat(standings.size() == 1 ? "" : "None held the target well: even ", best.policy,
                                  " was over it for ", percent(best.violation_ratio), " of the time."));
  for (std::size_t loser : all) {
    if (std::find(told.begin(), told.end(), loser) != told.end()) continue;
    Candidates beaten_by = all;
    std::erase_if(beaten_by, [&](std::size_t i) { return !beats(standings[i], standings[loser], margins); });
    if (beaten_by.empty()) continue;
    const std::size_t by = best_service(standings, lowest_cost(standings, beaten_by, margins), margins).front();
    verdict.details.push_back(beaten_sentence(standings[loser], standings[by], margins));
  }
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
  return judge(cat("Over all ", comparison.traces.size(), " traces"), standings, comparison.target_utilization);
}

}  // namespace mpca::report
