// Simulators run from the epoch on, in UTC. A policy that knows days and a calendar wants to be shown the date and the
// offset that the workload's clocks had: this world shows another one's observations at another time.
#pragma once

#include <string>

#include "core/local_time.h"
#include "policy/world.h"

namespace mpca::sim {

struct WallClock {
  Duration ahead{};               // of the world's own time
  UtcOffsets offsets{};           // of the workload's local time
  std::string time_zone = "UTC";  // their name, for people
};

class DatedWorld final : public policy::World {
 public:
  /// The world must outlive this one.
  DatedWorld(policy::World& world, WallClock clock) : world_(world), clock_(std::move(clock)) {}

  std::optional<policy::Observation> next() override;
  policy::PeriodOutcome apply(const policy::Decision& decision) override;

 private:
  policy::World& world_;
  WallClock clock_;
};

}  // namespace mpca::sim
