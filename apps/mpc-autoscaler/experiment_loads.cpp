#include "mpc-autoscaler/experiment_loads.h"

#include <filesystem>

#include "config/trace_files.h"
#include "core/os/file.h"
#include "core/text.h"
#include "trace/generate.h"

namespace mpca::app {
namespace {

Result<trace::Scenario> scenario_named(const std::string& name) {
  if (name == "step") return trace::Scenario::step;
  if (name == "spike") return trace::Scenario::spike;
  if (name == "seasonality") return trace::Scenario::seasonality;
  return invalid(cat("--scenario is \"", name, "\"; must be one of step, spike, seasonality"));
}

}  // namespace

Result<std::vector<lab::LabScenario>> loads(const LoadChoice& choice, const std::stop_token& stop) {
  std::vector<lab::LabScenario> all;
  Problems problems;
  for (const std::string& name : choice.scenarios) {
    if (const auto scenario = scenario_named(name)) {
      const auto phases = trace::scenario_phases(*scenario);
      all.push_back({name, load::plan_from_phases(phases), phases});
    } else {
      problems.add(scenario.error().message);
    }
  }
  if (!choice.phases.empty()) {
    const auto text = os::read_file(choice.phases);
    const auto phases = text ? trace::parse_phases_csv(*text) : std::unexpected(text.error());
    if (phases) {
      all.push_back({std::filesystem::path(choice.phases).stem().string(), load::plan_from_phases(*phases), *phases});
    } else {
      problems.add(text ? cat(choice.phases, ": ", phases.error().message) : phases.error().message);
    }
  }
  config::LoadOptions load;
  load.stop = stop;
  for (const std::string& path : choice.traces.value_or(std::vector<std::string>{})) {
    const auto trace = config::load_trace(path, load);
    if (trace) {
      all.push_back({trace->name, load::plan_from_trace(*trace), {}});
    } else if (trace.error().code == ErrorCode::interrupted) {
      return std::unexpected(trace.error());
    } else {
      problems.add(trace.error().message);
    }
  }
  if (all.empty() && problems.empty())
    problems.add(cat("a load is needed: --scenario step|spike|seasonality",
                     choice.traces ? ", --phases FILE or --trace FILE" : " or --phases FILE"));
  for (lab::LabScenario& scenario : all) scenario.load.kind = choice.arrivals;
  MPCA_TRY_VOID(problems.to_result());
  return all;
}

}  // namespace mpca::app
