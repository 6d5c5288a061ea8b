// What the workload's own HorizontalPodAutoscaler would hold, as one more candidate: its twin (policy/hpa) in shadow.
// It is shown the demand that we know, as far as the pods that *it* would have Ready could have served it, and as the
// CPU that requests take here; what it asks for is carried out in shadow, Ready after the mean readiness lag. So it is
// as late and as calm as it would be in charge, and the tournament books it like the others.
//
// One sync for each sample of demand. A queue and the failures of its overload are not simulated, nor young pods' CPU:
// Ready pods share it and are old.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/state_text.h"
#include "policy/policy.h"
#include "policy/shadow_fleet.h"

namespace mpca::policy {

class OwnHpa {
 public:
  struct Situation {
    TimePoint now;
    int spec_replicas = 0;       // of the workload: where the shadow begins
    double demand_rps = 0.0;     // >= 0
    double capacity_rps = 0.0;   // > 0, of a Ready pod
    double cores_per_rps = 0.0;  // > 0
    Duration readiness_lag{};
  };

  ///   settings   of the policy hpa, with + between them: `target=60+stabilization=300s`
  ///   errors     invalid_argument  as the policy hpa has them
  static Result<std::unique_ptr<OwnHpa>> create(std::string_view settings, const Workload& workload,
                                                std::string_view where);

  /// Times rise. Returns what it holds from now on.
  int decide(const Situation& situation);

  /// Lines whose names begin with `own_hpa`.
  void save(StateWriter& writer) const;
  /// False: the state is that of another object or of none, and this one begins anew.
  ///   errors   invalid_argument  lines missing or impossible; it is then as it was
  Result<bool> load(const StateReader& reader);

 private:
  OwnHpa(std::unique_ptr<Policy> hpa, std::string_view settings);

  std::unique_ptr<Policy> hpa_;
  std::int64_t name_ = 0;  // of the settings: a hash
  ShadowFleet fleet_;
};

}  // namespace mpca::policy
