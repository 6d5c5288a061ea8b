// The set-up of a study under a name: the service, its pods, its metrics, how traces are played, and what results are
// judged by. The numbers live in presets/NAME.yaml and nowhere else; a file of the same form is a preset of one's own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "policy/policy.h"
#include "sim/faulty_world.h"
#include "sim/fluid_world.h"
#include "sim/request_world.h"
#include "trace/demand_trace.h"

namespace mpca::study {

/// How a trace becomes arrivals.
struct PlaySettings {
  double peak_replicas = 0.0;
  double peak_level = 0.0;
  Duration longest_step{};  // 0: no limit
  Duration longest_play{};
  std::string interpolation;  // `by-trace`, `held`, `linear`
  std::string arrivals;       // `poisson`, `constant`, `bursty`
  sim::BurstSettings bursts;
  double initial_utilization = 0.0;
  Duration initial_window{};
};

struct Preset {
  std::string name;
  policy::Workload workload;
  PlaySettings play;
  sim::FluidSettings fluid;
  sim::RequestSettings requests;
  sim::PodSettings pods;
  sim::MetricsSettings metrics;
  sim::FaultSettings faults;
  std::vector<double> violation_levels;
  std::vector<double> prices;  // P of the bill J(P)
};

/// The names of the presets that are built in.
std::vector<std::string> preset_names();

/// A built-in preset, or the YAML file of that path: flat `key: value`, `extends: NAME` for what it leaves out.
///   changes  `key=value` each, over what the file says; they become part of the preset's name
///   errors   invalid_argument  neither, or every unknown, missing, doubled or bad key of the file or the changes
///            not_found, io     of the file
Result<Preset> load_preset(const std::string& name_or_path, const std::vector<std::string>& changes = {});

/// Every key with its value, in the order of the tables; for reports and for telling two set-ups apart.
std::vector<std::pair<std::string, std::string>> preset_rows(const Preset& preset);

}  // namespace mpca::study
