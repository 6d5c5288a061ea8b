// Requests that wait, far more than a busy service has: an overload has left them, and they are late until capacity
// beyond the demand of now has worked them off. A forecast of demand knows nothing of them.
#pragma once

#include "plant/plant_model.h"
#include "policy/safety/signal_screen.h"

namespace mpca::policy {

/// In flight beyond what is ordinary; 0 where in flight is not shown, or not of now. Ordinary is what the plant model
/// takes for a free service, twice what is in service and a handful, and in any case what the ready pods serve within
/// 5 s: shorter queues are gone before a decision helps, and slow services have as many while nothing waits.
double backlog_requests(const ScreenedObservation& screened, const plant::PlantEstimate& plant);

}  // namespace mpca::policy
