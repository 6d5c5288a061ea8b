#include "lab/pod_fleet.h"

#include <signal.h>

#include <algorithm>
#include <optional>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/http_client.h"

namespace mpca::lab {
namespace {

constexpr int kUnreadyAfterFailures = 3;
constexpr int kRestartAfterFailures = 6;
// A probe on a busy machine may be slow without the pod being at fault, however fast the experiment runs.
constexpr Duration kShortestProbeTimeout = std::chrono::milliseconds(300);
constexpr Duration kNeverReady = std::chrono::hours(24 * 365);
constexpr Duration kPollWhileStarting = std::chrono::milliseconds(2);

}  // namespace

struct PodFleet::Pod {
  int id = 0;
  int port = 0;
  Duration asked_at{};
  bool is_ready = false;
  bool was_ready = false;
  bool is_terminating = false;
  int failed_probes = 0;
  Duration kill_at{};
  std::optional<ChildProcess> process;
};

PodFleet::PodFleet(const PodSettings& settings, Balancer& balancer)
    : settings_(settings), balancer_(balancer), lags_(settings.seed, "readiness-lag", settings.replication) {
  keeper_ = std::thread([this] { keep(); });
}

PodFleet::~PodFleet() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  keeper_.join();
}

Result<void> PodFleet::start(int replicas, Duration limit) {
  const Duration deadline = os::monotonic_now() + limit;
  std::unique_lock lock(mutex_);
  spec_replicas_ = replicas;
  starts_without_lag_ = true;
  is_changed_ = true;
  wake_.notify_all();
  const auto ready_count = [&] {
    return std::count_if(pods_.begin(), pods_.end(), [](const auto& pod) { return pod->is_ready; });
  };
  while (problem_.empty() && ready_count() < replicas) {
    if (os::monotonic_now() > deadline) {
      return fail(ErrorCode::io,
                  cat("only ", ready_count(), " of ", replicas, " pods became ready within ", format_duration(limit)));
    }
    wake_.wait_for(lock, kPollWhileStarting);
  }
  starts_without_lag_ = false;
  if (!problem_.empty()) return fail(ErrorCode::io, problem_);
  return {};
}

void PodFleet::set_replicas(int replicas) {
  {
    const std::scoped_lock lock(mutex_);
    if (spec_replicas_ == replicas) return;
    spec_replicas_ = replicas;
    is_changed_ = true;
  }
  wake_.notify_all();
}

FleetView PodFleet::view() const {
  const std::scoped_lock lock(mutex_);
  FleetView view{.spec_replicas = spec_replicas_, .restarts = restarts_, .problem = problem_};
  const Duration now = os::monotonic_now();
  for (const auto& pod : pods_) {
    view.pods.push_back({pod->id, pod->port, pod->is_ready, pod->is_terminating, now - pod->asked_at});
    if (pod->is_ready) ++view.ready_replicas;
  }
  return view;
}

PodFleet::Pod* PodFleet::oldest_ready() {
  const auto found = std::find_if(pods_.begin(), pods_.end(), [](const auto& pod) { return pod->is_ready; });
  return found == pods_.end() ? nullptr : found->get();
}

bool PodFleet::kill_pod() {
  const std::scoped_lock lock(mutex_);
  Pod* pod = oldest_ready();
  if (pod != nullptr) pod->process->signal(SIGKILL);
  return pod != nullptr;
}

bool PodFleet::hang_pod() {
  const std::scoped_lock lock(mutex_);
  Pod* pod = oldest_ready();
  if (pod != nullptr) pod->process->signal(SIGSTOP);
  return pod != nullptr;
}

void PodFleet::set_never_ready(bool never_ready) {
  const std::scoped_lock lock(mutex_);
  never_ready_ = never_ready;
}

void PodFleet::keep() {
  net::HttpClient client({.timeout = std::max(settings_.probe_period, kShortestProbeTimeout)});
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    is_changed_ = false;
    reap();
    reconcile();
    tell_balancer();
    std::vector<int> ids;
    std::vector<std::string> urls;
    for (const Pod* pod : probed_pods()) {
      ids.push_back(pod->id);
      urls.push_back(cat("http://127.0.0.1:", pod->port, "/readyz"));
    }
    const Duration next_probe =
        os::monotonic_now() + (starts_without_lag_ ? kPollWhileStarting : settings_.probe_period);
    lock.unlock();
    std::vector<bool> answers;
    for (const auto& reply : client.get_all(urls)) answers.push_back(reply && reply->status == 200);
    lock.lock();
    apply_probes(ids, answers);
    tell_balancer();
    wake_.notify_all();
    const Duration wait = next_probe - os::monotonic_now();
    if (wait > Duration::zero()) wake_.wait_for(lock, wait, [&] { return is_stopping_ || is_changed_; });
  }
  pods_.clear();
}

void PodFleet::reap() {
  const Duration now = os::monotonic_now();
  for (auto& pod : pods_) {
    const bool has_ended = !pod->process || pod->process->exit_code().has_value();
    if (pod->is_terminating) {
      if (has_ended) {
        pod.reset();
      } else if (now > pod->kill_at) {
        pod->process->signal(SIGKILL);
      }
    } else if (has_ended) {
      ++restarts_;
      start_pod(*pod, true);
    }
  }
  std::erase(pods_, nullptr);
}

void PodFleet::start_pod(Pod& pod, bool with_lag) {
  pod.is_ready = pod.was_ready = false;
  pod.failed_probes = 0;
  auto listener = Listener::open();
  if (!listener) {
    problem_ = listener.error().message;
    return;
  }
  const Duration lag = never_ready_ ? kNeverReady : with_lag ? settings_.readiness_lag.sample(lags_) : Duration::zero();
  ChildSettings child{.program = settings_.program,
                      .environment = {{"HOST", "127.0.0.1"},
                                      {"CONCURRENCY", cat(settings_.concurrency)},
                                      {"LOG_LEVEL", "warn"},
                                      {"SHUTDOWN_TIMEOUT", format_duration(settings_.termination_grace)}},
                      .inherited_listener = listener->fd(),
                      .output_file = settings_.log_file};
  if (lag > Duration::zero()) child.environment.emplace_back("READY_AFTER", format_duration(lag));
  auto process = ChildProcess::start(child);
  if (!process) {
    problem_ = process.error().message;
    return;
  }
  pod.port = listener->port();
  pod.process = *std::move(process);
}

void PodFleet::reconcile() {
  std::vector<Pod*> live;
  for (const auto& pod : pods_)
    if (!pod->is_terminating) live.push_back(pod.get());
  for (int count = static_cast<int>(live.size()); count < spec_replicas_ && problem_.empty(); ++count) {
    auto pod = std::make_unique<Pod>();
    pod->id = next_id_++;
    pod->asked_at = os::monotonic_now();
    start_pod(*pod, !starts_without_lag_);
    pods_.push_back(std::move(pod));
  }
  // Leave in the order of a ReplicaSet: those that are not ready, then the youngest.
  std::stable_sort(live.begin(), live.end(), [](const Pod* a, const Pod* b) {
    return a->is_ready != b->is_ready ? !a->is_ready : a->asked_at > b->asked_at;
  });
  const int surplus = static_cast<int>(live.size()) - spec_replicas_;
  for (int i = 0; i < surplus; ++i) {
    live[static_cast<std::size_t>(i)]->is_terminating = true;
    live[static_cast<std::size_t>(i)]->is_ready = false;
  }
  if (surplus <= 0) return;
  tell_balancer();  // before they hear of it
  for (int i = 0; i < surplus; ++i) {
    Pod& pod = *live[static_cast<std::size_t>(i)];
    pod.kill_at = os::monotonic_now() + settings_.termination_grace;
    if (pod.process) {
      pod.process->signal(SIGTERM);
      pod.process->signal(SIGCONT);
    }
  }
}

std::vector<PodFleet::Pod*> PodFleet::probed_pods() {
  std::vector<Pod*> probed;
  for (const auto& pod : pods_)
    if (!pod->is_terminating && pod->process) probed.push_back(pod.get());
  return probed;
}

void PodFleet::apply_probes(const std::vector<int>& ids, const std::vector<bool>& answers) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = std::find_if(pods_.begin(), pods_.end(), [&](const auto& pod) { return pod->id == ids[i]; });
    if (found == pods_.end() || (*found)->is_terminating) continue;
    Pod& pod = **found;
    if (answers[i]) {
      pod.is_ready = pod.was_ready = true;
      pod.failed_probes = 0;
    } else {
      ++pod.failed_probes;
      if (pod.failed_probes >= kUnreadyAfterFailures) pod.is_ready = false;
      if (pod.was_ready && pod.failed_probes >= kRestartAfterFailures) pod.process->signal(SIGKILL);
    }
  }
}

void PodFleet::tell_balancer() {
  std::vector<Backend> ready;
  for (const auto& pod : pods_)
    if (pod->is_ready) ready.push_back({pod->id, pod->port});
  if (ready == told_) return;
  balancer_.set_backends(ready);
  told_ = std::move(ready);
}

}  // namespace mpca::lab
