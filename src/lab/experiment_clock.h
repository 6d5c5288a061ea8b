// Time inside an experiment, which may pass faster than outside: `speed` experiment seconds per real second. Everything
// that the experiment waits for (phases, start-up lags, scrapes, control periods, stabilization) lives in experiment
// time, so a policy needs no settings of its own for a fast run; requests and their latencies stay real.
#pragma once

#include "core/clock.h"
#include "core/os/real_clock.h"

namespace mpca::lab {

class ExperimentClock final : public Clock {
 public:
  /// Starts now, at the real time.
  explicit ExperimentClock(double speed)
      : speed_(speed), started_at_(os::RealClock().now()), real_start_(os::monotonic_now()) {}

  TimePoint now() const override { return at(os::monotonic_now()); }
  void sleep_until(TimePoint time) override;

  double speed() const { return speed_; }
  TimePoint started_at() const { return started_at_; }
  Duration elapsed() const { return now() - started_at_; }

  /// Experiment time of a monotonic instant, and back.
  TimePoint at(Duration monotonic) const { return started_at_ + to_experiment(monotonic - real_start_); }
  Duration monotonic_at(TimePoint time) const { return real_start_ + to_real(time - started_at_); }
  Duration to_real(Duration experiment) const { return from_seconds(to_seconds(experiment) / speed_); }
  Duration to_experiment(Duration real) const { return from_seconds(to_seconds(real) * speed_); }

 private:
  double speed_;
  TimePoint started_at_;
  Duration real_start_;
};

}  // namespace mpca::lab
