// How a Deployment was scaled before an experiment touched it, as an object of the cluster that outlives us: a
// ConfigMap beside the Deployment. From it anybody can put things back: the run itself, its guardian, the next run,
// `mpc-autoscaler experiment restore`, or a person with kubectl.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "experiment/target.h"

namespace mpca::experiment {

struct SavedHpa {
  std::string name;
  std::string uid;            // of the one that was there
  std::string object;         // JSON, as it is created again: without status and what the API server adds
  std::string spec_during{};  // JSON of the spec that the experiment has given it; empty: it was removed, or left alone
  bool operator==(const SavedHpa&) const = default;
};

struct SavedScaling {
  std::string run;  // for people: which experiment
  int replicas = 0;
  std::vector<SavedHpa> hpas;
  bool operator==(const SavedScaling&) const = default;
};

/// `mpc-experiment-web`; a name that is too long for it ends in a number made of all of it.
std::string saved_name(const Target& target);
std::string saved_path(const Target& target);

/// The ConfigMap as JSON. What is no legal label value is an annotation.
std::string config_map_of(const SavedScaling& saved, const Target& target);
///   errors   invalid_argument  not one of ours, or of another version
Result<SavedScaling> parse_config_map(std::string_view object);

/// Of an HPA as the API server tells it.
SavedHpa save_hpa(const LiveHpa& hpa);

/// The spec of the same HPA with its CPU target at that percentage of the pods' requests, as JSON.
///   errors   not_found  it has no metric of CPU utilization
Result<std::string> spec_at_cpu_target(const LiveHpa& hpa, int percent);

enum class HpaRepair {
  nothing,   // it is as it was
  create,    // it is gone
  put_back,  // it has the spec that the experiment gave it
  differs,   // somebody else has changed it, or made another of its name: theirs is not overwritten
};
///   live   the object's JSON; empty: there is none
HpaRepair repair_of(const SavedHpa& saved, std::string_view live);

/// `spec` of an object, as JSON; empty when it has none.
std::string spec_of(std::string_view object);

}  // namespace mpca::experiment
