#include "policy/predictive/tournament.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mpca::policy {
namespace {

constexpr double kForgetting = 1.0 - 1.0 / 10'000;  // per sample
constexpr double kRate = 60.0;                      // of the exponential weights, on the relative excess of the books
constexpr double kEarlySamples = 100.0;             // excess is relative to the best and as many samples of mean load
// A context's books count as 1.5 x all books when it was seen for long, and little before kContextSamples.
constexpr double kContextWeight = 1.5;
constexpr double kContextSamples = 600.0;
constexpr double kLeastLoad = 0.1;
constexpr double kPriorSamples = 100.0;  // of mean load
constexpr int kMoments = 3;              // of an interval that are looked at
constexpr double kNearlyAll = 0.999;     // of the pods
constexpr double kLeastPrice = 0.3, kGreatestPrice = 1500.0;

}  // namespace

void Tournament::order(TimePoint now, const Candidates::Replicas& replicas, int context, int stride) {
  last_order_ = replicas;
  last_ordered_ = now;
  if (filled_ > 0 && in_slot_ < stride) {
    ++in_slot_;
    Candidates::Replicas& slot = orders_[static_cast<std::size_t>(newest_)];
    for (std::size_t c = 0; c < kCount; ++c) slot[c] = std::min(slot[c], replicas[c]);
    return;
  }
  in_slot_ = 1;
  newest_ = (newest_ + 1) % kSlots;
  filled_ = std::min(filled_ + 1, kSlots);
  const auto slot = static_cast<std::size_t>(newest_);
  orders_[slot] = replicas;
  order_times_[slot] = now;
  order_contexts_[slot] = static_cast<std::uint8_t>(context);
}

/// What is paid at `moment`, and expected to be Ready: of an order so much is there as was not taken back since.
void Tournament::look(TimePoint moment, const LagShares& lag_shares, Books& paid, Books& ready) const {
  int back = 0;
  while (back + 1 < filled_ && order_times_[slot_before(back)] > moment) ++back;
  const bool is_last = back == 0 && moment >= last_ordered_;
  Candidates::Replicas kept = is_last ? last_order_ : orders_[slot_before(back)];
  const TimePoint since = is_last ? last_ordered_ : order_times_[slot_before(back)];
  double reached = lag_shares.at(to_seconds(moment - since));
  auto share = static_cast<float>(reached);
  for (std::size_t c = 0; c < kCount; ++c) {
    paid[c] = static_cast<float>(kept[c]);
    ready[c] = share * paid[c];
  }
  for (back += is_last ? 0 : 1; back < filled_ && reached < kNearlyAll; ++back) {
    const std::size_t slot = slot_before(back);
    const double by_now = lag_shares.at(to_seconds(moment - order_times_[slot]));
    share = static_cast<float>(std::max(by_now - reached, 0.0));
    reached = std::max(by_now, reached);
    for (std::size_t c = 0; c < kCount; ++c) {
      kept[c] = std::min(kept[c], orders_[slot][c]);
      ready[c] += share * static_cast<float>(kept[c]);
    }
  }
  share = static_cast<float>(1.0 - reached);
  for (std::size_t c = 0; c < kCount; ++c) ready[c] += share * static_cast<float>(kept[c]);
}

void Tournament::score(const ScoredInterval& interval, double steepness, const LagShares& lag_shares, Duration lag) {
  if (filled_ == 0) return;
  Books cost{}, late{};
  for (int i = 0; i < kMoments; ++i) {
    const double into = (i + 0.5) / kMoments;
    const TimePoint moment = interval.from + from_seconds(into * to_seconds(interval.to - interval.from));
    const double load = std::max(interval.load + (into - 0.5) * interval.change, 0.0);
    Books paid, ready;
    look(moment, lag_shares, paid, ready);
    const double weight = interval.weight / kMoments;
    for (std::size_t c = 0; c < kCount; ++c) {
      const double serving = std::max(static_cast<double>(ready[c]), 0.01);
      cost[c] += static_cast<float>(weight) * paid[c];
      late[c] += static_cast<float>(weight * load * std::exp(std::min(steepness * (load / serving - 1.0), 0.0)));
    }
  }
  // The books of the context in which what serves now was asked for.
  int back = 0;
  while (back + 1 < filled_ && interval.to - order_times_[slot_before(back)] < lag) ++back;
  const auto context = static_cast<std::size_t>(order_contexts_[slot_before(back)]);

  const auto forgetting = static_cast<float>(kForgetting);
  for (std::size_t k = 0; k < kContexts; ++k) {
    for (float& value : context_cost_[k]) value *= forgetting;
    for (float& value : context_late_[k]) value *= forgetting;
    context_samples_[k] *= forgetting;
  }
  for (std::size_t c = 0; c < kCount; ++c) {
    cost_[c] = forgetting * cost_[c] + cost[c];
    late_[c] = forgetting * late_[c] + late[c];
    context_cost_[context][c] += cost[c];
    context_late_[context][c] += late[c];
  }
  context_samples_[context] += static_cast<float>(interval.weight);
  samples_ = kForgetting * samples_ + interval.weight;
  demand_ = kForgetting * demand_ + interval.weight * interval.load;
}

Tournament::Weights Tournament::weights(double price, int context) const {
  Weights books;
  for (std::size_t c = 0; c < kCount; ++c)
    books[c] = static_cast<double>(cost_[c]) + price * static_cast<double>(late_[c]);
  if (context != kNoContext) {
    const auto k = static_cast<std::size_t>(context);
    const double weight = kContextWeight * samples_ / (static_cast<double>(context_samples_[k]) + kContextSamples);
    for (std::size_t c = 0; c < kCount; ++c)
      books[c] +=
          weight * (static_cast<double>(context_cost_[k][c]) + price * static_cast<double>(context_late_[k][c]));
  }
  const double mean_load = samples_ > 0.0 ? std::max(demand_ / samples_, kLeastLoad) : 1.0;
  for (std::size_t c = 0; prior_ != nullptr && c < kCount; ++c) {
    const PriorBooks& before = (*prior_)[c];
    books[c] += kPriorSamples * mean_load * (before.cost + price * before.late);
  }
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < kCount; ++c)
    if (members_[c]) least = std::min(least, books[c]);
  const double scale = kRate / (least + kEarlySamples * mean_load);
  double sum = 0.0;
  for (std::size_t c = 0; c < kCount; ++c) {
    books[c] = members_[c] ? std::exp(-scale * (books[c] - least)) : 0.0;
    sum += books[c];
  }
  for (double& weight : books) weight /= sum;
  return books;
}

Tournament::Totals Tournament::totals(const Weights& weights) const {
  Totals totals{.demand = demand_};
  for (std::size_t c = 0; c < kCount; ++c) {
    totals.cost += weights[c] * static_cast<double>(cost_[c]);
    totals.late += weights[c] * static_cast<double>(late_[c]);
  }
  return totals;
}

void Tournament::begin_like_others(std::size_t candidate) {
  const auto begin = [&](Books& books) {
    double sum = 0.0;
    int others = 0;
    for (std::size_t c = 0; c < kCount; ++c) {
      if (c == candidate || !members_[c]) continue;
      sum += static_cast<double>(books[c]);
      ++others;
    }
    if (others > 0) books[candidate] = static_cast<float>(sum / others);
  };
  begin(cost_);
  begin(late_);
  for (Books& books : context_cost_) begin(books);
  for (Books& books : context_late_) begin(books);
}

double Tournament::price_for(double share, int context) const {
  double low = std::log(kLeastPrice), high = std::log(kGreatestPrice);
  for (int i = 0; i < 20; ++i) {
    const double middle = 0.5 * (low + high);
    const Totals then = totals(weights(std::exp(middle), context));
    (then.late > share * then.demand ? low : high) = middle;
  }
  return std::exp(0.5 * (low + high));
}

bool Tournament::is_valid() const {
  const auto is_amount = [](double value) { return value >= 0.0; };
  const auto are_amounts = [&](const Books& books) { return std::all_of(books.begin(), books.end(), is_amount); };
  const auto is_known = [](int context) { return context < kContexts; };
  return newest_ >= 0 && newest_ < kSlots && filled_ >= 0 && filled_ <= kSlots && in_slot_ >= 0 &&
         std::all_of(order_contexts_.begin(), order_contexts_.end(), is_known) && is_amount(samples_) &&
         is_amount(demand_) && are_amounts(cost_) && are_amounts(late_) &&
         std::all_of(context_cost_.begin(), context_cost_.end(), are_amounts) &&
         std::all_of(context_late_.begin(), context_late_.end(), are_amounts) &&
         std::all_of(context_samples_.begin(), context_samples_.end(), is_amount);
}

}  // namespace mpca::policy
