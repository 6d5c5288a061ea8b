// Who is best when service and cost are judged apart: which of several policies nobody beats, and which are beaten in
// everything. What is service and what is cost, and how it is told, is the caller's.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "report/verdict.h"

namespace mpca::report::internal {

/// One thing to be judged by, of every contestant; smaller is better.
struct Measure {
  std::vector<RepeatedFigure> figures;  // a single run has all three the same
  double margin = 0.0;                  // medians so close are equal
  double margin_share = 0.0;            // or so close in relation to the larger one
};

/// -1 when `a` is better by a difference that matters: beyond the margins, and with ranges that do not overlap.
int compare(const Measure& measure, std::size_t a, std::size_t b);

struct Contest {
  std::vector<Measure> service;  // n >= 1, the most important one first: the next decides where this one is equal
  Measure cost;
};

/// 0 when no measure of service tells them apart.
int compare_service(const Contest& contest, std::size_t a, std::size_t b);

struct Ranking {
  Outcome outcome = Outcome::alone;
  std::size_t server = 0;           // serves best; the winner
  std::size_t cheapest = 0;         // the winner when there is one
  std::vector<std::size_t> equals;  // no difference to `server` that matters, itself included; in order
  std::size_t next = 0;             // of a winner: the best of the others
  std::vector<std::pair<std::size_t, std::size_t>> beaten;  // loser, who beats it in everything; none of those above
};

///   contest    at least one contestant
///   cost       O(n^2) for n contestants
Ranking rank(const Contest& contest);

}  // namespace mpca::report::internal
