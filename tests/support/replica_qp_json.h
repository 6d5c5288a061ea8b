// The settings of one recorded plan of the reference lab, as tests/data/reference/vectors/qp.json has them.
#pragma once

#include <nlohmann/json.hpp>

#include "mpc/replica_qp.h"

namespace mpca::test {

inline mpc::ReplicaQpSettings replica_qp_settings(const nlohmann::json& in) {
  return {.horizon_stages = static_cast<int>(in.at("forecast").size()),
          .alpha = in.at("alpha"),
          .beta = in.at("beta"),
          .gamma = in.at("gamma"),
          .capacity_rps = in.at("capacity_per_replica"),
          .target_utilization = in.at("rho_star"),
          .min_replicas = in.at("min_replicas"),
          .max_replicas = in.at("max_replicas"),
          .max_step = in.at("max_step"),
          .period_s = in.at("dt_seconds"),
          .normalized_objective = in.at("normalized_objective"),
          .normalization_reference_replicas = in.at("normalization_reference_replicas")};
}

}  // namespace mpca::test
