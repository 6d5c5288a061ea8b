#include "lab/experiment_clock.h"

namespace mpca::lab {

void ExperimentClock::sleep_until(TimePoint time) {
  os::RealClock clock;
  clock.sleep_until(clock.now() + (monotonic_at(time) - os::monotonic_now()));
}

}  // namespace mpca::lab
