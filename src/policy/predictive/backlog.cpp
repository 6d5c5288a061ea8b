#include "policy/predictive/backlog.h"

#include <algorithm>

namespace mpca::policy {
namespace {

constexpr double kServiceFactor = 2.0;
constexpr double kHandful = 4.0;
constexpr double kShortQueueS = 5.0;
constexpr double kMostRequests = 1e12;  // finite, whatever in flight reads

}  // namespace

double backlog_requests(const ScreenedObservation& screened, const plant::PlantEstimate& plant) {
  if (screened.in_flight != Finding::good && screened.in_flight != Finding::duplicate) return 0.0;
  const double ready = std::max(screened.observation.ready_replicas, 0);
  const double capacity = plant.capacity_rps.value;
  const double in_service = ready * std::max(capacity * plant.service_time_s.value, 1.0);
  const double ordinary = std::max(kServiceFactor * in_service + kHandful, kShortQueueS * ready * capacity);
  return std::clamp(screened.observation.in_flight_requests.value - ordinary, 0.0, kMostRequests);
}

}  // namespace mpca::policy
