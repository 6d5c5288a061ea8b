#include "study/cross_validation.h"

#include <cmath>

#include "core/result.h"

namespace mpca::study {
namespace {

constexpr double kShareTolerance = 1.2;

BlockAccount sum_without(std::span<const BlockAccount> blocks, std::optional<std::size_t> left_out) {
  BlockAccount sum;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i != left_out) sum += blocks[i];
  }
  return sum;
}

/// Whether `a` is better than `b`, both on the blocks that are looked at.
bool is_better(const BlockAccount& a, const BlockAccount& b, const Wish& wish) {
  if (wish.is_share()) {
    const bool a_keeps = a.violation_ratio() <= wish.late_share;
    const bool b_keeps = b.violation_ratio() <= wish.late_share;
    if (a_keeps != b_keeps) return a_keeps;
    if (!a_keeps) return a.violation_ratio() < b.violation_ratio();
  }
  return bill(a, wish) < bill(b, wish);
}

}  // namespace

double bill(const BlockAccount& account, const Wish& wish) {
  const double paid = account.replica_seconds * wish.capacity_rps;
  return wish.is_share() ? paid : paid + wish.late_price * account.violations;
}

bool is_kept(const BlockAccount& account, const Wish& wish) {
  return !wish.is_share() || account.violation_ratio() <= kShareTolerance * wish.late_share;
}

std::size_t best_without(std::span<const Candidate> candidates, std::optional<std::size_t> left_out, const Wish& wish) {
  MPCA_CHECK(!candidates.empty(), "something to choose from");
  std::size_t best = 0;
  BlockAccount of_best = sum_without(candidates[0].blocks, left_out);
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    const BlockAccount account = sum_without(candidates[i].blocks, left_out);
    if (!is_better(account, of_best, wish)) continue;
    best = i;
    of_best = account;
  }
  return best;
}

HeldOut cross_validate(std::span<const Candidate> candidates, const Wish& wish) {
  HeldOut held_out;
  held_out.on_all = best_without(candidates, std::nullopt, wish);
  const std::size_t blocks = candidates.front().blocks.size();
  MPCA_CHECK(blocks >= 2, "a block to choose on and one to judge on");
  for (std::size_t block = 0; block < blocks; ++block) {
    held_out.chosen.push_back(best_without(candidates, block, wish));
    held_out.blocks.push_back(candidates[held_out.chosen.back()].blocks[block]);
  }
  return held_out;
}

report::Interval saving_of(std::span<const BlockAccount> policy, std::span<const BlockAccount> against,
                           const Wish& wish) {
  MPCA_CHECK(policy.size() == against.size() && policy.size() >= 2, "the same blocks, and two or more");
  const auto count = static_cast<double>(policy.size());
  double policy_sum = 0.0;
  double against_sum = 0.0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    policy_sum += bill(policy[i], wish);
    against_sum += bill(against[i], wish);
  }
  if (against_sum <= 0.0) return {};
  const double ratio = policy_sum / against_sum;
  double squares = 0.0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    const double residual = bill(policy[i], wish) - ratio * bill(against[i], wish);
    squares += residual * residual;
  }
  const double error = std::sqrt(squares / (count - 1.0) / count) / (against_sum / count);
  const double half_width = student_t_975(static_cast<int>(policy.size()) - 1) * error;
  return {.value = 1.0 - ratio, .low = 1.0 - ratio - half_width, .high = 1.0 - ratio + half_width};
}

BlockAccount sum_of(std::span<const BlockAccount> blocks) { return sum_without(blocks, std::nullopt); }

double student_t_975(int degrees) {
  constexpr double kQuantiles[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179,
                                   2.160,  2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069};
  MPCA_CHECK(degrees >= 1 && degrees <= static_cast<int>(std::size(kQuantiles)), "degrees of freedom in the table");
  return kQuantiles[degrees - 1];
}

}  // namespace mpca::study
