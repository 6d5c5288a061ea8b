// Requests as they arrive, second by second. Made once per trace and seed and shared by every run on them, so that all
// policies, and both simulators, meet the same requests.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::sim {

enum class ArrivalKind {
  constant,  // as many as the rate says, the rest of a request carried to the next second
  poisson,   // independent of one another
  bursty,    // Poisson with a rate that is switched between two levels at random times (MMPP)
  recorded,  // a list of times, as it was
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
  std::vector<Duration> times{};  // `recorded`: of each request, since the start, ascending; else empty
};

/// Poisson counts are exact: inversion for small means, Hoermann's (1993) transformed rejection PTRS for large ones.
/// Times within a second are the request-level world's to draw. O(seconds), some 50 ns each.
///   rate_rps   n >= 1 values >= 0 and <= 10^9, each the mean over one second
///   kind       not `recorded`
std::shared_ptr<const Arrivals> make_arrivals(std::vector<double> rate_rps, ArrivalKind kind,
                                              const BurstSettings& bursts, std::uint64_t seed);

/// A recorded list. `rate_rps` is then the count of each second: there is no truth behind it that anybody knows.
///   times     since the start of the recording, ascending, >= 0
///   seconds   length of the run, >= 1
///   seed      of everything else that is random in a run
///   errors    invalid_argument  the first time that is out of order or not within the run, with its index
Result<std::shared_ptr<const Arrivals>> arrivals_from_times(std::vector<Duration> times, std::size_t seconds,
                                                            std::uint64_t seed);

}  // namespace mpca::sim
