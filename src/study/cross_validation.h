// Choosing settings on a part of history and judging them on the rest. Pure functions of accounts by block; who plays
// is tune.h.
//
// For each block the setting is chosen that was best on all the others, and that block alone is then its account: what
// is judged was never looked at for choosing. The blocks so judged add up to a whole history that nobody could have
// tuned for. Stone (1974), Cross-validatory choice and assessment of statistical predictions, JRSS B 36, 111-147.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "report/backtest.h"
#include "study/block_account.h"

namespace mpca::study {

/// What the user wants: the price of late demand, or a share of late requests to keep at the least cost.
struct Wish {
  double capacity_rps = 25.0;  // of a replica
  double late_price = 10.0;    // in replica-seconds per replica-second's worth of requests
  double late_share = 0.0;     // of requests; above 0 it is the wish, and the price does not count

  bool is_share() const { return late_share > 0.0; }
};

/// What people minimise, in requests: what was paid (a replica-second is `capacity_rps` requests) and, with a price,
/// price x violations. Divided by the requests it is J(P) of docs/METHODOLOGY.md.
double bill(const BlockAccount& account, const Wish& wish);

/// Whether a wish for a share was kept: at most 1.2 times of it (a setting that aims at the share misses it by chance
/// half of the time). A wish with a price is always kept.
bool is_kept(const BlockAccount& account, const Wish& wish);

/// One setting: its accounts by block, over all seeds.
struct Candidate {
  std::string policy;
  std::vector<BlockAccount> blocks;
};

/// The best of n >= 1 candidates on all blocks but `left_out` (nullopt: on all): the least bill; with a share, the
/// cheapest that keeps it sharp, or the one with the least violations when none does. The first of equals.
std::size_t best_without(std::span<const Candidate> candidates, std::optional<std::size_t> left_out, const Wish& wish);

/// A family judged on blocks that it was not chosen on.
struct HeldOut {
  std::vector<std::size_t> chosen;   // per block, the candidate that was best on the others
  std::vector<BlockAccount> blocks;  // of that candidate
  std::size_t on_all = 0;            // the candidate that is best on all: what to use from now on
};

///   candidates  n >= 1 with the same number of blocks, at least two
HeldOut cross_validate(std::span<const Candidate> candidates, const Wish& wish);

/// 1 - Σ bill(policy) / Σ bill(against) over the same k >= 2 blocks, with its 95 % interval. The blocks are the sample:
/// weather differs more between them than between seeds. A ratio of sums has the variance
///
///   s² = Σ (a_i - R b_i)² / (k - 1) / k / mean(b)²        Cochran (1977), Sampling Techniques, section 6.4
///
/// and Student's t with k - 1 degrees of freedom for so few. What it leaves out: neighbouring blocks are alike, and a
/// future unlike all of them. No bounds when nothing was billed.
report::Interval saving_of(std::span<const BlockAccount> policy, std::span<const BlockAccount> against,
                           const Wish& wish);

BlockAccount sum_of(std::span<const BlockAccount> blocks);

inline constexpr int kFewestFolds = 3;
inline constexpr int kMostFolds = 24;

/// The 97.5 % quantile of Student's t. `degrees` 1 … 23.
double student_t_975(int degrees);

}  // namespace mpca::study
