#include "runlog/replay.h"

#include "core/text.h"

namespace mpca::runlog {
namespace {

/// The policy that answers, at each point of a log.
class Replayer {
 public:
  Replayer(std::string where, std::string other_policy)
      : where_(std::move(where)), other_policy_(std::move(other_policy)) {}

  Result<void> begin(const LogBeginning& beginning) {
    const bool is_first = !header_;
    const bool is_same = !is_first && *header_ == beginning.header;
    header_ = beginning.header;
    if (!other_policy_.empty()) {
      if (is_same) return {};
      MPCA_TRY(policy_, policy::create_policy(other_policy_, header_->workload, "--policy"));
      if (beginning.state && !beginning.state->empty()) [[maybe_unused]]
        const auto may_be_of_another = policy_->load_state(*beginning.state);
      return {};
    }
    if (!beginning.state) {
      if (!beginning.goes_on || !is_same) policy_.reset();
      return {};
    }
    MPCA_TRY(policy_, policy::create_policy(header_->policy, header_->workload, where_ + ": policy"));
    if (beginning.state->empty()) return {};
    if (const auto loaded = policy_->load_state(*beginning.state); !loaded)
      return invalid(cat(where_, ": the policy's memory: ", loaded.error().message));
    return {};
  }

  /// nullopt: nobody knows what it knew.
  std::optional<policy::Decision> decide(const policy::Observation& observation) {
    if (policy_ == nullptr) return std::nullopt;
    return policy_->decide(observation);
  }

 private:
  std::string where_, other_policy_;
  std::optional<DecisionLogHeader> header_;
  std::unique_ptr<policy::Policy> policy_;
};

}  // namespace

Result<ReplayResult> replay(const LogSource& source, const std::string& other_policy,
                            const std::function<void(const ReplayDifference&)>& on_difference) {
  ReplayResult result;
  Replayer replayer(source.path, other_policy);
  Result<void> begun;
  const auto read = read_log(
      source,
      [&](const LogBeginning& beginning) {
        begun = replayer.begin(beginning);
        return begun.has_value();
      },
      [&](const DecisionRecord& record) {
        const std::optional<policy::Decision> replayed = replayer.decide(record.observation);
        if (!replayed) {
          ++result.not_asked;
        } else if (*replayed != record.decision) {
          ++(replayed->replicas != record.decision.replicas ? result.different_replicas
                                                            : result.different_explanations);
          on_difference({result.decisions, record, *replayed});
        }
        ++result.decisions;
        return true;
      });
  if (!begun) return std::unexpected(begun.error());
  if (!read) return std::unexpected(read.error());
  result.header = read->header;
  result.findings = read->findings;
  return result;
}

}  // namespace mpca::runlog
