#include "plant/internal/ready_history.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "plant/internal/plausible.h"

namespace mpca::plant::internal {

void ReadyHistory::add(TimePoint now, int ready) {
  if (!has_looked_) {
    has_looked_ = true;
    known_from_ = now;
    ready_at_first_ = ready;
  }
  const int before = count_ > 0 ? changes_[static_cast<std::size_t>(count_ - 1)].ready : ready_at_first_;
  if (ready != before) {
    if (count_ == kMostChanges) {
      known_from_ = changes_[0].by;
      ready_at_first_ = changes_[0].ready;
      std::shift_left(changes_.begin(), changes_.end(), 1);
      --count_;
    }
    changes_[static_cast<std::size_t>(count_++)] = {last_look_, now, ready};
  }
  last_look_ = now;
}

std::optional<ReadyMean> ReadyHistory::mean(TimePoint begin, TimePoint end) const {
  if (!has_looked_ || begin >= end || begin < known_from_ || end > last_look_) return std::nullopt;
  const auto share_of = [&](TimePoint from, TimePoint to) {
    const Duration length = std::min(to, end) - std::max(from, begin);
    return std::max(to_seconds(length), 0.0) / to_seconds(end - begin);
  };
  ReadyMean mean{.ready = static_cast<double>(ready_at_first_)};
  int before = ready_at_first_;
  for (int k = 0; k < count_; ++k) {
    const Change& change = changes_[static_cast<std::size_t>(k)];
    const double by = change.ready - before;
    const double within = share_of(change.after, change.by);
    mean.ready += by * (share_of(change.by, end) + 0.5 * within);
    mean.uncertainty += std::abs(by) * 0.5 * within;
    before = change.ready;
  }
  return mean;
}

void ReadyHistory::save(StateWriter& writer) const {
  writer.put("ready_looked", std::int64_t{has_looked_});
  writer.put("ready_last_look", last_look_);
  writer.put("ready_known_from", known_from_);
  writer.put("ready_at_first", std::int64_t{ready_at_first_});
  writer.put("ready_changes", std::int64_t{count_});
  for (int k = 0; k < count_; ++k) {
    const Change& change = changes_[static_cast<std::size_t>(k)];
    writer.put(cat("ready_after_", k), change.after);
    writer.put(cat("ready_by_", k), change.by);
    writer.put(cat("ready_count_", k), std::int64_t{change.ready});
  }
}

Result<void> ReadyHistory::load(const StateReader& reader) {
  ReadyHistory loaded;
  MPCA_TRY(const std::int64_t has_looked, reader.integer("ready_looked"));
  MPCA_TRY(loaded.last_look_, reader.time("ready_last_look"));
  MPCA_TRY(loaded.known_from_, reader.time("ready_known_from"));
  MPCA_TRY(const std::int64_t at_first, reader.integer("ready_at_first"));
  MPCA_TRY(const std::int64_t count, reader.integer("ready_changes"));
  const auto is_count = [](std::int64_t ready) { return ready >= 0 && ready <= 1'000'000'000; };
  bool is_possible = count >= 0 && count <= kMostChanges && is_count(at_first) && is_plausible(loaded.last_look_) &&
                     is_plausible(loaded.known_from_);
  for (int k = 0; is_possible && k < count; ++k) {
    Change& change = loaded.changes_[static_cast<std::size_t>(k)];
    MPCA_TRY(change.after, reader.time(cat("ready_after_", k)));
    MPCA_TRY(change.by, reader.time(cat("ready_by_", k)));
    MPCA_TRY(const std::int64_t ready, reader.integer(cat("ready_count_", k)));
    is_possible = is_count(ready) && is_plausible(change.after) && is_plausible(change.by);
    change.ready = is_possible ? static_cast<int>(ready) : 0;
  }
  if (!is_possible) return invalid("the state of the ready pods has a value out of range");
  loaded.has_looked_ = has_looked != 0;
  loaded.ready_at_first_ = static_cast<int>(at_first);
  loaded.count_ = static_cast<int>(count);
  *this = loaded;
  return {};
}

}  // namespace mpca::plant::internal
