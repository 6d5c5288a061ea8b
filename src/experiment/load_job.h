// The load of an experiment as a Job: loadgen of our image in a pod of the cluster, so that no network of ours lies
// between it and the Service. The pod has an account without a token and no rights, runs as nobody, writes nothing; its
// result comes back in its log.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "experiment/target.h"
#include "kube/client.h"
#include "lab/run_plan.h"
#include "load/load_run.h"

namespace mpca::experiment {

struct LoadJobSettings {
  std::string image = "mpc-autoscaler:local";
  std::string service_account = "mpc-experiment-load";  // deploy/optional/experiments.yaml has it
  std::string url;
  Duration timeout = std::chrono::seconds(30);  // of a request
  Duration wait = std::chrono::minutes(1);      // until the URL gives its first good answer
};

/// What belongs to an experiment goes with this object when it is deleted.
struct Owner {
  std::string name, uid;  // of a ConfigMap
};

/// The Job as JSON. One phase of the plan is one block of the report; a plan must have phases.
///   name   of the Job and its pod's label
std::string load_job_of(const Target& target, const std::string& name, const lab::RunPlan& plan,
                        const LoadJobSettings& settings, const Owner& owner);

/// Not thread safe: one that waits and one that ends it need a client each, and one LoadJob.
class LoadJob {
 public:
  struct View {
    kube::PodRun::State state = kube::PodRun::State::waiting;
    std::string reason{};  // why it waits or has failed
    bool has_pod = false;
  };

  /// Creates it.
  ///   name     unlike that of any other Job
  ///   errors   the API server's
  static Result<LoadJob> create(kube::Client client, const Target& target, const std::string& name,
                                const lab::RunPlan& plan, const LoadJobSettings& settings, const Owner& owner);
  LoadJob(LoadJob&&) noexcept = default;
  LoadJob& operator=(LoadJob&&) = delete;
  /// Deletes it with its pod, if the API server lets us; else its time to live and its owner do.
  ~LoadJob();

  kube::ApiResult<View> look();
  /// Of a pod that has ended.
  ///   errors   not_found, invalid_argument  the log has no whole result; the message ends with the log's last lines
  Result<load::LoadResult> result();

 private:
  LoadJob(kube::Client client, Target target, std::string name)
      : client_(std::make_unique<kube::Client>(std::move(client))),
        target_(std::move(target)),
        name_(std::move(name)) {}
  std::unique_ptr<kube::Client> client_;  // none: moved from
  Target target_;
  std::string name_;
  std::string pod_;
};

}  // namespace mpca::experiment
