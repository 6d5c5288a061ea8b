// `compare`: the main job. Traces and policies in; run directories, a table and a report out.
#include <algorithm>

#include "config/policy_text.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/default_policies.h"
#include "mpc-autoscaler/load_traces.h"
#include "mpc-autoscaler/preset_changes.h"
#include "mpc-autoscaler/progress_bar.h"
#include "mpc-autoscaler/wall_clock_options.h"
#include "mpca_version.h"
#include "report/comparison_table.h"
#include "study/compare.h"

namespace mpca::app {
namespace {

struct CompareOptions {
  std::vector<std::string> traces;
  std::vector<std::string> policies;
  std::string world = "idealised";
  std::string preset = "standard";
  std::vector<std::string> changes;
  std::string out;
  int seed = 1;
  int jobs = os::hardware_jobs();
  double peak_replicas = -1.0;
  int initial_replicas = -1;
  bool force = false;
  policy::Workload workload;
  sim::RealisticSettings realistic;
  WallClockOptions clock;
};

SettingsTable settings_of(CompareOptions& options) {
  SettingsTable table = {
      Setting("trace", &options.traces, "trace files: our CSV or any format that `trace import` reads").require(),
      {"policy", &options.policies, policies_sentence("policies as NAME[:key=value,...]", kComparedPolicies)},
      {"world",
       &options.world,
       "the simulator: the reference lab's idealised (nothing is late) and realistic (readiness lag, scrape cadence), "
       "or those that do not flatter: fluid (seconds, fast) and requests (every request)",
       {"idealised", "realistic", "fluid", "requests"}},
      {"preset", &options.preset,
       "what fluid and requests are made of, pods, metrics and service: " + join(study::preset_names(), ", ") +
           ", or a file of that form (src/study/presets)"},
      {"set", &options.changes,
       "changes of the preset as KEY=VALUE, such as readiness-lag=45s, or readiness-lag=@FILE with a measured lag per "
       "line"},
      Setting("out", &options.out, "directory for run directories, summary.csv and report.html").require(),
      {"seed", &options.seed, "", Range::at_least(0),
       "of all randomness; idealised and realistic draw none and only record it"},
      {"jobs", &options.jobs, "", Range::between(1, 1024), "runs at the same time; the results do not depend on it"},
      {"peak-replicas", &options.peak_replicas, "replicas", Range{.low = -1},
       "scale each trace so that its 99.9th percentile needs this many; 0 never; -1 scales to 12 (or the maximum, if "
       "less) "
       "those whose peak needs more than the maximum"},
      {"initial-replicas", &options.initial_replicas, "replicas", Range::at_least(-1),
       "at the start; -1 is --min-replicas"},
      {"force", &options.force, "replace results that are already in --out"},
      time_zone_setting(options.clock),
      starts_at_setting(options.clock),
  };
  for (Setting& setting : policy::settings_of(options.workload)) {
    if (setting.name() == "period") {
      table.emplace_back("period", setting.place(), setting.info().unit, Range::above(0),
                         "between decisions in fluid and requests; in idealised and realistic it is a trace's step");
    } else {
      table.push_back(std::move(setting));
    }
  }
  for (Setting& setting : sim::settings_of(options.realistic)) table.push_back(std::move(setting));
  return table;
}

Result<int> compare(const CompareOptions& options, Context& context) {
  MPCA_TRY(std::vector<trace::DemandTrace> traces, load_traces(options.traces, context.stop));
  MPCA_TRY(std::vector<std::string> policies,
           config::resolve_policy_texts(given_or(options.policies, kComparedPolicies)));
  MPCA_TRY(sim::WallClock clock, wall_clock(options.clock));
  MPCA_TRY_VOID(check_dates("--policy", policies, options.clock));
  MPCA_TRY(const std::vector<std::string> changes, with_files_read(options.changes));
  MPCA_TRY(study::Preset preset, study::load_preset(options.preset, changes));
  study::CompareSettings settings{
      .traces = std::move(traces),
      .policies = std::move(policies),
      .world = options.world,
      .workload = options.workload,
      .realistic = options.realistic,
      .clock = std::move(clock),
      .preset = std::move(preset),
      .initial_replicas = options.initial_replicas < 0 ? options.workload.min_replicas : options.initial_replicas,
      .peak_replicas = options.peak_replicas < 0 ? std::nullopt : std::optional(options.peak_replicas),
      .seed = static_cast<std::uint64_t>(options.seed),
      .jobs = options.jobs,
      .replace = options.force,
      .out = options.out,
      .command = context.command_line,
      .program = kVersionText};
  ProgressBar bar(context.err, context.err_is_terminal);
  const auto comparison = study::compare(std::move(settings), context.stop, [&](double done) { bar.show(done); });
  bar.clear();
  if (!comparison) return std::unexpected(comparison.error());
  context.out << trim(report::to_text(*comparison)) << "\n\nReport: " << options.out << "/report.html\n";
  return 0;
}

}  // namespace

Command compare_command() {
  Command command;
  command.path = "compare";
  command.sentence =
      "run policies side by side on demand traces and report who served users better with fewer replicas";
  command.examples = {
      "mpc-autoscaler compare --trace data/traces/baseline_spike_profile_dt15.csv --world fluid --out out/spike",
      "mpc-autoscaler compare --trace a.csv --trace b.csv --policy predictive hpa:target=50 reactive:hold=300s "
      "static:6 "
      "--world realistic --out out/ab"};
  return make_command<CompareOptions>(std::move(command), settings_of, compare);
}

}  // namespace mpca::app
