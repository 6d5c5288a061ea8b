#include "experiment/fleet_watch.h"

#include "core/os/pause.h"
#include "core/text.h"

namespace mpca::experiment {
namespace {

/// A look that took longer than this is one of another second.
constexpr Duration kStaleAfter = std::chrono::milliseconds(2500);

bool is_known(const FleetMoment& moment) {
  return moment.sample.spec_replicas.has_value() && moment.sample.ready_replicas.has_value();
}

}  // namespace

runlog::ReplicaWatchSample look_at_fleet(kube::Client& client, const Target& target, const std::string& hpa) {
  runlog::ReplicaWatchSample sample;
  if (const auto deployment = read_deployment(client, target)) {
    sample.spec_replicas = deployment->state.spec_replicas;
    sample.ready_replicas = deployment->state.ready_replicas;
    sample.available_replicas = deployment->state.available_replicas;
  }
  if (hpa.empty()) return sample;
  const auto body = client.get(hpa_path(target, hpa));
  const auto state = body ? kube::parse_hpa_state(*body) : std::nullopt;
  if (state) {
    sample.hpa_current_replicas = state->current_replicas;
    sample.hpa_desired_replicas = state->desired_replicas;
  }
  return sample;
}

FleetWatch::FleetWatch(kube::Client client, Target target, std::string hpa, Clock& clock)
    : client_(std::move(client)),
      target_(std::move(target)),
      hpa_(std::move(hpa)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void FleetWatch::run(const std::stop_token& stop) {
  TimePoint next = clock_.now();
  while (!stop.stop_requested()) {
    FleetMoment moment{.at = clock_.now(), .sample = look_at_fleet(client_, target_, hpa_)};
    {
      const std::scoped_lock lock(mutex_);
      moments_.push_back(moment);
    }
    while (next <= clock_.now()) next += kFleetSampleEvery;
    os::pause(stop, next - clock_.now());
  }
}

FleetMoment FleetWatch::last() const {
  const std::scoped_lock lock(mutex_);
  return moments_.empty() ? FleetMoment{} : moments_.back();
}

std::vector<FleetMoment> FleetWatch::finish() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  const std::scoped_lock lock(mutex_);
  return moments_;
}

std::string replica_watch_of(const std::vector<FleetMoment>& moments, TimePoint start) {
  std::string csv = runlog::replica_watch_header();
  for (const FleetMoment& moment : moments)
    if (moment.at >= start) csv += runlog::replica_watch_row(moment.at, to_seconds(moment.at - start), moment.sample);
  return csv;
}

Result<FleetSamples> fleet_samples(const std::vector<FleetMoment>& moments, TimePoint start, std::size_t count) {
  const FleetMoment* first = nullptr;
  for (const FleetMoment& moment : moments)
    if (first == nullptr && is_known(moment)) first = &moment;
  if (first == nullptr)
    return fail(ErrorCode::not_enough_data, "the API server never told how many replicas there were");
  FleetSamples samples;
  std::size_t next = 0, missing = 0;
  const FleetMoment* last = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const TimePoint at = start + kFleetSampleEvery * static_cast<std::int64_t>(i);
    for (; next < moments.size() && moments[next].at <= at; ++next)
      if (is_known(moments[next])) last = &moments[next];
    const FleetMoment& known = last != nullptr ? *last : *first;
    if (last == nullptr || at - last->at > kStaleAfter) ++missing;
    samples.fleet.push_back({*known.sample.spec_replicas, *known.sample.ready_replicas, 0});
  }
  samples.missing_share = count == 0 ? 0.0 : static_cast<double>(missing) / static_cast<double>(count);
  return samples;
}

}  // namespace mpca::experiment
