// Things to do at a time, in the order of their times, and of their making when the times are equal. Pure: the time
// comes in by parameter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/time.h"

namespace mpca::net::internal {

class TimerQueue {
 public:
  using Id = std::uint64_t;

  ///   cost  O(log n)
  Id add(Duration time, std::function<void()> task);
  /// False when it has run or was cancelled. O(log n).
  bool cancel(Id id);
  std::optional<Duration> next() const;
  /// Runs what is due at `now`, tasks added meanwhile for a time already due included.
  void run_due(Duration now);
  std::size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    Duration time;
    std::uint64_t sequence;
    std::uint32_t slot;
    bool before(const Entry& other) const { return time != other.time ? time < other.time : sequence < other.sequence; }
  };
  struct Slot {
    std::function<void()> task;
    std::uint32_t generation = 0;
    std::uint32_t heap_index = 0;
    bool in_use = false;
  };
  void put(std::size_t index, const Entry& entry);
  void sift(std::size_t index);
  std::function<void()> remove(std::size_t index);

  std::vector<Entry> heap_;  // binary, the first at 0
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t sequence_ = 0;
};

}  // namespace mpca::net::internal
