// `replay`: a decision log asked again. Exit 0 when every decision is the same, 1 when one is not.
#include "config/policy_text.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "runlog/replay.h"

namespace mpca::app {
namespace {

struct ReplayOptions {
  std::string log;
  std::string policy;
  int show = 5;
};

SettingsTable settings_of(ReplayOptions& options) {
  return {
      Setting("log", &options.log, "a decisions.jsonl, as every run writes it").require(),
      {"policy", &options.policy, "ask this policy instead of the one that wrote the log, on the same observations"},
      {"show", &options.show, "", Range::at_least(0), "how many differences to print"},
  };
}

Result<int> replay(const ReplayOptions& options, Context& context) {
  std::int64_t shown = 0;
  const auto print = [&](const runlog::ReplayDifference& difference) {
    if (shown++ >= options.show) return;
    const policy::Observation& observation = difference.recorded.observation;
    context.out << "step " << difference.step << ", t = " << shortest(seconds_since_epoch(observation.now))
                << " s\n  recorded: " << explanation_sentence(observation, difference.recorded.decision)
                << "\n  replayed: " << explanation_sentence(observation, difference.replayed) << '\n';
  };
  MPCA_TRY(const std::string policy, config::resolve_policy_text(options.policy));
  MPCA_TRY(const runlog::ReplayResult result, runlog::replay(options.log, policy, print));
  const std::int64_t different = result.different_replicas + result.different_explanations;
  const std::string asked = options.policy.empty() ? result.header.policy : options.policy;
  if (different > shown || different > options.show)
    context.out << "... and " << different - std::min<std::int64_t>(different, options.show) << " more\n";
  context.out << result.decisions << " decisions of " << result.header.policy
              << (options.policy.empty() ? "" : cat(" asked of ", asked)) << ": " << result.decisions - different
              << " the same, " << result.different_replicas << " with other replicas, " << result.different_explanations
              << " with another explanation only\n";
  return different == 0 ? 0 : 1;
}

}  // namespace

Command replay_command() {
  Command command;
  command.path = "replay";
  command.sentence = "repeat the decisions of a log bit for bit, or ask another policy what it would have decided";
  command.positionals = {"log"};
  command.examples = {"mpc-autoscaler replay out/spike/spike/lab-mpc/decisions.jsonl",
                      "mpc-autoscaler replay decisions.jsonl --policy reactive:target=0.6"};
  return make_command<ReplayOptions>(std::move(command), settings_of, replay);
}

}  // namespace mpca::app
