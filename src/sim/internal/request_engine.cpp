#include "sim/internal/request_engine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/result.h"

namespace mpca::sim::internal {
namespace {

constexpr std::uint64_t kPlaceBits = 24;

std::uint32_t capacity_for(const EngineSettings& settings) {
  // At its own queue a pod refuses by the queue's limit, not by what the balancer counts.
  return settings.waits_at_pod ? std::numeric_limits<std::uint32_t>::max() : static_cast<std::uint32_t>(settings.slots);
}

}  // namespace

RequestEngine::RequestEngine(const EngineSettings& settings, std::uint64_t seed)
    : settings_(settings),
      balancer_(settings.balancer, capacity_for(settings), seed),
      departures_(settings.equal_services) {
  MPCA_CHECK(settings.service_time > Duration::zero() && settings.client_timeout > Duration::zero(),
             "times are validated before");
  MPCA_CHECK(settings.slots >= 1 && settings.retries >= 0, "counts are validated before");
  find_queue_limit();
}

void RequestEngine::offer(std::span<const RequestArrival> arrivals) {
  MPCA_CHECK(!has_offered(), "requests are offered when the ones before have arrived");
  arrivals_ = arrivals;
  next_arrival_ = 0;
}

void RequestEngine::run_until(Duration until) {
  for (;;) {
    const Duration end = departures_.empty() ? kNever : departures_.front().time;
    const Duration waiting_leaves = next_give_up_waiting();
    const Duration running_leaves = give_ups_.empty() ? kNever : give_ups_.front().time;
    const Duration arrival = has_offered() ? arrivals_[next_arrival_].time : kNever;
    const Duration leaves = std::min(waiting_leaves, running_leaves);
    if (end <= leaves && end <= arrival) {
      if (end > until || end == kNever) return;
      complete();
    } else if (leaves <= arrival) {
      if (leaves > until) return;
      if (waiting_leaves <= running_leaves) {
        give_up_waiting();
      } else {
        give_up_running();
      }
    } else {
      if (arrival >= until) return;
      const RequestArrival& next = arrivals_[next_arrival_++];
      arrive({.sent = next.time,
              .first = next.time,
              .service = next.service,
              .number = static_cast<std::uint32_t>(counts_.requests++),
              .tries_left = static_cast<std::uint32_t>(settings_.retries)},
             next.time);
    }
  }
}

Duration RequestEngine::next_give_up_waiting() const {
  if (settings_.waits_at_pod) return tickets_.empty() ? kNever : tickets_.front().give_up;
  return queue_.empty() ? kNever : queue_.front().sent + settings_.client_timeout;
}

void RequestEngine::arrive(Request request, Duration now) {
  while (!try_once(request, now)) {
    ++counts_.failed_tries;
    if (request.tries_left == 0) {
      ++counts_.refused;
      latency_.record(settings_.client_timeout);
      if (log_ != nullptr) log_->push_back({request.number, now, RequestFate::refused, 0});
      return;
    }
    --request.tries_left;
  }
  ++in_flight_;
}

bool RequestEngine::try_once(const Request& request, Duration now) {
  if (!settings_.waits_at_pod) {
    if (balancer_.has_open()) {
      const PodIndex pod = balancer_.pick();
      start(pod, request, now);
      update_balancer(pod);
      return true;
    }
    if (static_cast<double>(queue_.size()) >= queue_limit_) return false;
    queue_.push_back(request);
    ++waiting_;
    return true;
  }
  if (!balancer_.has_open()) return false;
  const PodIndex index = balancer_.pick();
  Pod& pod = pods_[index];
  if (pod.running < static_cast<std::uint32_t>(settings_.slots)) {
    start(index, request, now);
  } else {
    if (static_cast<double>(pod.queue.size()) >= queue_limit_) return false;
    tickets_.push_back({request.sent + settings_.client_timeout, index, pod.taken + pod.queue.size()});
    pod.queue.push_back(request);
    ++waiting_;
  }
  update_balancer(index);
  return true;
}

void RequestEngine::start(PodIndex index, const Request& request, Duration now) {
  std::uint32_t place = 0;
  if (free_running_.empty()) {
    place = static_cast<std::uint32_t>(running_.size());
    MPCA_CHECK(place < (1u << kPlaceBits), "16 million requests run at the same time at most");
    running_.emplace_back();
  } else {
    place = free_running_.back();
    free_running_.pop_back();
  }
  running_[place] = {request, index, false};
  Pod& pod = pods_[index];
  ++pod.running;
  pod.busy -= now;
  const std::uint64_t tag = ++starts_ << kPlaceBits | place;
  const Duration end = now + request.service;
  departures_.push({end, tag});
  if (const Duration leaves = request.sent + settings_.client_timeout; leaves < end) give_ups_.push({leaves, tag});
}

void RequestEngine::complete() {
  const Due due = departures_.front();
  departures_.pop();
  const std::size_t place = index_of(due.tag);
  const Running& ended = running_[place];
  const PodIndex index = ended.pod;
  Pod& pod = pods_[index];
  --pod.running;
  pod.busy += due.time;
  if (ended.client_left) {
    --pod.left_alone;
  } else {
    const Duration latency = due.time - ended.request.first;
    latency_.record(latency);
    ++counts_.served;
    counts_.late += latency > settings_.latency_target ? 1 : 0;
    ++pod.served;
    --in_flight_;
    if (log_ != nullptr) log_->push_back({ended.request.number, due.time, RequestFate::served, pod.id});
  }
  free_running_.push_back(static_cast<std::uint32_t>(place));
  start_next(index, due.time);
}

// A slot of the pod is free. Who waited until its time-out leaves first, and tries again only when the slot is given
// on: it would be served out of turn.
void RequestEngine::start_next(PodIndex index, Duration now) {
  Pod& pod = pods_[index];
  Ring<Request>& queue = settings_.waits_at_pod ? pod.queue : queue_;
  failing_.clear();
  if (settings_.waits_at_pod || pod.is_ready) {
    while (!queue.empty() && queue.front().sent + settings_.client_timeout <= now)
      failing_.push_back(take_from_queue(index));
    if (!queue.empty()) start(index, take_from_queue(index), now);
  }
  update_balancer(index);
  if (pod.is_released && pod.running == 0) leave(index, now);
  if (!failing_.empty()) retry_failed(now, RequestFate::timed_out);
}

RequestEngine::Request RequestEngine::take_from_queue(PodIndex index) {
  Ring<Request>& queue = settings_.waits_at_pod ? pods_[index].queue : queue_;
  const Request request = queue.front();
  queue.pop_front();
  --waiting_;
  if (settings_.waits_at_pod) {
    ++pods_[index].taken;
    skip_old_tickets();
  }
  return request;
}

// The oldest request that waits is the first in its queue, so tickets are used up from the front.
void RequestEngine::skip_old_tickets() {
  while (!tickets_.empty()) {
    const PodTicket& ticket = tickets_.front();
    if (ticket.number >= pods_[ticket.pod].taken) return;
    tickets_.pop_front();
  }
}

void RequestEngine::give_up_waiting() {
  const Duration now = next_give_up_waiting();
  const PodIndex index = settings_.waits_at_pod ? tickets_.front().pod : 0;
  const Request request = take_from_queue(index);
  if (settings_.waits_at_pod) update_balancer(index);
  fail_or_retry(request, now, RequestFate::timed_out);
}

void RequestEngine::give_up_running() {
  const Due due = give_ups_.front();
  give_ups_.pop();
  Running& running = running_[index_of(due.tag)];
  running.client_left = true;
  ++pods_[running.pod].left_alone;
  update_balancer(running.pod);
  fail_or_retry(Request(running.request), due.time, RequestFate::timed_out);
}

void RequestEngine::fail_or_retry(const Request& request, Duration now, RequestFate fate) {
  --in_flight_;
  ++counts_.failed_tries;
  if (request.tries_left > 0) {
    Request again = request;
    again.sent = now;
    --again.tries_left;
    arrive(again, now);
    return;
  }
  ++counts_.timed_out;
  latency_.record(settings_.client_timeout);
  if (log_ != nullptr) log_->push_back({request.number, now, fate, 0});
}

void RequestEngine::retry_failed(Duration now, RequestFate fate) {
  for (const Request& request : failing_) fail_or_retry(request, now, fate);
  failing_.clear();
}

void RequestEngine::add_pod(std::int64_t id, Duration now) {
  MPCA_CHECK(find(id) == nullptr, "a pod becomes Ready once");
  PodIndex index = 0;
  if (free_pods_.empty()) {
    index = static_cast<PodIndex>(pods_.size());
    pods_.emplace_back();
  } else {
    index = free_pods_.back();
    free_pods_.pop_back();
  }
  Pod& pod = pods_[index];
  pod.id = id;
  pod.is_ready = true;
  const auto place =
      std::lower_bound(by_id_.begin(), by_id_.end(), id, [](const PodPlace& p, std::int64_t i) { return p.id < i; });
  by_id_.insert(place, {id, index});
  balancer_.add(index, id, 0);
  find_queue_limit();
  if (settings_.waits_at_pod) return;
  for (int slot = 0; slot < settings_.slots && !queue_.empty(); ++slot) start_next(index, now);
}

void RequestEngine::drain_pod(std::int64_t id, Duration now) {
  const PodPlace* place = find(id);
  MPCA_CHECK(place != nullptr && pods_[place->pod].is_ready, "a pod drains once");
  Pod& pod = pods_[place->pod];
  pod.is_ready = false;
  pod.busy_when_drained = busy_until(pod, now);
  balancer_.remove(place->pod);
  find_queue_limit();
}

void RequestEngine::release_pod(std::int64_t id, Duration now) {
  const PodPlace* place = find(id);
  MPCA_CHECK(place != nullptr && !pods_[place->pod].is_ready, "a pod drains before it leaves");
  Pod& pod = pods_[place->pod];
  pod.is_released = true;
  pod.released_at = now;
  if (pod.running == 0) leave(place->pod, now);
}

void RequestEngine::kill_pod(std::int64_t id, Duration now) {
  const PodPlace* place = find(id);
  MPCA_CHECK(place != nullptr, "a pod dies once");
  const PodIndex index = place->pod;
  Pod& pod = pods_[index];
  std::vector<std::uint64_t> tags;
  const auto is_its = [&](const Due& due) { return running_[index_of(due.tag)].pod == index; };
  give_ups_.erase_if(is_its);
  departures_.erase_if([&](const Due& due) {
    if (is_its(due)) tags.push_back(due.tag);
    return is_its(due);
  });
  std::sort(tags.begin(), tags.end());
  failing_.clear();
  for (const std::uint64_t tag : tags) {
    const Running& dead = running_[index_of(tag)];
    if (!dead.client_left) failing_.push_back(dead.request);
    free_running_.push_back(static_cast<std::uint32_t>(index_of(tag)));
  }
  while (!pod.queue.empty()) failing_.push_back(take_from_queue(index));
  if (pod.is_ready) balancer_.remove(index);
  leave(index, now);
  find_queue_limit();
  retry_failed(now, RequestFate::died);
}

void RequestEngine::leave(PodIndex index, Duration now) {
  Pod& pod = pods_[index];
  busy_of_gone_ += pod.is_ready ? busy_until(pod, now) : pod.busy_when_drained;
  if (pod.is_released) lingered_of_gone_ += now - pod.released_at;
  std::erase_if(by_id_, [&](const PodPlace& place) { return place.pod == index; });
  // The next pod of this number uses the queue's memory again.
  Pod empty;
  empty.queue = std::move(pod.queue);
  empty.taken = pod.taken;
  pod = std::move(empty);
  free_pods_.push_back(index);
}

void RequestEngine::update_balancer(PodIndex index) {
  const Pod& pod = pods_[index];
  if (!pod.is_ready) return;
  // The balancer closes the connection of a client that left; at its own queue it knows free slots.
  const std::uint32_t outstanding = settings_.waits_at_pod
                                        ? pod.running - pod.left_alone + static_cast<std::uint32_t>(pod.queue.size())
                                        : pod.running;
  balancer_.set_outstanding(index, outstanding);
}

void RequestEngine::find_queue_limit() {
  const int servers = settings_.slots * (settings_.waits_at_pod ? 1 : balancer_.pods());
  queue_limit_ = std::floor(static_cast<double>(settings_.queue_limit.count()) * servers /
                            static_cast<double>(settings_.service_time.count()));
}

const RequestEngine::PodPlace* RequestEngine::find(std::int64_t id) const {
  const auto place =
      std::lower_bound(by_id_.begin(), by_id_.end(), id, [](const PodPlace& p, std::int64_t i) { return p.id < i; });
  return place != by_id_.end() && place->id == id ? &*place : nullptr;
}

LatencyHistogram RequestEngine::take_latency() { return std::exchange(latency_, {}); }

void RequestEngine::pod_counters(Duration now, std::vector<PodCounters>& out) const {
  for (const auto& [id, index] : by_id_) {
    const Pod& pod = pods_[index];
    out.push_back({id, static_cast<double>(pod.served), to_seconds(busy_until(pod, now)) / settings_.slots});
  }
}

Duration RequestEngine::ready_busy(Duration now) const {
  Duration sum = busy_of_gone_;
  for (const auto& [id, index] : by_id_) {
    const Pod& pod = pods_[index];
    sum += pod.is_ready ? busy_until(pod, now) : pod.busy_when_drained;
  }
  return sum;
}

Duration RequestEngine::lingered(Duration now) const {
  Duration sum = lingered_of_gone_;
  for (const auto& [id, index] : by_id_) {
    const Pod& pod = pods_[index];
    if (pod.is_released) sum += now - pod.released_at;
  }
  return sum;
}

}  // namespace mpca::sim::internal
