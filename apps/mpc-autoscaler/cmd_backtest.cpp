// `backtest`: policies against the HPA and against perfect foresight, on many traces and seeds.
#include <limits>

#include "config/policy_text.h"
#include "core/os/file.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/default_policies.h"
#include "mpc-autoscaler/load_traces.h"
#include "mpc-autoscaler/preset_changes.h"
#include "mpc-autoscaler/progress_bar.h"
#include "mpc-autoscaler/wall_clock_options.h"
#include "mpca_version.h"
#include "report/backtest_json.h"
#include "report/backtest_table.h"
#include "study/backtest.h"

namespace mpca::app {
namespace {

struct BacktestOptions {
  std::vector<std::string> traces;
  std::vector<std::string> policies;
  std::string world = "fluid";
  std::string preset = "standard";
  std::vector<std::string> changes;
  int seeds = 3;
  std::string out;
  std::string json;
  int jobs = os::hardware_jobs();
  std::string shard = "1/1";
  bool no_opponents = false;
  bool force = false;
  WallClockOptions clock;
};

SettingsTable settings_of(BacktestOptions& options) {
  return {
      Setting("trace", &options.traces,
              "trace files: our CSV or any format that `trace import` reads; a folder stands for the files in it")
          .require(),
      {"policy", &options.policies,
       policies_sentence("policies as NAME[:key=value,...], or families as NAME:sweep", kJudgedPolicies)},
      {"world",
       &options.world,
       "the simulator: fluid (seconds, fast) or requests (every request)",
       {"fluid", "requests"}},
      {"preset", &options.preset,
       "the set-up: " + join(study::preset_names(), ", ") + ", or a file of that form (src/study/presets)"},
      {"set", &options.changes,
       "changes of the preset as KEY=VALUE, such as readiness-lag=45s, or readiness-lag=@FILE with a measured lag per "
       "line; "
       "the report says so"},
      {"seeds", &options.seeds, "", Range::between(1, 1000), "runs of each policy on each trace, with seeds 1, 2, ..."},
      Setting("out", &options.out, "directory for the results; the same command goes on with what is there").require(),
      {"json", &options.json, "file for rows and comparisons as JSON; empty: none"},
      {"jobs", &options.jobs, "", Range::between(1, 1024), "runs at the same time; the results do not depend on it"},
      {"shard", &options.shard,
       "play only part I of N (as I/N), for `study merge`; 0 is part N, for who counts from 0"},
      {"no-opponents", &options.no_opponents, "leave out hpa:sweep and clairvoyant where they are not asked for"},
      {"force", &options.force, "replace the results of another study in --out"},
      time_zone_setting(options.clock),
      starts_at_setting(options.clock),
  };
}

Result<study::Shard> parse_shard(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '/');
  const std::int64_t index = parse_int(parts.front()).value_or(-1);
  const std::int64_t count = parts.size() == 2 ? parse_int(parts.back()).value_or(0) : 0;
  if (index < 0 || count < 1 || count < index || count > std::numeric_limits<int>::max())
    return invalid(cat("--shard is \"", text, "\"; must be I/N with 0 <= I <= N, such as 2/8"));
  // An Indexed Job counts its pods from 0.
  return study::Shard{.index = static_cast<int>(index == 0 ? count : index), .count = static_cast<int>(count)};
}

Result<int> backtest(const BacktestOptions& options, Context& context) {
  MPCA_TRY(const study::Shard shard, parse_shard(options.shard));
  MPCA_TRY(const std::vector<std::string> changes, with_files_read(options.changes));
  MPCA_TRY(study::Preset preset, study::load_preset(options.preset, changes));
  MPCA_TRY(std::vector<std::string> policies,
           config::resolve_policy_texts(given_or(options.policies, kJudgedPolicies)));
  MPCA_TRY(sim::WallClock clock, wall_clock(options.clock));
  MPCA_TRY_VOID(check_dates("--policy", policies, options.clock));
  MPCA_TRY(const std::vector<std::string> files, trace_files(options.traces));
  MPCA_TRY(std::vector<trace::DemandTrace> traces, load_traces(files, context.stop));
  if (shard.count > 1 && !options.json.empty())
    return invalid("--json: a shard has no comparison of its own; give --json to `study merge`");
  study::BacktestSettings settings{.traces = {},
                                   .policies = std::move(policies),
                                   .with_opponents = !options.no_opponents,
                                   .preset = std::move(preset),
                                   .world = options.world,
                                   .clock = std::move(clock),
                                   .seeds = options.seeds,
                                   .jobs = options.jobs,
                                   .shard = shard,
                                   .replace = options.force,
                                   .out = options.out,
                                   .command = context.command_line,
                                   .program = kVersionText};
  for (std::size_t i = 0; i < traces.size(); ++i) settings.traces.push_back({files[i], std::move(traces[i])});

  ProgressBar bar(context.err, context.err_is_terminal);
  const auto report = study::backtest(settings, context.stop, [&](const auto& progress) { bar.show(progress.done); });
  bar.clear();
  if (!report) return std::unexpected(report.error());
  if (shard.count > 1) {
    context.out << "Part " << options.shard << " is complete in " << options.out
                << "; `mpc-autoscaler study merge` puts the parts together.\n";
    return 0;
  }
  if (!options.json.empty()) MPCA_TRY_VOID(os::write_file(options.json, report::to_json(*report)));
  context.out << trim(report::to_text(*report)) << "\n\nReport: " << options.out << "/report.html\n";
  return 0;
}

}  // namespace

Command backtest_command() {
  Command command;
  command.path = "backtest";
  command.sentence = "judge policies on traces against the HPA, tuned in hindsight, and against perfect foresight";
  command.examples = {
      "mpc-autoscaler backtest --trace data/traces/baseline_seasonality_profile_dt15.csv --out out/backtest",
      "mpc-autoscaler backtest --trace day.csv --policy predictive:sweep reactive:sweep --preset standard-60s --seeds "
      "5 "
      "--out out/slow-pods --json out/slow-pods.json"};
  return make_command<BacktestOptions>(std::move(command), settings_of, backtest);
}

}  // namespace mpca::app
