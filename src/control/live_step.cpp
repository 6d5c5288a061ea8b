#include "control/live_step.h"

#include "core/text.h"

namespace mpca::control {
namespace {

constexpr int kMostWrites = 3;

}  // namespace

std::string_view name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::unreachable:
      return "unreachable";
    case Trouble::forbidden:
      return "forbidden";
    case Trouble::not_found:
      return "not_found";
    case Trouble::conflict:
      return "conflict";
    case Trouble::not_leading:
      return "not_leading";
    case Trouble::refused:
      break;
  }
  return "refused";
}

LiveResult<policy::Observation> LiveStep::observe(LiveWorkload& workload, LiveMetrics& metrics, const Clock& clock) {
  auto view = workload.read(clock.now());
  if (!view) return std::unexpected(view.error());
  view_ = *std::move(view);
  LiveReading reading = metrics.read(view_.ready_replicas);
  metrics_trouble_ = std::move(reading.trouble);

  policy::Observation seen;
  seen.now = clock.now();
  if (last_shown_ && seen.now <= *last_shown_) seen.now = *last_shown_ + Duration(1);
  const Duration elapsed = last_shown_ ? seen.now - *last_shown_ : Duration::zero();
  last_shown_ = seen.now;
  for (policy::Signal* known : {&last_.served, &last_.failed, &last_.in_flight, &last_.cpu}) known->age += elapsed;
  seen.utc_offset = offsets_.at(seen.now);
  seen.spec_replicas = view_.spec_replicas;
  seen.ready_replicas = view_.ready_replicas;
  seen.starting_pod_ages = view_.starting_pod_ages;
  seen.pods = view_.pods;
  seen.rate_window = reading.rate_window;
  seen.served_rate_rps = shown(reading.served_rate_rps, last_.served);
  seen.failed_rate_rps = shown(reading.failed_rate_rps, last_.failed);
  seen.in_flight_requests = shown(reading.in_flight_requests, last_.in_flight);
  seen.cpu_cores = shown(reading.cpu_cores, last_.cpu);
  return seen;
}

/// What was known last is still worth something to a policy that asks for its age.
policy::Signal LiveStep::shown(const policy::Signal& read, policy::Signal& last) const {
  if (read.quality != policy::Quality::missing) {
    last = read;
    if (last.age > stale_after_) last.quality = policy::Quality::stale;
  } else if (last.quality != policy::Quality::missing) {
    last.quality = policy::Quality::stale;
  }
  return last;
}

Applied LiveStep::carry_out(int replicas, LiveWorkload& workload, const Clock& clock,
                            const std::function<bool()>& may_write) const {
  Applied applied{.replicas = view_.spec_replicas, .trouble = std::nullopt, .message = {}};
  std::string version = view_.version;
  for (int i = 0; i < kMostWrites && replicas != view_.spec_replicas; ++i) {
    if (!may_write()) {
      applied.trouble = Trouble::not_leading;
      applied.message = "this process does not lead any more";
      return applied;
    }
    const auto written = workload.set_replicas(replicas, version);
    if (written) return {.replicas = replicas, .trouble = std::nullopt, .message = {}};
    applied.trouble = written.error().trouble;
    applied.message = written.error().message;
    const auto now = workload.read(clock.now());
    if (!now) return applied;
    applied.replicas = now->spec_replicas;
    // It may have happened before the answer was lost.
    if (now->spec_replicas == replicas) return {.replicas = replicas, .trouble = std::nullopt, .message = {}};
    if (now->spec_replicas != view_.spec_replicas) {
      applied.message = cat("somebody else has set ", now->spec_replicas, " replicas meanwhile, they stay");
      return applied;
    }
    if (written.error().trouble != Trouble::conflict) return applied;
    version = now->version;
  }
  return applied;
}

}  // namespace mpca::control
