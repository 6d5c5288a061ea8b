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

  bool operator<(const Due& other) const { return time != other.time ? time < other.time : tag < other.tag; }
};

/// A binary heap, the earliest on top.
class DueHeap {
 public:
  bool empty() const { return due_.empty(); }
  const Due& front() const { return due_.front(); }

  void push(Due due) {
    std::size_t hole = due_.size();
    due_.push_back(due);
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 2;
      if (!(due < due_[parent])) break;
      due_[hole] = due_[parent];
      hole = parent;
    }
    due_[hole] = due;
  }

  void pop() {
    const Due last = due_.back();
    due_.pop_back();
    if (!due_.empty()) sink(last);
  }

  /// pop() and push() in one way down.
  void replace_front(Due due) { sink(due); }

  template <class Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(due_, predicate);
    // A sorted vector is a heap.
    std::sort(due_.begin(), due_.end());
  }

 private:
  void sink(Due due) {
    const std::size_t size = due_.size();
    std::size_t hole = 0;
    for (std::size_t child = 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && due_[child + 1] < due_[child]) ++child;
      if (!(due_[child] < due)) break;
      due_[hole] = due_[child];
      hole = child;
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

  void replace_front(Due due) {
    if (equal_services_) {
      ring_.pop_front();
      ring_.push_back(due);
    } else {
      heap_.replace_front(due);
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
