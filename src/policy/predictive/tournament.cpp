#include "policy/predictive/tournament.h"

#include <algorithm>
#include <cmath>

namespace mpca::policy {
namespace {

constexpr double kForgetting = 1.0 - 1.0 / 10'000;  // per sample
constexpr double kRate = 60.0;                      // of the exponential weights, on the relative excess of the books
constexpr double kEarlySamples = 100.0;             // excess is relative to the best and as many samples of mean load
// A context's books count as 1.5 x all books when it was seen for long, and little before kContextSamples.
constexpr double kContextWeight = 1.5;
constexpr double kContextSamples = 600.0;
constexpr double kLeastLoad = 0.1;
constexpr double kLeastPrice = 0.3, kGreatestPrice = 1500.0;

}  // namespace

void Tournament::order(TimePoint sampled, const Candidates::Replicas& replicas, int context, int stride) {
  last_order_ = replicas;
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
  order_times_[slot] = sampled;
  order_contexts_[slot] = static_cast<std::uint8_t>(context);
}

void Tournament::score(TimePoint sampled, double load, double spread, double steepness, const DeadTimeShares& dead_time,
                       Duration lag) {
  if (filled_ == 0) return;
  const auto order_of = [&](std::size_t back) -> const Candidates::Replicas& {
    if (back == 0) return last_order_;
    return orders_[static_cast<std::size_t>(slot_before(std::min(static_cast<int>(back), filled_ - 1)))];
  };
  // Expected replicas that are paid, and that are Ready: of what was asked for m intervals before, so much is there as
  // was never taken back since.
  Books paid{}, ready{};
  for (std::size_t j = 0; j < dead_time.in_effect.size(); ++j) {
    const float in_effect = dead_time.in_effect[j];
    if (in_effect <= 0.0F) continue;
    Candidates::Replicas kept = order_of(j);
    for (std::size_t c = 0; c < kCount; ++c) paid[c] += in_effect * static_cast<float>(kept[c]);
    for (std::size_t m = 0; m < DeadTimeShares::kSpan; ++m) {
      const Candidates::Replicas& past = order_of(j + m);
      const float share = in_effect * dead_time.ready_after[m];
      for (std::size_t c = 0; c < kCount; ++c) {
        kept[c] = std::min(kept[c], past[c]);
        ready[c] += share * static_cast<float>(kept[c]);
      }
    }
  }
  // The books of the context in which what serves now was asked for.
  int back = 0;
  while (back + 1 < filled_ && sampled - order_times_[static_cast<std::size_t>(slot_before(back))] < lag) ++back;
  const auto context = static_cast<std::size_t>(order_contexts_[static_cast<std::size_t>(slot_before(back))]);

  const auto forgetting = static_cast<float>(kForgetting);
  for (std::size_t k = 0; k < kContexts; ++k) {
    for (float& cost : context_cost_[k]) cost *= forgetting;
    for (float& late : context_late_[k]) late *= forgetting;
    context_samples_[k] *= kForgetting;
  }
  const double loads[] = {load, load + spread, std::max(load - spread, 0.0)};
  for (std::size_t c = 0; c < kCount; ++c) {
    const double serving = std::max(static_cast<double>(ready[c]), 0.01);
    double late = 0.0;
    for (const double each : loads) late += each * std::exp(std::min(steepness * (each / serving - 1.0), 0.0));
    const auto late_load = static_cast<float>(late / static_cast<double>(std::size(loads)));
    cost_[c] = forgetting * cost_[c] + paid[c];
    late_[c] = forgetting * late_[c] + late_load;
    context_cost_[context][c] += paid[c];
    context_late_[context][c] += late_load;
  }
  context_samples_[context] += 1.0;
  samples_ = kForgetting * samples_ + 1.0;
  demand_ = kForgetting * demand_ + load;
}

Tournament::Weights Tournament::weights(double price, int context) const {
  const auto k = static_cast<std::size_t>(context);
  const double context_weight = kContextWeight * samples_ / (context_samples_[k] + kContextSamples);
  Weights books;
  for (std::size_t c = 0; c < kCount; ++c)
    books[c] =
        static_cast<double>(cost_[c]) + price * static_cast<double>(late_[c]) +
        context_weight * (static_cast<double>(context_cost_[k][c]) + price * static_cast<double>(context_late_[k][c]));
  const double least = *std::min_element(books.begin(), books.end());
  const double mean_load = samples_ > 0.0 ? std::max(demand_ / samples_, kLeastLoad) : 1.0;
  const double scale = kRate / (least + kEarlySamples * mean_load);
  double sum = 0.0;
  for (double& value : books) {
    value = std::exp(-scale * (value - least));
    sum += value;
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
