#include "report/internal/ranking.h"

#include <algorithm>
#include <numeric>

namespace mpca::report::internal {
namespace {

using Candidates = std::vector<std::size_t>;

std::size_t smallest(const Measure& measure, const Candidates& candidates) {
  return *std::min_element(candidates.begin(), candidates.end(), [&](std::size_t a, std::size_t b) {
    return measure.figures[a].median < measure.figures[b].median;
  });
}

Candidates equal_to_best(const Measure& measure, Candidates candidates) {
  const std::size_t best = smallest(measure, candidates);
  std::erase_if(candidates, [&](std::size_t i) { return compare(measure, i, best) > 0; });
  return candidates;
}

Candidates best_service(const Contest& contest, Candidates candidates) {
  for (const Measure& measure : contest.service) candidates = equal_to_best(measure, std::move(candidates));
  return candidates;
}

// No worse in anything, better in something.
bool beats(const Contest& contest, std::size_t a, std::size_t b) {
  int best = compare(contest.cost, a, b);
  int worst = best;
  for (const Measure& measure : contest.service) {
    best = std::min(best, compare(measure, a, b));
    worst = std::max(worst, compare(measure, a, b));
  }
  return worst <= 0 && best < 0;
}

bool is_equal(const Contest& contest, std::size_t a, std::size_t b) {
  return compare(contest.cost, a, b) == 0 && compare_service(contest, a, b) == 0;
}

}  // namespace

int compare(const Measure& measure, std::size_t a, std::size_t b) {
  const RepeatedFigure& x = measure.figures[a];
  const RepeatedFigure& y = measure.figures[b];
  const double margin = std::max(measure.margin, measure.margin_share * std::max(x.median, y.median));
  if (x.lowest <= y.highest && y.lowest <= x.highest) return 0;
  return x.median < y.median - margin ? -1 : x.median > y.median + margin ? 1 : 0;
}

int compare_service(const Contest& contest, std::size_t a, std::size_t b) {
  for (const Measure& measure : contest.service) {
    if (const int order = compare(measure, a, b); order != 0) return order;
  }
  return 0;
}

Ranking rank(const Contest& contest) {
  Candidates all(contest.cost.figures.size());
  std::iota(all.begin(), all.end(), std::size_t{0});

  Ranking ranking;
  ranking.server = smallest(contest.cost, best_service(contest, all));
  ranking.cheapest = best_service(contest, equal_to_best(contest.cost, all)).front();
  bool wins = compare(contest.cost, ranking.server, ranking.cheapest) <= 0;
  // "Equal" is not transitive: the cheapest may be as good as `server` and yet clearly worse than the very best.
  if (!wins && compare_service(contest, ranking.server, ranking.cheapest) >= 0) {
    const auto tells = std::find_if(contest.service.begin(), contest.service.end(), [&](const Measure& measure) {
      return compare(measure, smallest(measure, all), ranking.cheapest) < 0;
    });
    wins = tells == contest.service.end();
    ranking.server = wins ? ranking.cheapest : smallest(*tells, all);
  }
  if (wins) ranking.cheapest = ranking.server;

  Candidates told, others;
  for (std::size_t i : all) (i == ranking.server || is_equal(contest, i, ranking.server) ? told : others).push_back(i);
  ranking.equals = told;
  if (all.size() == 1) {
    ranking.outcome = Outcome::alone;
  } else if (others.empty()) {
    ranking.outcome = Outcome::tie;
  } else if (wins) {
    ranking.outcome = told.size() > 1 ? Outcome::shared : Outcome::winner;
    ranking.next = smallest(contest.cost, best_service(contest, others));
    told.push_back(ranking.next);
  } else {
    ranking.outcome = Outcome::trade_off;
    told.push_back(ranking.cheapest);
  }

  for (std::size_t loser : all) {
    if (std::find(told.begin(), told.end(), loser) != told.end()) continue;
    Candidates beaten_by = all;
    std::erase_if(beaten_by, [&](std::size_t i) { return !beats(contest, i, loser); });
    if (beaten_by.empty()) continue;
    ranking.beaten.emplace_back(loser, best_service(contest, equal_to_best(contest.cost, beaten_by)).front());
  }
  return ranking;
}

}  // namespace mpca::report::internal
