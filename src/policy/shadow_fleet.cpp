#include "policy/shadow_fleet.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace mpca::policy {
namespace {

constexpr std::int64_t kMostPods = 1'000'000;
constexpr std::int64_t kMostCohorts = 100'000;

}  // namespace

void ShadowFleet::begin(int ready, std::vector<Starting> starting) {
  ready_ = std::max(ready, 0);
  starting_ = std::move(starting);
}

void ShadowFleet::look(TimePoint now, Duration readiness_lag) {
  std::erase_if(starting_, [&](const Starting& each) {
    const bool is_ready = now - each.asked >= readiness_lag;
    if (is_ready) ready_ += each.pods;
    return is_ready;
  });
}

int ShadowFleet::held() const {
  int held = ready_;
  for (const Starting& each : starting_) held += each.pods;
  return held;
}

void ShadowFleet::hold(int replicas, TimePoint now) {
  const int before = held();
  if (replicas > before) starting_.push_back({now, replicas - before});
  int surplus = before - replicas;
  while (surplus > 0 && !starting_.empty()) {
    const int removed = std::min(surplus, starting_.back().pods);
    starting_.back().pods -= removed;
    surplus -= removed;
    if (starting_.back().pods == 0) starting_.pop_back();
  }
  ready_ -= std::max(surplus, 0);
}

void ShadowFleet::save(std::string_view prefix, StateWriter& writer) const {
  writer.put(cat(prefix, "_ready"), std::int64_t{ready_});
  writer.put(cat(prefix, "_cohorts"), static_cast<std::int64_t>(starting_.size()));
  for (std::size_t i = 0; i < starting_.size(); ++i) {
    writer.put(cat(prefix, "_asked_", i), starting_[i].asked);
    writer.put(cat(prefix, "_pods_", i), std::int64_t{starting_[i].pods});
  }
}

Result<void> ShadowFleet::load(std::string_view prefix, const StateReader& reader) {
  const auto number_of = [&](const std::string& line, int least, std::int64_t most) -> Result<int> {
    MPCA_TRY(const std::int64_t number, reader.integer(line));
    if (number < least || number > most) return invalid(cat("line \"", line, "\" of the state holds ", number));
    return static_cast<int>(number);
  };
  MPCA_TRY(const int ready, number_of(cat(prefix, "_ready"), -1, kMostPods));
  MPCA_TRY(const int cohorts, number_of(cat(prefix, "_cohorts"), 0, kMostCohorts));
  std::vector<Starting> starting;
  for (int i = 0; i < cohorts; ++i) {
    Starting& each = starting.emplace_back();
    MPCA_TRY(each.asked, reader.time(cat(prefix, "_asked_", i)));
    MPCA_TRY(each.pods, number_of(cat(prefix, "_pods_", i), 1, kMostPods));
  }
  ready_ = ready;
  starting_ = std::move(starting);
  return {};
}

}  // namespace mpca::policy
