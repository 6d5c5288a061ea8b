#include "runlog/replay.h"

#include "core/text.h"

namespace mpca::runlog {

Result<ReplayResult> replay(const std::string& path, const std::string& other_policy,
                            const std::function<void(const ReplayDifference&)>& on_difference) {
  ReplayResult result;
  std::unique_ptr<policy::Policy> policy;
  Result<void> created;
  const auto read = read_decision_log(
      path,
      [&](const DecisionLogHeader& header) {
        auto made = other_policy.empty() ? policy::create_policy(header.policy, header.workload, cat(path, ": policy"))
                                         : policy::create_policy(other_policy, header.workload, "--policy");
        if (!made) {
          created = std::unexpected(made.error());
          return false;
        }
        policy = *std::move(made);
        return true;
      },
      [&](const DecisionRecord& record) {
        const policy::Decision replayed = policy->decide(record.observation);
        if (replayed != record.decision) {
          ++(replayed.replicas != record.decision.replicas ? result.different_replicas : result.different_explanations);
          on_difference({result.decisions, record, replayed});
        }
        ++result.decisions;
        return true;
      });
  if (!created) return std::unexpected(created.error());
  MPCA_TRY(result.header, read);
  return result;
}

}  // namespace mpca::runlog
