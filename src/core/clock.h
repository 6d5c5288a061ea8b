// Where time comes from. Policies have no clock at all; loops and worlds take one of these by reference.
#pragma once

#include "core/time.h"

namespace mpca {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual void sleep_until(TimePoint time) = 0;
};

/// Simulated time: sleeping is jumping. Not thread safe; each simulation owns one.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(TimePoint start = {}) : now_(start) {}
  TimePoint now() const override { return now_; }
  void sleep_until(TimePoint time) override {
    if (time > now_) now_ = time;
  }

 private:
  TimePoint now_;
};

}  // namespace mpca
