// `hpa explain`: the arithmetic of one sync of the upstream HPA in words, for an object and what it meets.
#include "config/hpa_object.h"
#include "config/hpa_situation.h"
#include "core/os/file.h"
#include "core/text.h"
#include "hpa/explain.h"
#include "mpc-autoscaler/commands.h"

namespace mpca::app {
namespace {

constexpr std::size_t kLargestFile = 64u << 20;

struct HpaExplainOptions {
  std::string file;
  std::string state;
};

SettingsTable settings_of(HpaExplainOptions& options) {
  return {
      Setting("file", &options.file, "a HorizontalPodAutoscaler (autoscaling/v2), YAML or JSON").require(),
      Setting(
          "state", &options.state,
          "what the sync meets, YAML or JSON: now_s, scale, pods, metrics and, from before, status, recommendations, "
          "scale_up_events, scale_down_events; docs/HPA.md has the fields")
          .require(),
  };
}

/// The state file: a scenario's `initial` and one tick in one object.
struct Situation {
  TimePoint now;
  config::HpaScale scale;
  hpa::ControllerSettings controller;
  std::optional<hpa::Status> status;
  hpa::Memory memory;
  std::vector<config::HpaPod> pods;
  std::vector<config::HpaAnswer> answers;
  std::vector<config::HpaOther> others;
  bool scale_get_fails = false;
  bool scale_update_fails = false;
};

Result<Situation> read_situation(const std::string& path) {
  MPCA_TRY(const std::string text, os::read_file(path, kLargestFile));
  const auto documents = config::parse_yaml(text);
  if (!documents) return invalid(cat(path, ": ", documents.error().message));
  if (documents->size() != 1 || (*documents)[0].kind != config::Node::Kind::object)
    return invalid(cat(path, ": must be one object with scale, pods, metrics, ..."));
  Problems problems;
  const config::Fields fields((*documents)[0], problems, path);
  fields.only({"now_s", "controller", "scale", "status", "recommendations", "scale_up_events", "scale_down_events",
               "other_hpas", "pods", "metrics", "scale_get_error", "scale_update_error"});
  Situation situation;
  constexpr std::int64_t kMostSeconds = 9'000'000'000;
  const auto now = fields.integer("now_s", 0, kMostSeconds);
  if (!fields.has("now_s")) fields.problem("now_s", "is missing; give the sync's time in seconds");
  situation.now = TimePoint(std::chrono::seconds(now.value_or(0)));
  if (const auto* scale = fields.object("scale")) {
    const config::Fields of_scale(*scale, fields, "scale");
    config::read_scale(of_scale, situation.scale);
    if (!of_scale.has("spec_replicas")) of_scale.problem("spec_replicas", "is missing");
    if (!of_scale.has("status_replicas")) situation.scale.status_replicas = situation.scale.spec_replicas;
  } else if (!fields.has("scale")) {
    fields.problem("scale", "is missing; give spec_replicas, status_replicas and selector");
  }
  if (const auto* node = fields.object("controller"))
    situation.controller = config::read_controller(config::Fields(*node, fields, "controller"));
  if (const auto* node = fields.object("status")) {
    const config::Fields of_status(*node, fields, "status");
    // A live object's status has upstream's names.
    const bool is_live = of_status.has("currentReplicas") || of_status.has("desiredReplicas");
    situation.status = is_live ? config::read_hpa_status(of_status) : config::read_scenario_status(of_status);
  }
  situation.memory = config::read_memory(fields);
  situation.pods = config::read_pods(fields, "pods");
  situation.answers = config::read_answers(fields, "metrics", situation.now);
  situation.others = config::read_other_hpas(fields, "other_hpas");
  situation.scale_get_fails = fields.has("scale_get_error");
  situation.scale_update_fails = fields.has("scale_update_error");
  MPCA_TRY_VOID(problems.to_result());
  return situation;
}

Result<int> hpa_explain(const HpaExplainOptions& options, Context& context) {
  const auto object = config::load_hpa_object(options.file);
  auto situation = read_situation(options.state);
  Problems problems;
  if (!object) problems.add(object.error().message);
  if (!situation) problems.add(situation.error().message);
  MPCA_TRY_VOID(problems.to_result());

  std::optional<hpa::Status> status = situation->status ? situation->status : object->status;
  const hpa::HorizontalPodAutoscaler twin(object->spec, situation->controller,
                                          std::move(status).value_or(hpa::Status{}), situation->memory);
  config::PreparedSync prepared(twin.spec(), twin.settings(), object->namespace_name, situation->scale, situation->pods,
                                situation->answers, situation->others, situation->now);
  prepared.input.scale_get_fails = situation->scale_get_fails;
  prepared.input.scale_update_fails = situation->scale_update_fails;
  context.out << object->name << " for " << object->target_kind << " " << object->target_name << '\n'
              << hpa::explain_sync(twin, prepared.input, prepared.pod_names);
  return 0;
}

}  // namespace

Command hpa_explain_command() {
  Command command;
  command.path = "hpa explain";
  command.sentence = "tell in words what the upstream HPA would do with an object in one situation, and why";
  command.positionals = {"file"};
  command.examples = {
      "mpc-autoscaler hpa explain tests/data/hpa/explain/web.yaml --state tests/data/hpa/explain/rollout.yaml",
      "mpc-autoscaler hpa explain tests/data/hpa/explain/live.yaml --state tests/data/hpa/explain/quiet-evening.yaml"};
  return make_command<HpaExplainOptions>(std::move(command), settings_of, hpa_explain);
}

}  // namespace mpca::app
