#include "net/internal/timer_queue.h"

#include <utility>

namespace mpca::net::internal {

TimerQueue::Id TimerQueue::add(Duration time, std::function<void()> task) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.task = std::move(task);
  slot.in_use = true;
  ++slot.generation;
  heap_.emplace_back();
  put(heap_.size() - 1, {time, sequence_++, index});
  sift(heap_.size() - 1);
  return (static_cast<Id>(slot.generation) << 32) | index;
}

bool TimerQueue::cancel(Id id) {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= slots_.size() || !slots_[index].in_use || slots_[index].generation != id >> 32) return false;
  remove(slots_[index].heap_index);
  return true;
}

std::optional<Duration> TimerQueue::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().time;
}

void TimerQueue::run_due(Duration now) {
  while (!heap_.empty() && heap_.front().time <= now) {
    const std::function<void()> task = remove(0);
    task();
  }
}

void TimerQueue::put(std::size_t index, const Entry& entry) {
  heap_[index] = entry;
  slots_[entry.slot].heap_index = static_cast<std::uint32_t>(index);
}

/// Moves the entry at `index` up or down to where it belongs.
void TimerQueue::sift(std::size_t index) {
  const Entry entry = heap_[index];
  while (index > 0 && entry.before(heap_[(index - 1) / 2])) {
    put(index, heap_[(index - 1) / 2]);
    index = (index - 1) / 2;
  }
  while (2 * index + 1 < heap_.size()) {
    std::size_t child = 2 * index + 1;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(entry)) break;
    put(index, heap_[child]);
    index = child;
  }
  put(index, entry);
}

std::function<void()> TimerQueue::remove(std::size_t index) {
  const std::uint32_t slot_index = heap_[index].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index < heap_.size()) {
    put(index, last);
    sift(index);
  }
  Slot& slot = slots_[slot_index];
  slot.in_use = false;
  free_slots_.push_back(slot_index);
  return std::exchange(slot.task, nullptr);
}

}  // namespace mpca::net::internal
