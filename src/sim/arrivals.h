// Requests as they arrive, second by second. Made once per trace and seed and shared by every run on them, so that all
// policies, and both simulators, meet the same requests.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/time.h"

namespace mpca::sim {

enum class ArrivalKind {
  constant,  // as many as the rate says, the rest of a request carried to the next second
  poisson,   // independent of one another
  bursty,    // Poisson with a rate that is switched between two levels at random times (MMPP)
};

/// The two levels of `bursty`; their mean over time is the trace's rate.
struct BurstSettings {
  double factor = 3.0;                             // rate in a burst / rate outside it, >= 1
  double share = 0.2;                              // of the time spent in bursts, in (0, 1)
  Duration mean_length = std::chrono::seconds(5);  // of a burst, exponential; > 0
};

struct Arrivals {
  std::vector<double> rate_rps;      // the truth behind them: the trace's rate (bursts not included), per second
  std::vector<std::uint32_t> count;  // arrivals in second [i, i + 1)
  ArrivalKind kind = ArrivalKind::poisson;
  std::uint64_t seed = 0;
};

///   rate_rps   n >= 1 values >= 0, each the mean over one second
std::shared_ptr<const Arrivals> make_arrivals(std::vector<double> rate_rps, ArrivalKind kind,
                                              const BurstSettings& bursts, std::uint64_t seed);

}  // namespace mpca::sim
