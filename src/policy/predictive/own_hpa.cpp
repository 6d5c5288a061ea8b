#include "policy/predictive/own_hpa.h"

#include <algorithm>

#include "core/text.h"
#include "policy/hpa/hpa_policy.h"

namespace mpca::policy {

OwnHpa::OwnHpa(std::unique_ptr<Policy> hpa, std::string_view settings)
    : hpa_(std::move(hpa)), name_(state_number(settings)) {}

Result<std::unique_ptr<OwnHpa>> OwnHpa::create(std::string_view settings, const Workload& workload,
                                               std::string_view where) {
  std::string with_commas(settings);
  std::replace(with_commas.begin(), with_commas.end(), '+', ',');
  MPCA_TRY(auto hpa, create_hpa(with_commas, workload, where));
  return std::unique_ptr<OwnHpa>(new OwnHpa(std::move(hpa), settings));
}

int OwnHpa::decide(const Situation& now) {
  if (!fleet_.has_begun()) fleet_.begin(now.spec_replicas);
  fleet_.look(now.now, now.readiness_lag);

  Observation seen;
  seen.now = now.now;
  seen.ready_replicas = fleet_.ready();
  seen.spec_replicas = fleet_.held();
  for (const ShadowFleet::Starting& each : fleet_.starting())
    seen.starting_pod_ages.insert(seen.starting_pod_ages.end(), static_cast<std::size_t>(each.pods),
                                  now.now - each.asked);
  const double served_rps = std::min(now.demand_rps, fleet_.ready() * now.capacity_rps);
  seen.served_rate_rps = Signal::fresh(served_rps);
  seen.failed_rate_rps = Signal::fresh(now.demand_rps - served_rps);
  seen.in_flight_requests = Signal::fresh(served_rps / now.capacity_rps);
  seen.cpu_cores = Signal::fresh(served_rps * now.cores_per_rps);
  const int replicas = hpa_->decide(seen).replicas;
  fleet_.hold(replicas, now.now);
  return replicas;
}

void OwnHpa::save(StateWriter& writer) const {
  writer.put("own_hpa_name", name_);
  fleet_.save("own_hpa", writer);
  writer.put_state("own_hpa", hpa_->save_state());
}

Result<bool> OwnHpa::load(const StateReader& reader) {
  if (!reader.has("own_hpa_name")) return false;
  MPCA_TRY(const std::int64_t name, reader.integer("own_hpa_name"));
  if (name != name_) return false;
  ShadowFleet fleet;
  MPCA_TRY_VOID(fleet.load("own_hpa", reader));
  MPCA_TRY(const std::string state, reader.state("own_hpa"));
  MPCA_TRY_VOID(hpa_->load_state(state));
  fleet_ = std::move(fleet);
  return true;
}

}  // namespace mpca::policy
