// Randomness by parameter: counter-based streams, one per purpose, so that two policies meet the same arrivals and a
// sweep gives the same numbers on any number of threads. Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as
// easy as 1, 2, 3, SC'11: Philox4x32-10.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mpca {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Four words from a counter and a key; the published function, checked against its published vectors.
PhiloxCounter philox4x32_10(PhiloxCounter counter, PhiloxKey key);

/// An endless sequence that depends only on (seed, purpose, replication). Our own distributions: the standard fixes
/// only the engines, and results must not change with the library.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint32_t replication = 0);

  std::uint64_t bits();
  /// In [0, 1), 53 bits.
  double uniform();
  /// Mean 0, variance 1 (Box and Muller 1958; two values per pair of uniforms).
  double normal();
  /// Mean 1.
  double exponential();
  /// An integer in [0, bound), bound >= 1, without bias.
  std::uint64_t below(std::uint64_t bound);

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter block_{};
  int used_ = 4;
  double spare_normal_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace mpca
