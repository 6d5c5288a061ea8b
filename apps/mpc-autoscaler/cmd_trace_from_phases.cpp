// `trace from-phases`, the reference lab's `mpc-build-trace`: a load plan as the trace that it makes.
#include "config/trace_files.h"
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/trace_command.h"
#include "trace/phases.h"

namespace mpca::app {
namespace {

constexpr std::string_view kLabName = "mpc-build-trace";
constexpr std::size_t kLargestPlan = std::size_t{64} << 20;

struct FromPhasesOptions {
  std::string phases_csv;
  std::string out;
  double dt_seconds = 15.0;
};

SettingsTable settings_of(FromPhasesOptions& options) {
  return {
      Setting("phases-csv", &options.phases_csv,
              "the plan: phase_idx,duration,rate_rps with durations such as 30s or 5m")
          .require(),
      Setting("out", &options.out, "where to write the trace CSV; - is the standard output").require(),
      Setting("dt-seconds", &options.dt_seconds, "s", Range{.low = 1e-3, .high = 86400.0}, "length of a step"),
  };
}

Result<trace::DemandTrace> build(const FromPhasesOptions& options) {
  MPCA_TRY(const std::string text, os::read_file(options.phases_csv, kLargestPlan));
  const auto phases = trace::parse_phases_csv(text);
  if (!phases) {
    std::string message;
    for (const std::string_view line : split(phases.error().message, '\n')) {
      message += cat(message.empty() ? "" : "\n", options.phases_csv, ": ", line);
    }
    return fail(phases.error().code, std::move(message));
  }
  return trace::trace_from_phases(*phases, from_seconds(options.dt_seconds), config::trace_name_of(options.phases_csv));
}

Result<int> run_from_phases(const FromPhasesOptions& options, Context& context) {
  const auto trace = build(options);
  if (!trace) return input_failure(trace.error(), kLabName, context);
  if (const auto written = write_trace(*trace, options.out, context); !written) {
    return input_failure(written.error(), kLabName, context);
  }
  say_saved(*trace, options.out, context);
  return 0;
}

}  // namespace

Command trace_from_phases_command() {
  Command command;
  command.path = "trace from-phases";
  command.lab_name = kLabName;
  command.sentence = "a demand trace from the phases of a load plan";
  command.examples = {"mpc-autoscaler trace from-phases --phases-csv phases.csv --out trace.csv",
                      "mpc-autoscaler trace from-phases phases.csv --dt-seconds 5 --out -"};
  command.positionals = {"phases-csv"};
  return make_command<FromPhasesOptions>(std::move(command), settings_of, run_from_phases);
}

}  // namespace mpca::app
