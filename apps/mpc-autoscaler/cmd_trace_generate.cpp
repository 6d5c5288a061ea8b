// `trace generate`, the reference lab's `mpc-generate-synthetic-trace`: a trace from a formula.
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/trace_command.h"
#include "trace/generate.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-generate-synthetic-trace";

struct GenerateOptions {
  std::string scenario;
  std::string out;
  double dt_seconds = 15.0;
  int seasonality_points = 80;
  Duration duration = trace::GeneratorOptions{}.duration;
  double mean_rps = trace::GeneratorOptions{}.mean_rps;
  double noise = trace::GeneratorOptions{}.relative_noise;
  int seed = 1;
};

SettingsTable settings_of(GenerateOptions& options) {
  std::vector<std::string> names = {"step", "spike", "seasonality"};
  for (const trace::Generator& generator : trace::generators()) names.emplace_back(generator.name);
  return {
      Setting("scenario", &options.scenario, "which formula; the first three are the reference lab's", std::move(names))
          .require(),
      Setting("out", &options.out, "where to write the trace CSV; - is the standard output").require(),
      Setting("dt-seconds", &options.dt_seconds, "s", Range{.low = 1e-3, .high = 86400.0}, "length of a step"),
      Setting("seasonality-points", &options.seasonality_points, "points", Range::between(1, 1e8),
              "how many points seasonality has; its period is 20"),
      Setting("duration", &options.duration, "duration", Range{.low = 0.0, .high = 1e9, .low_open = true},
              "how much time diurnal, flash-crowd and on-off cover"),
      Setting("mean-rps", &options.mean_rps, "rps", Range::above(0.0),
              "mean demand of diurnal, flash-crowd and on-off"),
      Setting("noise", &options.noise, "fraction", Range::between(0.0, 10.0),
              "standard deviation of the noise on each step, as a share of the demand, of the same three"),
      Setting("seed", &options.seed, "", Range::at_least(0.0), "of their random numbers"),
  };
}

Result<trace::DemandTrace> generate(const GenerateOptions& options) {
  const Duration step = from_seconds(options.dt_seconds);
  if (options.scenario == "step") return trace::synthetic_scenario(trace::Scenario::step, step);
  if (options.scenario == "spike") return trace::synthetic_scenario(trace::Scenario::spike, step);
  for (const trace::Generator& generator : trace::generators()) {
    if (generator.name != options.scenario) continue;
    return generator.generate({.step = step,
                               .duration = options.duration,
                               .mean_rps = options.mean_rps,
                               .relative_noise = options.noise,
                               .seed = static_cast<std::uint64_t>(options.seed)});
  }
  return trace::synthetic_scenario(trace::Scenario::seasonality, step, options.seasonality_points);
}

Result<int> run_generate(const GenerateOptions& options, Context& context) {
  MPCA_TRY(const trace::DemandTrace trace, generate(options));
  if (const auto written = write_trace(trace, options.out, context); !written) {
    return input_failure(written.error(), kLabName, context);
  }
  talk(options.out, context) << "Saved trace to " << options.out << " (" << trace.demand_rps.size() << " points)\n";
  return 0;
}

}  // namespace

Command trace_generate_command() {
  Command command;
  command.path = "trace generate";
  command.lab_name = kLabName;
  command.sentence = "a demand trace from a formula";
  command.examples = {"mpc-autoscaler trace generate --scenario spike --out spike.csv",
                      "mpc-autoscaler trace generate --scenario diurnal --duration 168h --dt-seconds 60 --mean-rps 200 "
                      "--seed 7 --out week.csv"};
  return make_command<GenerateOptions>(std::move(command), settings_of, run_generate);
}

}  // namespace mpca::app
