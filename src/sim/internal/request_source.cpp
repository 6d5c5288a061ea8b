#include "sim/internal/request_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/result.h"

namespace mpca::sim::internal {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

}  // namespace

ServiceKind service_kind(std::string_view name) {
  if (name == "exponential") return ServiceKind::exponential;
  if (name == "lognormal") return ServiceKind::lognormal;
  MPCA_CHECK(name == "deterministic", "the service was validated before");
  return ServiceKind::deterministic;
}

RequestSource::RequestSource(std::shared_ptr<const Arrivals> arrivals, ServiceKind kind, Duration mean_service,
                             double cv)
    : arrivals_(std::move(arrivals)),
      kind_(kind),
      mean_service_(mean_service),
      lognormal_location_(std::log(to_seconds(mean_service)) - 0.5 * std::log1p(cv * cv)),
      lognormal_scale_(std::sqrt(std::log1p(cv * cv))),
      times_(arrivals_->seed, "arrival times"),
      services_(arrivals_->seed, "services") {}

std::span<const RequestArrival> RequestSource::next_second() {
  const std::uint32_t count = arrivals_->count[second_];
  const Duration start = kSecond * static_cast<std::int64_t>(second_);
  ++second_;
  requests_.resize(count);
  switch (arrivals_->kind) {
    case ArrivalKind::recorded:
      for (RequestArrival& request : requests_) request.time = arrivals_->times[recorded_++];
      break;
    case ArrivalKind::constant:
      for (std::uint32_t i = 0; i < count; ++i)
        requests_[i].time = start + kSecond * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
      break;
    case ArrivalKind::poisson:
    case ArrivalKind::bursty:
      draw_times(count);
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto part_ns = static_cast<std::int64_t>((sorted_[i] * std::uint64_t{kSecond.count()}) >> 32);
        requests_[i].time = start + Duration(part_ns);
      }
      break;
  }
  const auto mean_ns = static_cast<double>(mean_service_.count());
  switch (kind_) {
    case ServiceKind::deterministic:
      for (RequestArrival& request : requests_) request.service = mean_service_;
      break;
    case ServiceKind::exponential:
      for (RequestArrival& request : requests_)
        request.service = Duration(std::llround(mean_ns * services_.exponential()));
      break;
    case ServiceKind::lognormal:
      for (RequestArrival& request : requests_) {
        const double seconds = std::exp(lognormal_location_ + lognormal_scale_ * services_.normal());
        request.service = from_seconds(std::min(seconds, 1e6));
      }
      break;
  }
  return requests_;
}

// 32-bit fractions of a second, ascending. Uniform values spread evenly over as many boxes, so that sorting into boxes
// leaves next to nothing for the insertion sort: O(count).
void RequestSource::draw_times(std::uint32_t count) {
  drawn_.resize(count);
  sorted_.resize(count);
  places_.assign(count + 1, 0);
  for (std::uint32_t i = 0; i < count; i += 2) {
    const std::uint64_t bits = times_.bits();
    drawn_[i] = static_cast<std::uint32_t>(bits);
    if (i + 1 < count) drawn_[i + 1] = static_cast<std::uint32_t>(bits >> 32);
  }
  const auto box = [&](std::uint32_t value) { return static_cast<std::size_t>((std::uint64_t{value} * count) >> 32); };
  for (const std::uint32_t value : drawn_) ++places_[box(value) + 1];
  for (std::uint32_t i = 1; i < count; ++i) places_[i] += places_[i - 1];
  for (const std::uint32_t value : drawn_) sorted_[places_[box(value)]++] = value;
  for (std::uint32_t i = 1; i < count; ++i) {
    const std::uint32_t value = sorted_[i];
    std::uint32_t hole = i;
    for (; hole > 0 && sorted_[hole - 1] > value; --hole) sorted_[hole] = sorted_[hole - 1];
    sorted_[hole] = value;
  }
}

}  // namespace mpca::sim::internal
