// `policies`: what can be asked for, with settings, defaults and ranges, from the registry itself.
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "mpc-autoscaler/commands.h"
#include "policy/policy.h"

namespace mpca::app {
namespace {

struct PoliciesOptions {
  std::string format = "text";
};

SettingsTable settings_of(PoliciesOptions& options) {
  return {{"format", &options.format, "how to print", {"text", "json"}}};
}

Result<int> policies(const PoliciesOptions& options, Context& context) {
  if (options.format == "json") {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const policy::PolicyKind& kind : policy::policy_kinds()) {
      nlohmann::ordered_json settings = nlohmann::ordered_json::array();
      for (const SettingInfo& info : kind.settings()) {
        settings.push_back({{"name", info.name},
                            {"unit", info.unit},
                            {"default", info.default_text},
                            {"accepts", info.accepts},
                            {"sentence", info.sentence}});
      }
      all.push_back({{"name", kind.name}, {"sentence", kind.sentence}, {"settings", settings}});
    }
    context.out << all.dump(2) << '\n';
    return 0;
  }
  for (const policy::PolicyKind& kind : policy::policy_kinds()) {
    context.out << kind.name << "\n    " << kind.sentence << '\n';
    for (const SettingInfo& info : kind.settings()) {
      const std::string value = info.default_text.empty() ? "=..." : "=" + info.default_text;
      context.out << "    " << info.name << value
                  << std::string(
                         std::max<std::size_t>(2, 42 - std::min<std::size_t>(40, info.name.size() + value.size())), ' ')
                  << info.sentence << (info.takes_any_text() ? "" : cat(" (", info.accepts, ")")) << '\n';
    }
    context.out << '\n';
  }
  return 0;
}

}  // namespace

Command policies_command() {
  Command command;
  command.path = "policies";
  command.sentence = "list the policies with their settings, defaults and ranges";
  command.examples = {"mpc-autoscaler policies", "mpc-autoscaler policies --format json"};
  return make_command<PoliciesOptions>(std::move(command), settings_of, policies);
}

}  // namespace mpca::app
