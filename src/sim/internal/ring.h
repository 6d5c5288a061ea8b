// A queue in one piece of memory that grows to the most that ever waited in it and is then used again.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace mpca::sim::internal {

template <class T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  const T& front() const { return places_[first_]; }
  const T& operator[](std::size_t i) const { return places_[(first_ + i) & (places_.size() - 1)]; }

  void push_back(const T& value) {
    if (size_ == places_.size()) grow();
    places_[(first_ + size_++) & (places_.size() - 1)] = value;
  }

  void pop_front() {
    first_ = (first_ + 1) & (places_.size() - 1);
    --size_;
  }

 private:
  void grow() {
    std::vector<T> more(places_.empty() ? 8 : 2 * places_.size());
    for (std::size_t i = 0; i < size_; ++i) more[i] = (*this)[i];
    places_ = std::move(more);
    first_ = 0;
  }

  std::vector<T> places_;  // a power of two of them
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mpca::sim::internal
