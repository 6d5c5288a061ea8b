// `replay`: a decision log asked again. Exit 0 when every decision is the same, 1 when one is not.
#include "config/policy_text.h"
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "runlog/flight_recording.h"
#include "runlog/log_source.h"
#include "runlog/replay.h"
#include "trace/timestamps.h"

namespace mpca::app {
namespace {

struct ReplayOptions {
  std::string log;
  std::string workload;
  std::string policy;
  int show = 5;
  bool list = false;
  std::string write_jsonl;
};

SettingsTable settings_of(ReplayOptions& options) {
  return {
      Setting("log", &options.log,
              "a decisions.jsonl, as every run writes it, or a flight recorder's directory or one of its segments")
          .require(),
      {"workload", &options.workload, "NAMESPACE/NAME, where a recorder's directory holds several"},
      {"policy", &options.policy, "ask this policy instead of the one that wrote the log, on the same observations"},
      {"show", &options.show, "", Range::at_least(0), "how many differences to print"},
      {"list", &options.list, "say which workloads a recorder's directory holds, and ask nobody"},
      {"write-jsonl", &options.write_jsonl,
       "write the recorded decisions of the workload there, as a decision log of lines, and ask nobody"},
  };
}

void print_findings(const std::vector<std::string>& findings, Context& context) {
  for (const std::string& finding : findings) context.err << "warning: " << finding << '\n';
}

Result<int> list(const ReplayOptions& options, Context& context) {
  MPCA_TRY(const auto recording, runlog::FlightRecording::open(options.log));
  MPCA_TRY(const auto inventory, recording.inventory());
  for (const runlog::RecordedWorkload& workload : inventory.workloads)
    context.out << workload.name << ": " << workload.decisions << " decisions, "
                << trace::format_rfc3339(workload.first) << " to " << trace::format_rfc3339(workload.last) << '\n';
  print_findings(inventory.findings, context);
  return 0;
}

/// A log of lines has one header and no memories: it begins as the recording does.
Result<int> write_jsonl(const ReplayOptions& options, Context& context) {
  MPCA_TRY(os::AtomicFile file, os::AtomicFile::create(options.write_jsonl));
  runlog::DecisionLogFormatter formatter;
  std::string line;
  std::int64_t decisions = 0, headers = 0;
  MPCA_TRY(const auto read, runlog::read_log(
                                {options.log, options.workload},
                                [&](const runlog::LogBeginning& beginning) {
                                  if (headers++ == 0) file.append(runlog::header_line(beginning.header));
                                  return true;
                                },
                                [&](const runlog::DecisionRecord& record) {
                                  line.clear();
                                  formatter.append(record, line);
                                  file.append(line);
                                  ++decisions;
                                  return true;
                                }));
  MPCA_TRY_VOID(file.commit());
  print_findings(read.findings, context);
  context.out << "Wrote " << decisions << " decisions: " << options.write_jsonl << '\n';
  return 0;
}

Result<int> ask(const ReplayOptions& options, Context& context) {
  std::int64_t shown = 0;
  const auto print = [&](const runlog::ReplayDifference& difference) {
    if (shown++ >= options.show) return;
    const policy::Observation& observation = difference.recorded.observation;
    context.out << "step " << difference.step << ", t = " << shortest(seconds_since_epoch(observation.now))
                << " s\n  recorded: " << explanation_sentence(observation, difference.recorded.decision)
                << "\n  replayed: " << explanation_sentence(observation, difference.replayed) << '\n';
  };
  MPCA_TRY(const std::string policy, config::resolve_policy_text(options.policy));
  MPCA_TRY(const runlog::ReplayResult result, runlog::replay({options.log, options.workload}, policy, print));
  print_findings(result.findings, context);
  const std::int64_t different = result.different_replicas + result.different_explanations;
  const std::string asked = options.policy.empty() ? result.header.policy : options.policy;
  if (different > shown || different > options.show)
    context.out << "... and " << different - std::min<std::int64_t>(different, options.show) << " more\n";
  context.out << result.decisions << " decisions of " << result.header.policy
              << (options.policy.empty() ? "" : cat(" asked of ", asked)) << ": "
              << result.decisions - different - result.not_asked << " the same, " << result.different_replicas
              << " with other replicas, " << result.different_explanations << " with another explanation only";
  if (result.not_asked > 0)
    context.out << ", " << result.not_asked << " not asked: the memory before them is not known";
  context.out << '\n';
  return different == 0 ? 0 : 1;
}

Result<int> replay(const ReplayOptions& options, Context& context) {
  if (options.list) return list(options, context);
  if (!options.write_jsonl.empty()) return write_jsonl(options, context);
  return ask(options, context);
}

}  // namespace

Command replay_command() {
  Command command;
  command.path = "replay";
  command.sentence = "repeat the decisions of a log bit for bit, or ask another policy what it would have decided";
  command.positionals = {"log"};
  command.examples = {"mpc-autoscaler replay out/spike/spike/lab-mpc/decisions.jsonl",
                      "mpc-autoscaler replay decisions.jsonl --policy reactive:target=0.6",
                      "mpc-autoscaler replay /var/lib/mpc-autoscaler --workload shop/web"};
  return make_command<ReplayOptions>(std::move(command), settings_of, replay);
}

}  // namespace mpca::app
