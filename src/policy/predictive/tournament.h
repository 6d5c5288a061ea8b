// Who of the candidates is heard. After each sample of demand every candidate is booked what it would have paid and how
// much demand it would have served late, had it been in charge: its orders go through the dead time (what it asked for
// serves when pods would have become Ready, by the clock; removal is immediate), and the share of late requests follows
// from the utilization. Books are kept over all and per context, and forget. The action is the mean of what candidates
// hold, weighted exponentially by their books; for a convex loss the mean never costs more than the weighted mean of
// the losses.
//
// Regret. The rate eta_t = 60 / (books of the best + 100 x mean load) follows the best candidate, so that losses of any
// scale are weighed alike (Auer, Cesa-Bianchi, Gentile (2002), Adaptive and self-confident on-line learning algorithms,
// J. Comput. Syst. Sci. 64, 48-75). A bound for a fixed rate does not hold for one that moves. What does, for the
// weighted mean h_t of losses in [0, B_t], N candidates, books that forget by g per sample, and c(x) = x / (1 -
// exp(-x)):
//
//   sum_t g^(T-t) h_t / c(eta_t B_t / g)  <=  L* + ln N (1 / eta_T + sum of all by which 1 / eta_t fell before)
//
// L* are the books of the best, a fall at t is discounted like a loss of t, and without forgetting g is 1. In one step
// the mean is at most c times the mix loss -ln(sum w exp(-eta loss)) / eta (Freund and Schapire (1997), A
// decision-theoretic generalization of on-line learning, J. Comput. Syst. Sci. 55, 119-139, lemma 1); mix losses add up
// to no more than the right hand side (de Rooij, van Erven, Grunwald, Koolen (2014), Follow the leader if you can,
// hedge if you must, J. Mach. Learn. Res. 15, 1281-1316; a rate that rises adds ln N times the fall of its reciprocal).
// While 1 / eta only grows that is 7 % of L* and seven mean loads, besides c.
// tests/policy/predictive/tournament_test.cpp checks it on adversarial sequences. The context's books are a bias on top
// that the bound does not cover, except when all samples lie in one context: then they are a common factor, and part of
// eta. They are weighted by how much was seen there. The prior is another bias, which what is booked outgrows.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>

#include "core/time.h"
#include "policy/predictive/candidates.h"

namespace mpca::policy {

/// The share of pods that are Ready so long after they were asked for: straight lines between points, all beyond them.
struct LagShares {
  static constexpr std::size_t kPoints = 48;
  float step_s = 1.0F;
  std::array<float, kPoints> ready_by{};  // at 0, step_s, 2 step_s, …; ascending within [0, 1]

  double at(double seconds) const {
    if (seconds <= 0.0) return static_cast<double>(ready_by.front());
    const double position = seconds / static_cast<double>(step_s);
    if (position >= static_cast<double>(kPoints - 1)) return 1.0;
    const auto whole = static_cast<std::size_t>(position);
    const double share = position - static_cast<double>(whole);
    return (1.0 - share) * static_cast<double>(ready_by[whole]) + share * static_cast<double>(ready_by[whole + 1]);
  }
};

/// What a new sample says about the time since the one before.
struct ScoredInterval {
  TimePoint from;
  TimePoint to;
  double load = 0.0;    // mean, in replicas
  double change = 0.0;  // of the load since the sample before: it is taken to go on a line through the mean
  double weight = 1.0;  // of the books: the length, in usual intervals
};

class Tournament {
 public:
  static constexpr std::size_t kCount = Candidates::kCount;
  static constexpr int kContexts = 9;
  static constexpr int kNoContext = -1;  // of weights(): books over all alone
  static constexpr int kSlots = 16;
  using Weights = std::array<double, kCount>;
  using Members = std::bitset<kCount>;

  /// What a candidate cost on other loads.
  struct PriorBooks {
    double cost = 0.0;  // replica-samples per load-sample
    double late = 0.0;  // share of the demand
  };
  using Prior = std::array<PriorBooks, kCount>;

  /// What a weighting says about the books.
  struct Totals {
    double cost = 0.0;    // replica-samples, weighted mean
    double late = 0.0;    // late load-samples, weighted mean
    double demand = 0.0;  // load-samples
  };

  /// All candidates take part, and are alike at first.
  Tournament() = default;
  /// They begin with these books, for a hundred samples of mean load; nullptr: alike. `prior` is kept.
  ///   members   who takes part, at least one: the others have no weight
  explicit Tournament(const Prior* prior, Members members = Members().set()) : prior_(prior), members_(members) {}

  /// Books an interval on the orders of before: what was carried out when, and what of it was Ready, at three moments.
  ///   steepness   late share of a candidate = exp(steepness x (utilization - 1)), at most 1
  ///   lag         what serves in the interval was asked for so long before: in which context it is booked
  void score(const ScoredInterval& interval, double steepness, const LagShares& lag_shares, Duration lag);

  /// What the candidates hold from `now` on, in `context`. With long lags one slot of memory stands for `stride`
  /// orders, and keeps the least among them.
  void order(TimePoint now, const Candidates::Replicas& replicas, int context, int stride);

  /// The weights at a price of late demand, in `context`. Sum 1; equal before the first score when there is no prior.
  Weights weights(double price, int context) const;
  Totals totals(const Weights& weights) const;
  Totals totals_of(std::size_t candidate) const {
    return {static_cast<double>(cost_[candidate]), static_cast<double>(late_[candidate]), demand_};
  }

  /// The price at which the weighted late share of the past is `share`, within [0.3, 1500]; O(20) weightings.
  double price_for(double share, int context) const;

  /// Books for one who comes later than the others: the means of the other members'.
  void begin_like_others(std::size_t candidate);

  double samples() const { return samples_; }  // that the books rest on, discounted

  template <class Visit>
  void visit(Visit&& visit) {
    visit(cost_);
    visit(late_);
    visit(context_cost_);
    visit(context_late_);
    visit(context_samples_);
    visit(samples_);
    visit(demand_);
    visit(orders_);
    visit(order_times_);
    visit(order_contexts_);
    visit(newest_);
    visit(filled_);
    visit(in_slot_);
    visit(last_order_);
    visit(last_ordered_);
  }
  bool is_valid() const;

 private:
  using Books = std::array<float, kCount>;

  std::size_t slot_before(int back) const { return static_cast<std::size_t>((newest_ - back + kSlots) % kSlots); }
  void look(TimePoint moment, const LagShares& lag_shares, Books& paid, Books& ready) const;

  const Prior* prior_ = nullptr;
  Members members_ = Members().set();
  Books cost_{}, late_{};
  std::array<Books, kContexts> context_cost_{}, context_late_{};
  std::array<float, kContexts> context_samples_{};
  double samples_ = 0.0, demand_ = 0.0;
  std::array<Candidates::Replicas, kSlots> orders_{};
  std::array<TimePoint, kSlots> order_times_{};
  std::array<std::uint8_t, kSlots> order_contexts_{};
  int newest_ = 0, filled_ = 0, in_slot_ = 0;
  Candidates::Replicas last_order_{};
  TimePoint last_ordered_;
};

}  // namespace mpca::policy
