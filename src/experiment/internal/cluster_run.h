// One run in a cluster, from what is set aside before it to what is put back after it.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "core/result.h"
#include "experiment/cluster_place.h"

namespace mpca::experiment::internal {

/// Whether these are the HPAs that a run needs: exactly one for a run of it, and for a policy none that somebody would
/// make again.
///   errors   invalid_argument  every problem, with what to do about it
Result<void> check_hpas(const Target& target, const std::vector<LiveHpa>& hpas, const std::optional<ClusterHpa>& hpa);

Result<lab::MeasuredRun> run_in_cluster(const ClusterSettings& settings, const ClusterTools& tools,
                                        const lab::RunPlan& plan, const std::stop_token& stop,
                                        const lab::OnProgress& on_progress);

}  // namespace mpca::experiment::internal
