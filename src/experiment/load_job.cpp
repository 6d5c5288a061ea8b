#include "experiment/load_job.h"

#include <algorithm>

#include "core/text.h"
#include "load/result_in_log.h"
#include "net/json.h"
#include "net/url.h"

namespace mpca::experiment {
namespace {

using net::json_text;
using net::text_at;
using nlohmann::json;

constexpr const char* kLabel = "experiment.mpc.dev/load";
constexpr const char* kContainer = "loadgen";
constexpr int kNobody = 65532;  // the image's user
constexpr Duration kStartAllowance = std::chrono::minutes(5);
constexpr Duration kKeptFor = std::chrono::hours(1);  // when nobody deletes it
constexpr std::size_t kShownLog = 600;

std::int64_t whole_seconds(Duration duration) { return std::chrono::ceil<std::chrono::seconds>(duration).count(); }

std::string collection(const Target& target) { return kube::object_path("batch/v1", target.namespace_name, "jobs"); }
std::string job_path(const Target& target, const std::string& name) {
  return kube::object_path("batch/v1", target.namespace_name, "jobs", name);
}

std::vector<std::string> arguments_of(const lab::RunPlan& plan, const LoadJobSettings& settings) {
  std::vector<std::string> words = {"--url", settings.url};
  for (const trace::Phase& phase : plan.phases)
    words.insert(words.end(), {"--phase", cat(format_duration(phase.duration), "@", phase.rate_rps)});
  words.insert(words.end(), {"--arrivals", plan.load.kind == load::ArrivalKind::poisson ? "poisson" : "constant",
                             "--seed", cat(plan.load.seed), "--timeout", format_duration(settings.timeout), "--wait",
                             format_duration(settings.wait), "--report", "log"});
  return words;
}

}  // namespace

std::string load_job_of(const Target& target, const std::string& name, const lab::RunPlan& plan,
                        const LoadJobSettings& settings, const Owner& owner) {
  const json labels = {{"app.kubernetes.io/managed-by", "mpc-autoscaler"},
                       {"app.kubernetes.io/component", "experiment-load"},
                       {kLabel, name}};
  // A service mesh's sidecar would be measured, too, and would keep the pod from ending.
  json pod_labels = labels;
  pod_labels["sidecar.istio.io/inject"] = "false";
  const json pod_meta = {{"labels", pod_labels}, {"annotations", {{"linkerd.io/inject", "disabled"}}}};
  const json container = {
      {"name", kContainer},
      {"image", settings.image},
      {"imagePullPolicy", "IfNotPresent"},
      {"command", {"loadgen"}},
      {"args", arguments_of(plan, settings)},
      // No limit on CPU: a client that is throttled measures itself.
      {"resources", {{"requests", {{"cpu", "250m"}, {"memory", "64Mi"}}}, {"limits", {{"memory", "512Mi"}}}}},
      {"securityContext",
       {{"allowPrivilegeEscalation", false},
        {"readOnlyRootFilesystem", true},
        {"capabilities", {{"drop", json::array({"ALL"})}}}}}};
  const json pod = {{"restartPolicy", "Never"},
                    {"serviceAccountName", settings.service_account},
                    {"automountServiceAccountToken", false},
                    {"enableServiceLinks", false},
                    {"terminationGracePeriodSeconds", 5},
                    {"securityContext",
                     {{"runAsNonRoot", true},
                      {"runAsUser", kNobody},
                      {"runAsGroup", kNobody},
                      {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
                    {"containers", json::array({container})}};
  const Duration longest = kStartAllowance + settings.wait + load::length_of(plan.load) + settings.timeout;
  return json_text(
      {{"apiVersion", "batch/v1"},
       {"kind", "Job"},
       {"metadata",
        {{"name", name},
         {"namespace", target.namespace_name},
         {"labels", labels},
         {"annotations", {{"experiment.mpc.dev/scenario", plan.scenario}}},
         {"ownerReferences",
          json::array({{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", owner.name}, {"uid", owner.uid}}})}}},
       {"spec",
        {{"backoffLimit", 0},
         {"activeDeadlineSeconds", whole_seconds(longest)},
         {"ttlSecondsAfterFinished", whole_seconds(kKeptFor)},
         {"template", {{"metadata", pod_meta}, {"spec", pod}}}}}});
}

Result<LoadJob> LoadJob::create(kube::Client client, const Target& target, const std::string& name,
                                const lab::RunPlan& plan, const LoadJobSettings& settings, const Owner& owner) {
  LoadJob job(std::move(client), target, name);
  const auto made = job.client_->create(collection(target), load_job_of(target, name, plan, settings, owner));
  if (made) return job;
  // The answer may have been lost; nobody else has this name.
  if (made.error().outcome_unknown && job.client_->get(job_path(target, name))) return job;
  return std::unexpected(to_error(made.error()));
}

LoadJob::~LoadJob() {
  if (client_ == nullptr) return;
  [[maybe_unused]] const auto removed = client_->remove(job_path(target_, name_) + "?propagationPolicy=Background");
}

kube::ApiResult<LoadJob::View> LoadJob::look() {
  const auto pods = client_->list(cat(kube::object_path("v1", target_.namespace_name, "pods"),
                                      "?labelSelector=", net::percent_encoded(cat(kLabel, "=", name_))));
  if (!pods) return std::unexpected(pods.error());
  View view{.state = kube::PodRun::State::waiting, .reason = "it has no pod yet"};
  for (const std::string& item : pods->items) {
    const auto run = kube::parse_pod_run(item, kContainer);
    if (!run) continue;
    pod_ = run->name;
    view = {.state = run->state, .reason = run->reason, .has_pod = true};
    if (view.state != kube::PodRun::State::waiting) return view;
  }
  if (!pod_.empty() && pods->items.empty()) return View{kube::PodRun::State::failed, "its pod is gone"};
  // A pod that never comes: the Job itself knows when it was given up.
  const auto body = client_->get(job_path(target_, name_));
  if (!body) return std::unexpected(body.error());
  const json job = net::parse_json(*body);
  const json& conditions = net::json_at(job, "status", "conditions");
  if (!conditions.is_array()) return view;
  for (const json& condition : conditions) {
    if (text_at(condition, "type") == "Failed" && text_at(condition, "status") == "True")
      return View{kube::PodRun::State::failed, cat(text_at(condition, "reason"), ": ", text_at(condition, "message"))};
  }
  return view;
}

Result<load::LoadResult> LoadJob::result() {
  const auto log =
      client_->get(kube::object_path("v1", target_.namespace_name, "pods", pod_) + "/log?container=" + kContainer);
  if (!log) return std::unexpected(to_error(log.error()));
  auto result = load::parse_result_lines(*log);
  if (result) return result;
  const std::string_view text = trim(*log);
  return fail(result.error().code, cat("load Job ", name_, ": ", result.error().message, "; its log ends with: ",
                                       text.substr(text.size() - std::min(text.size(), kShownLog))));
}

}  // namespace mpca::experiment
