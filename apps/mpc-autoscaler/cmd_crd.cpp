// `crd`: the CustomResourceDefinition of PredictiveAutoscaler, as deploy/crd.yaml holds it; and a look at manifests
// without a cluster.
#include "config/predictive_autoscaler.h"
#include "core/os/file.h"
#include "core/text.h"
#include "mpc-autoscaler/commands.h"

namespace mpca::app {
namespace {

constexpr std::size_t kLargestFile = 64U << 20;

struct CrdOptions {
  std::vector<std::string> check;
};

SettingsTable settings_of(CrdOptions& options) {
  return {{"check", &options.check,
           "a manifest with PredictiveAutoscalers, YAML or JSON: say what is wrong with them, or which policy each is; "
           "may be repeated"}};
}

Result<void> check(const std::string& path, Context& context) {
  MPCA_TRY(const std::string text, os::read_file(path, kLargestFile));
  MPCA_TRY(const std::vector<config::AutoscalerObject> objects, config::parse_autoscalers(text, path));
  if (objects.empty()) return invalid(cat(path, ": holds no ", config::kAutoscalerKind));
  for (const config::AutoscalerObject& object : objects) {
    context.out << path << ": " << (object.namespace_name.empty() ? "" : object.namespace_name + "/") << object.name
                << ": " << object.target_kind << " " << object.target_name << ", " << object.workload.min_replicas
                << " to " << object.workload.max_replicas << " replicas, mode " << config::name_of(object.mode)
                << ", policy " << object.policy << '\n';
  }
  return {};
}

Result<int> crd(const CrdOptions& options, Context& context) {
  if (options.check.empty()) {
    context.out << config::crd_manifest();
    return 0;
  }
  Problems problems;
  for (const std::string& path : options.check)
    if (const auto done = check(path, context); !done) problems.add(done.error().message);
  MPCA_TRY_VOID(problems.to_result());
  return 0;
}

}  // namespace

Command crd_command() {
  Command command;
  command.path = "crd";
  command.sentence = "print the CustomResourceDefinition for kubectl apply, or check manifests without a cluster";
  command.examples = {"mpc-autoscaler crd", "mpc-autoscaler crd --check deploy/examples/web.yaml"};
  return make_command<CrdOptions>(std::move(command), settings_of, crd);
}

}  // namespace mpca::app
