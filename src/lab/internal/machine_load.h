// How busy the machine is, from /proc/stat: an experiment on a machine with no time left measures the machine.
#pragma once

#include <cstdint>
#include <optional>

namespace mpca::lab::internal {

/// CPU time of all cores since the system started, in ticks.
struct CpuTicks {
  std::uint64_t busy = 0;
  std::uint64_t total = 0;
};

/// nullopt where the kernel does not tell.
std::optional<CpuTicks> read_cpu_ticks();

/// Fraction of all cores' time between two readings; 0 when no time passed.
double busy_fraction(const CpuTicks& from, const CpuTicks& to);

}  // namespace mpca::lab::internal
