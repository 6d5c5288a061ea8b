#include "policy/fixed/static_policy.h"

#include "core/state_text.h"
#include "core/text.h"
#include "policy/guards.h"
#include "policy/kind.h"

namespace mpca::policy {
namespace {

struct StaticSettings {
  int replicas = 0;
};

SettingsTable settings_of(StaticSettings& settings) {
  return {
      Setting("replicas", &settings.replicas, "replicas", Range::at_least(0), "how many, within the workload's bounds")
          .require()};
}

class StaticPolicy final : public Policy {
 public:
  StaticPolicy(const StaticSettings& settings, const Workload& workload) : settings_(settings), workload_(workload) {}

  Decision decide(const Observation&) override {
    Decision decision{.replicas = settings_.replicas, .explanation = {}};
    decision.explanation.rule = "constant";
    decision.explanation.recommendation = settings_.replicas;
    clamp_to_bounds(workload_, decision.replicas, decision.explanation);
    return decision;
  }

  std::string save_state() const override { return StateWriter("static", 1).take(); }
  Result<void> load_state(std::string_view state) override {
    MPCA_TRY([[maybe_unused]] const StateReader reader, StateReader::open(state, "static", 1));
    return {};
  }

 private:
  StaticSettings settings_;
  Workload workload_;
};

}  // namespace

std::vector<SettingInfo> static_settings() { return described(StaticSettings{}); }

Result<std::unique_ptr<Policy>> create_static(std::string_view text, const Workload& workload, std::string_view where) {
  if (trim(text).empty()) return invalid(cat(where, ": how many replicas? Write static:N"));
  // `static:6` is short for `static:replicas=6`.
  const bool is_short = text.find('=') == std::string_view::npos;
  const std::string whole_text = is_short ? cat("replicas=", text) : std::string(text);
  MPCA_TRY(const StaticSettings settings, read_settings(StaticSettings{}, whole_text, where));
  return std::make_unique<StaticPolicy>(settings, workload);
}

}  // namespace mpca::policy
