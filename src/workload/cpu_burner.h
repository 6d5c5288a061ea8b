// Burning CPU for a given wall time, as goroutines do it: any number of burns share the processors in slices, round
// robin, and each ends when its own time has passed. So a thousand burns of 20 ms on two cores end after about 20 ms,
// all of them having had less CPU than asked: the load on the machine is bounded by the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/time.h"

namespace mpca::workload {

class CpuBurner {
 public:
  /// `threads`: how many burn at the same time; they are made at the first burn.
  explicit CpuBurner(int threads);
  /// Burns in progress are given up; their `done` is not called.
  ~CpuBurner();
  CpuBurner(const CpuBurner&) = delete;
  CpuBurner& operator=(const CpuBurner&) = delete;

  /// Burns until `deadline` (of os::monotonic_now()), then calls `done` from a burning thread.
  void burn(std::uint64_t id, Duration deadline, std::function<void()> done);
  /// Gives up the burn, within a slice; `done` may still come when it was just ending.
  void cancel(std::uint64_t id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::workload
