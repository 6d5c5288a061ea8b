// The requests of a run, second by second: when each arrives and how much work it is. Both depend on the seed only, so
// every policy meets the same work.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "sim/arrivals.h"
#include "sim/internal/request_engine.h"

namespace mpca::sim::internal {

enum class ServiceKind { deterministic, exponential, lognormal };

/// The kind of that name (checked).
ServiceKind service_kind(std::string_view name);

class RequestSource {
 public:
  ///   cv   of lognormal services, >= 0
  RequestSource(std::shared_ptr<const Arrivals> arrivals, ServiceKind kind, Duration mean_service, double cv);

  std::size_t seconds() const { return arrivals_->count.size(); }
  /// The requests of the next second; valid until the next call. Given their number, Poisson arrivals are uniform.
  std::span<const RequestArrival> next_second();

 private:
  void draw_times(std::uint32_t count);

  std::shared_ptr<const Arrivals> arrivals_;  // shared by all runs of a comparison
  ServiceKind kind_;
  Duration mean_service_;
  double lognormal_location_;  // of seconds
  double lognormal_scale_;
  RandomStream times_;
  RandomStream services_;
  std::size_t second_ = 0;
  std::size_t recorded_ = 0;  // recorded times that were given
  std::vector<RequestArrival> requests_;
  std::vector<std::uint32_t> drawn_;  // memory of draw_times()
  std::vector<std::uint32_t> sorted_;
  std::vector<std::uint32_t> places_;
};

}  // namespace mpca::sim::internal
