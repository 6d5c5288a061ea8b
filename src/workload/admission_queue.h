// Who is worked on and who waits: a queue of c servers, first come first served, with a bound on the waiting. Pure: it
// says who starts; starting is the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

namespace mpca::workload {

struct AdmissionLimits {
  std::optional<int> concurrency;          // >= 1; none: everybody starts at once
  std::optional<std::size_t> queue_limit;  // how many may wait; none: any number
};

class AdmissionQueue {
 public:
  using Id = std::uint64_t;
  enum class Admission { starts, waits, refused };

  explicit AdmissionQueue(const AdmissionLimits& limits) : limits_(limits) {}

  /// `id` is new; refused ones are forgotten at once.
  Admission arrive(Id id);
  /// One that was worked on has ended.
  ///   returns  who starts in its place
  std::optional<Id> finish();
  /// One that waits gives up. False when it does not wait (it has started).
  bool give_up(Id id);

  int busy() const { return busy_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  AdmissionLimits limits_;
  int busy_ = 0;
  std::list<Id> waiting_;
  std::unordered_map<Id, std::list<Id>::iterator> place_;
};

}  // namespace mpca::workload
