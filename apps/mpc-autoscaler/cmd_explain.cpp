// `explain`: one decision of a run in words, numbers and a picture.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/os/file.h"
#include "core/text.h"
#include "core/time.h"
#include "mpc-autoscaler/command_result.h"
#include "mpc-autoscaler/commands.h"
#include "report/decision_block.h"
#include "report/decision_picture.h"
#include "runlog/flight_recording.h"
#include "runlog/log_source.h"
#include "runlog/run_directory.h"
#include "runlog/run_recorder.h"
#include "trace/timestamps.h"

namespace mpca::app {
namespace {

constexpr std::size_t kNamedRuns = 5;

struct ExplainOptions {
  std::string run;
  std::string workload;
  std::string at;
  int step = -1;
  std::string svg;
};

SettingsTable settings_of(ExplainOptions& options) {
  return {
      Setting("run", &options.run,
              "a run's directory, its decisions.jsonl, or a flight recorder's directory or segment")
          .require(),
      {"workload", &options.workload, "NAMESPACE/NAME, where a recorder's directory holds several"},
      {"at", &options.at,
       "explain the decision in force then: a duration from the run's start (12m30s), or a time "
       "(2026-03-01T12:00:00Z). "
       "Without this and --step the largest change of replicas"},
      {"step", &options.step, "", Range::at_least(-1), "explain this decision, counted from 0; -1: see --at"},
      {"svg", &options.svg, "write the picture there, too"},
  };
}

Result<std::string> log_of(const std::string& run) {
  std::error_code error;
  if (!std::filesystem::is_directory(run, error) || runlog::is_flight_recording(run)) return run;
  const std::string path = cat(run, "/", runlog::kDecisionLogName);
  if (std::filesystem::exists(path, error)) return path;
  std::vector<std::string> found;
  auto entry = std::filesystem::recursive_directory_iterator(run, error);
  for (const std::filesystem::recursive_directory_iterator end; !error && entry != end; entry.increment(error))
    if (entry->path().filename() == runlog::kDecisionLogName) found.push_back(entry->path().parent_path().string());
  std::sort(found.begin(), found.end());
  std::string runs;
  for (std::size_t i = 0; i < std::min(found.size(), kNamedRuns); ++i) runs += cat(i > 0 ? ", " : "", found[i]);
  if (found.size() > kNamedRuns) runs += ", …";
  return fail(ErrorCode::not_found, cat(run, ": no run, it has no ", runlog::kDecisionLogName,
                                        runs.empty() ? std::string() : cat("; runs in it: ", runs)));
}

/// Which decision to explain, and what of the log has to be known for that.
struct Choice {
  std::int64_t step = -1;
  TimePoint first, last;
  std::int64_t decisions = 0;
  int largest_change = 0;
};

/// The time that --at means in a run that began at `first`.
Result<TimePoint> time_of(const std::string& at, TimePoint first) {
  if (const auto duration = parse_duration(at)) return first + *duration;
  if (const auto time = trace::parse_rfc3339(at)) return *time;
  return invalid(cat("--at is \"", at,
                     "\"; must be a duration from the run's start such as 12m30s, or a time such as "
                     "2026-03-01T12:00:00Z"));
}

Result<Choice> choose(const runlog::LogSource& log, const ExplainOptions& options) {
  Choice choice;
  std::int64_t largest_at = 0;
  std::optional<TimePoint> wanted;
  Result<void> state;
  const auto read = runlog::read_log(
      log, [](const auto&) { return true; },
      [&](const runlog::DecisionRecord& record) {
        const TimePoint now = record.observation.now;
        if (choice.decisions == 0) {
          choice.first = now;
          if (!options.at.empty()) {
            const auto time = time_of(options.at, now);
            if (!time) {
              state = std::unexpected(time.error());
              return false;
            }
            wanted = *time;
          }
        }
        if (wanted && now <= *wanted) choice.step = choice.decisions;
        const int change = std::abs(record.decision.replicas - record.observation.spec_replicas);
        if (change > choice.largest_change) {
          choice.largest_change = change;
          largest_at = choice.decisions;
        }
        choice.last = now;
        ++choice.decisions;
        return true;
      });
  if (!read) return std::unexpected(read.error());
  if (!state) return std::unexpected(state.error());
  if (choice.decisions == 0) return invalid(cat(log.path, ": holds no decision"));
  if (options.step >= 0) {
    if (options.step >= choice.decisions)
      return invalid(cat("--step is ", options.step, "; ", log.path, " has the decisions 0 to ", choice.decisions - 1));
    choice.step = options.step;
  } else if (!wanted) {
    choice.step = largest_at;
  } else if (choice.step < 0 || *wanted > choice.last + read->header.workload.period) {
    return invalid(cat("--at ", options.at, " is outside the run, which has decisions from 0s (",
                       trace::format_rfc3339(choice.first), ") to ", format_duration(choice.last - choice.first), " (",
                       trace::format_rfc3339(choice.last), ")"));
  }
  return choice;
}

/// The chosen record, and the picture around it.
struct Moment {
  runlog::DecisionLogHeader header;
  runlog::DecisionRecord record;
  report::DecisionPicture picture;
};

Result<Moment> read_moment(const runlog::LogSource& log, const Choice& choice) {
  Moment moment;
  std::int64_t step = 0;
  MPCA_TRY_VOID(runlog::read_log(
      log,
      [&](const runlog::LogBeginning& beginning) {
        moment.header = beginning.header;
        return true;
      },
      [&](const runlog::DecisionRecord& record) {
        if (step++ < choice.step) return true;
        moment.record = record;
        return false;
      }));
  const policy::Explanation& explanation = moment.record.decision.explanation;
  report::DecisionPicture& picture = moment.picture;
  const auto since_start = [&](TimePoint time) { return to_seconds(time - choice.first); };
  const double at_s = since_start(moment.record.observation.now), period_s = to_seconds(moment.header.workload.period);
  double lead_time_s = 0.0;
  for (const policy::ForecastPoint& point : explanation.forecast)
    lead_time_s = std::max(lead_time_s, to_seconds(point.lead_time));
  const report::PictureWindow window =
      report::window_around(at_s, period_s, lead_time_s, since_start(choice.last) + period_s);
  picture.from_s = window.from_s;
  picture.to_s = window.to_s;
  picture.forecast = explanation.forecast;
  picture.band = explanation.band;
  picture.capacity_rps = report::known_capacity_rps(explanation, moment.header.workload);
  picture.sentence = explanation_sentence(moment.record.observation, moment.record.decision);
  picture.title = cat(moment.header.policy, moment.header.trace.empty() ? "" : cat(" on ", moment.header.trace), ", ",
                      format_duration(moment.record.observation.now - choice.first), ": ",
                      moment.record.observation.spec_replicas, " → ", moment.record.decision.replicas, " replicas");
  std::optional<report::PicturedDecision> before;
  step = 0;
  MPCA_TRY_VOID(runlog::read_log(
      log, [](const auto&) { return true; },
      [&](const runlog::DecisionRecord& record) {
        const report::PicturedDecision one{since_start(record.observation.now), record.decision.explanation.demand_rps,
                                           record.decision.replicas};
        const bool is_chosen = step++ == choice.step;
        if (one.time_s > window.to_s) return false;
        if (one.time_s < window.from_s && !is_chosen) {
          before = one;
          return true;
        }
        if (before) picture.decisions.push_back(*std::exchange(before, std::nullopt));
        if (is_chosen) picture.at = picture.decisions.size();
        picture.decisions.push_back(one);
        return true;
      }));
  return moment;
}

Result<int> explain(const ExplainOptions& options, Context& context) {
  if (!options.at.empty() && options.step >= 0) return invalid("--at and --step both say which decision; give one");
  MPCA_TRY(const std::string path, log_of(options.run));
  const runlog::LogSource log(path, options.workload);
  MPCA_TRY(const Choice choice, choose(log, options));
  MPCA_TRY(const Moment moment, read_moment(log, choice));
  if (!options.svg.empty()) MPCA_TRY_VOID(write_result(options.svg, report::svg_picture(moment.picture)));

  const TimePoint now = moment.record.observation.now;
  const bool is_chosen_here = options.at.empty() && options.step < 0;
  context.out << moment.header.policy << (moment.header.trace.empty() ? "" : cat(" on ", moment.header.trace))
              << (moment.header.world.empty() ? "" : cat(", world ", moment.header.world)) << "\ndecision "
              << choice.step << " of " << choice.decisions << ", " << format_duration(now - choice.first)
              << " after the start (" << trace::format_rfc3339(now) << ")"
              << (!is_chosen_here ? ""
                  : choice.largest_change == 0
                      ? "; nothing ever changed, so the first one"
                      : ": the largest change of replicas (choose another with --at or --step)")
              << "\n\n"
              << moment.picture.sentence << "\n\n"
              << report::decision_block(moment.record, moment.header.workload) << '\n'
              << report::text_picture(moment.picture);
  if (!options.svg.empty()) context.out << "\nPicture: " << options.svg << '\n';
  return 0;
}

}  // namespace

Command explain_command() {
  Command command;
  command.path = "explain";
  command.sentence = "say why one decision of a run was made: a sentence, the data behind it, a picture";
  command.positionals = {"run"};
  command.examples = {"mpc-autoscaler explain out/wave/seasonality/predictive",
                      "mpc-autoscaler explain out/wave/seasonality/predictive --at 12m30s --svg why.svg"};
  return make_command<ExplainOptions>(std::move(command), settings_of, explain);
}

}  // namespace mpca::app
