// `tune`: the rule and settings for one workload, from its own history.
#include "config/calendar_file.h"
#include "config/policy_text.h"
#include "core/os/parallel.h"
#include "core/text.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "mpc-autoscaler/load_traces.h"
#include "mpc-autoscaler/preset_changes.h"
#include "mpc-autoscaler/progress_bar.h"
#include "mpc-autoscaler/wall_clock_options.h"
#include "mpca_version.h"
#include "report/tune_text.h"
#include "study/play.h"
#include "study/tune.h"

namespace mpca::app {
namespace {

struct TuneOptions {
  std::string trace;
  std::string present = "hpa:target=60,stabilization=300s";
  std::string calendar;
  double late_price = 10.0;
  double late_share = 0.0;
  double capacity_rps = 0.0;
  std::string preset = "standard-native";
  std::vector<std::string> changes;
  int folds = 6;
  int seeds = 3;
  std::string json;
  int jobs = os::hardware_jobs();
  WallClockOptions clock;
};

SettingsTable settings_of(TuneOptions& options) {
  return {
      Setting("trace", &options.trace, "the workload's history: our CSV or any format that `trace import` reads")
          .require(),
      {"present", &options.present,
       "the rule that runs today: a policy as NAME[:key=value,...], or hpa:@FILE with your HorizontalPodAutoscaler"},
      {"calendar", &options.calendar,
       "file with events and days that are known before, for predictive; empty: that of --present, if it has one"},
      {"late-price", &options.late_price, "", Range::between(0.1, 10'000),
       "what a replica-second of demand that is late or fails costs, in replica-seconds"},
      {"late-share", &options.late_share, "fraction", Range::between(0, 0.5),
       "of requests that may be late or fail, at the least cost; 0: late-price decides"},
      {"capacity", &options.capacity_rps, "rps", Range::between(0, 1e9),
       "that one ready pod serves: rates are then played as they are; 0: the peak is scaled to the preset's replicas"},
      {"preset", &options.preset,
       "the set-up: " + join(study::preset_names(), ", ") + ", or a file of that form (src/study/presets)"},
      {"set", &options.changes,
       "changes of the preset as KEY=VALUE, such as readiness-lag=45s, or readiness-lag=@FILE with a measured lag per "
       "line"},
      {"folds", &options.folds, "", Range::between(study::kFewestFolds, study::kMostFolds),
       "blocks of history: settings are chosen on all but one and judged on that one"},
      {"seeds", &options.seeds, "", Range::between(1, 1000), "runs of each rule, with seeds 1, 2, ..."},
      {"json", &options.json, "file for everything as JSON; empty: none"},
      {"jobs", &options.jobs, "", Range::between(1, 1024), "runs at the same time; the results do not depend on it"},
      time_zone_setting(options.clock),
      starts_at_setting(options.clock),
  };
}

Result<int> tune(const TuneOptions& options, Context& context) {
  MPCA_TRY(const std::vector<std::string> changes, with_files_read(options.changes));
  MPCA_TRY(study::Preset preset, study::load_preset(options.preset, changes));
  auto present = config::resolve_policy_text(options.present);
  if (!present) return fail(present.error().code, cat("--present: ", present.error().message));
  std::string calendar;
  if (!options.calendar.empty()) {
    const auto known = config::load_calendar(options.calendar);
    if (!known) return fail(known.error().code, cat("--calendar: ", known.error().message));
    calendar = known->text();
    if (options.clock.starts_at.empty())
      return invalid("--calendar needs --starts-at, the date of the trace's beginning");
  }
  MPCA_TRY(sim::WallClock clock, wall_clock(options.clock));
  MPCA_TRY_VOID(check_dates("--present", {*present}, options.clock));
  MPCA_TRY(std::vector<trace::DemandTrace> traces, load_traces({options.trace}, context.stop));
  if (options.capacity_rps > 0.0) {
    MPCA_TRY(preset, study::at_own_rates(traces.front(), std::move(preset), options.capacity_rps));
  }
  const study::TuneSettings settings{.input = {.file = options.trace, .trace = std::move(traces.front())},
                                     .preset = std::move(preset),
                                     .wish = {.late_price = options.late_price, .late_share = options.late_share},
                                     .present = *std::move(present),
                                     .calendar = std::move(calendar),
                                     .clock = std::move(clock),
                                     .folds = options.folds,
                                     .seeds = options.seeds,
                                     .jobs = options.jobs,
                                     .families = {},
                                     .command = context.command_line,
                                     .program = kVersionText};

  ProgressBar bar(context.err, context.err_is_terminal);
  const auto report = study::tune(settings, context.stop, [&](const auto& progress) { bar.show(progress.done); });
  bar.clear();
  if (!report) return std::unexpected(report.error());
  if (!options.json.empty()) MPCA_TRY_VOID(write_result(options.json, report::to_json(*report)));
  context.out << report::to_text(*report);
  return 0;
}

}  // namespace

Command tune_command() {
  Command command;
  command.path = "tune";
  command.sentence = "find the rule and settings for one workload from its own history, and say what they would save";
  command.examples = {"mpc-autoscaler tune --trace data/traces/baseline_seasonality_profile_dt15.csv --folds 4",
                      "mpc-autoscaler tune --trace week.csv --capacity 20 --present hpa:@web.yaml "
                      "--set readiness-lag=45s max-replicas=50 --late-share 0.01 --json out/tune.json"};
  return make_command<TuneOptions>(std::move(command), settings_of, tune);
}

}  // namespace mpca::app
