// Which running request ends next. Equal services end in the order they started, so a ring does; others are in a heap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/time.h"
#include "sim/internal/ring.h"

namespace mpca::sim::internal {

/// Something due. Equal times in the order of tags.
struct Due {
  Duration time{};
  std::uint64_t tag = 0;

  // Without a branch: which of two ends first cannot be predicted.
  bool operator<(const Due& other) const {
    return static_cast<bool>(static_cast<int>(time < other.time) |
                             (static_cast<int>(time == other.time) & static_cast<int>(tag < other.tag)));
  }
};

/// A binary heap, the earliest on top.
class DueHeap {
 public:
  bool empty() const { return due_.empty(); }
  const Due& front() const { return due_.front(); }

  void push(Due due) {
    due_.push_back(due);
    rise(due_.size() - 1, due);
  }

  // The hole goes all the way down and the last one up from there (Wegener 1993): the last one belongs near the bottom,
  // so comparing it on the way down would be in vain.
  void pop() {
    const Due last = due_.back();
    due_.pop_back();
    const std::size_t size = due_.size();
    if (size == 0) return;
    std::size_t hole = 0, child = 1;
    for (; child + 1 < size; child = 2 * hole + 1) {
      child += static_cast<std::size_t>(due_[child + 1] < due_[child]);
      due_[hole] = due_[child];
      hole = child;
    }
    if (child < size) {
      due_[hole] = due_[child];
      hole = child;
    }
    rise(hole, last);
  }

  template <class Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(due_, predicate);
    // A sorted vector is a heap.
    std::sort(due_.begin(), due_.end());
  }

 private:
  void rise(std::size_t hole, Due due) {
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 2;
      if (!(due < due_[parent])) break;
      due_[hole] = due_[parent];
      hole = parent;
    }
    due_[hole] = due;
  }

  std::vector<Due> due_;
};

class Departures {
 public:
  /// With `equal_services` each push is due no earlier than those before it.
  explicit Departures(bool equal_services) : equal_services_(equal_services) {}

  bool empty() const { return equal_services_ ? ring_.empty() : heap_.empty(); }
  const Due& front() const { return equal_services_ ? ring_.front() : heap_.front(); }

  void push(Due due) {
    if (equal_services_) {
      ring_.push_back(due);
    } else {
      heap_.push(due);
    }
  }

  void pop() {
    if (equal_services_) {
      ring_.pop_front();
    } else {
      heap_.pop();
    }
  }

  template <class Predicate>
  void erase_if(Predicate predicate) {
    if (!equal_services_) return heap_.erase_if(predicate);
    const std::size_t size = ring_.size();
    for (std::size_t i = 0; i < size; ++i) {
      const Due due = ring_.front();
      ring_.pop_front();
      if (!predicate(due)) ring_.push_back(due);
    }
  }

 private:
  bool equal_services_;
  Ring<Due> ring_;
  DueHeap heap_;
};

}  // namespace mpca::sim::internal
