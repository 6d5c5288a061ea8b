#include "kube/lease.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "core/os/pause.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "kube/internal/time_text.h"
#include "kube/scale.h"
#include "net/json.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

constexpr double kAcquireJitter = 1.2;  // client-go's JitterFactor
constexpr const char* kApiVersion = "coordination.k8s.io/v1";

int seconds_of(Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

LeaseRecord record_of(const json& object) {
  const json& spec = net::json_at(object, "spec");
  const auto number = [&](const char* key) {
    return static_cast<int>(std::clamp<std::int64_t>(net::integer_at(spec, key).value_or(0), 0, 1 << 30));
  };
  return {net::text_at(spec, "holderIdentity"), number("leaseDurationSeconds"), net::text_at(spec, "acquireTime"),
          net::text_at(spec, "renewTime"), number("leaseTransitions")};
}

}  // namespace

Result<void> check(const LeaseSettings& settings) {
  Problems problems;
  if (settings.namespace_name.empty()) problems.add("lease: the namespace is empty");
  if (settings.name.empty()) problems.add("lease: the name is empty");
  if (settings.identity.empty()) problems.add("lease: the identity is empty");
  if (settings.duration <= settings.renew_deadline) {
    problems.add(cat("lease: the duration ", format_duration(settings.duration), " must be > the renew deadline ",
                     format_duration(settings.renew_deadline)));
  }
  if (settings.retry <= Duration{} ||
      to_seconds(settings.renew_deadline) <= kAcquireJitter * to_seconds(settings.retry)) {
    problems.add(cat("lease: the renew deadline ", format_duration(settings.renew_deadline), " must be > 1.2 times ",
                     "the retry period, which is ",
                     settings.retry < Duration{} ? "negative" : format_duration(settings.retry)));
  }
  return problems.to_result();
}

// ---- the election ----

Election::Election(LeaseSettings settings, RandomStream random) : settings_(std::move(settings)), random_(random) {}

Election::Step Election::next(Duration now, TimePoint wall) {
  using Kind = Step::Kind;
  if (state_ == State::released || now < wait_until_) return {.kind = Kind::wait, .until = wait_until_};
  if (state_ == State::waiting) state_ = may_write(now) ? State::may_take : State::must_read;
  if (state_ == State::must_read) return {.kind = Kind::read};
  const bool is_ours = exists_ && seen_.holder == settings_.identity;
  const std::string time = internal::micro_time(wall);
  LeaseRecord record{settings_.identity, seconds_of(settings_.duration), is_ours ? seen_.acquire_time : time, time,
                     seen_.transitions};
  if (exists_ && !is_ours) ++record.transitions;
  return {.kind = exists_ ? Kind::update : Kind::create, .record = std::move(record)};
}

void Election::observe(Duration now, const LeaseRecord& record) {
  if (exists_ && record == seen_) return;
  exists_ = true;
  seen_ = record;
  changed_at_ = now;
}

void Election::on_read(Duration now, const std::optional<LeaseRecord>& record) {
  if (!record) {
    exists_ = false;
    seen_ = {};
    renewed_at_.reset();
    state_ = State::may_take;
    return;
  }
  observe(now, *record);
  const bool is_foreign = !seen_.holder.empty() && seen_.holder != settings_.identity;
  if (is_foreign || seen_.holder.empty()) renewed_at_.reset();
  const Duration lasts = seen_.duration_s > 0 ? std::chrono::seconds(seen_.duration_s) : settings_.duration;
  if (is_foreign && now < changed_at_ + lasts) {
    state_ = State::waiting;
    had_conflict_ = false;
    wait_until_ = now + from_seconds(to_seconds(settings_.retry) * (1 + kAcquireJitter * random_.uniform()));
    return;
  }
  state_ = State::may_take;
}

void Election::on_written(Duration sent_at, const LeaseRecord& record) {
  exists_ = true;
  seen_ = record;
  changed_at_ = sent_at;
  renewed_at_ = sent_at;
  state_ = State::waiting;
  had_conflict_ = false;
  wait_until_ = sent_at + settings_.retry;
}

void Election::on_failure(Duration now, Failure failure) {
  const bool has_lost = failure == Failure::conflict || failure == Failure::already_exists;
  if (has_lost) renewed_at_.reset();
  const bool may_ask_at_once = has_lost && !had_conflict_;
  had_conflict_ = has_lost;
  state_ = State::must_read;
  const double jitter = may_write(now) ? 0 : kAcquireJitter * random_.uniform();
  wait_until_ = may_ask_at_once ? now : now + from_seconds(to_seconds(settings_.retry) * (1 + jitter));
}

std::optional<LeaseRecord> Election::release(Duration now, TimePoint wall) {
  const bool is_ours = may_write(now);
  renewed_at_.reset();
  state_ = State::released;
  wait_until_ = Duration::max();
  if (!is_ours) return std::nullopt;
  const std::string time = internal::micro_time(wall);
  return LeaseRecord{{}, 1, time, time, seen_.transitions};
}

bool Election::may_write(Duration now) const { return renewed_at_ && now - *renewed_at_ < settings_.renew_deadline; }

// ---- its requests ----

LeaseSteps::LeaseSteps(Client& client, const LeaseSettings& settings, RandomStream random,
                       std::function<Duration()> now, std::function<TimePoint()> wall)
    : client_(client),
      settings_(settings),
      election_(settings, random),
      now_(std::move(now)),
      wall_(std::move(wall)),
      collection_(object_path(kApiVersion, settings.namespace_name, "leases")),
      path_(object_path(kApiVersion, settings.namespace_name, "leases", settings.name)) {
  MPCA_CHECK(check(settings).has_value(), "lease settings that were not checked");
}

/// What others keep in the object stays: a PUT replaces all of it.
std::string LeaseSteps::object_with(const LeaseRecord& record) const {
  json object = net::parse_json(object_);
  if (!object.is_object()) {
    object = {{"apiVersion", kApiVersion},
              {"kind", "Lease"},
              {"metadata", {{"name", settings_.name}, {"namespace", settings_.namespace_name}}}};
  }
  json& spec = object["spec"];
  if (!spec.is_object()) spec = json::object();
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_s;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
  return net::json_text(object);
}

Duration LeaseSteps::step() {
  using Kind = Election::Step::Kind;
  const Duration sent_at = now_();
  const Election::Step step = election_.next(sent_at, wall_());
  switch (step.kind) {
    case Kind::wait:
      return step.until;
    case Kind::read:
      take(sent_at, client_.get(path_, Priority::lease), nullptr);
      break;
    case Kind::create:
      object_.clear();
      take(sent_at, client_.create(collection_, object_with(step.record), Priority::lease), &step.record);
      break;
    case Kind::update:
      take(sent_at, client_.put(path_, object_with(step.record), Priority::lease), &step.record);
      break;
  }
  return sent_at;
}

void LeaseSteps::take(Duration sent_at, const ApiResult<std::string>& answer, const LeaseRecord* written) {
  last_failure_.reset();
  if (!answer) {
    if (written == nullptr && answer.error().failure == Failure::not_found) {
      election_.on_read(now_(), std::nullopt);
      return;
    }
    last_failure_ = answer.error();
    election_.on_failure(now_(), answer.error().failure);
    return;
  }
  const json object = net::parse_json(*answer);
  if (net::text_at(object, "metadata", "resourceVersion").empty()) {
    last_failure_ = ApiError{.failure = Failure::server,
                             .status = 200,
                             .message = cat(client_.connection().description, ": the answer is no Lease")};
    election_.on_failure(now_(), Failure::server);
    return;
  }
  object_ = *answer;
  if (written != nullptr) {
    election_.on_written(sent_at, *written);
  } else {
    election_.on_read(now_(), record_of(object));
  }
}

void LeaseSteps::release() {
  // When it fails, others wait until it expires.
  const auto record = election_.release(now_(), wall_());
  if (!record) return;
  [[maybe_unused]] const auto released = client_.put(path_, object_with(*record), Priority::lease);
}

// ---- the thread ----

struct LeaseElector::Impl {
  Client client;
  LeaseSettings settings;
  LeaseSteps steps;
  std::atomic<std::int64_t> write_until_ns = INT64_MIN;
  mutable std::mutex mutex;  // of the failure
  std::optional<ApiError> failure;
  std::jthread thread;

  Impl(Client the_client, LeaseSettings the_settings, RandomStream random)
      : client(std::move(the_client)),
        settings(std::move(the_settings)),
        steps(client, settings, random, os::boot_now, [] { return os::RealClock().now(); }) {
    thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Impl() {
    thread.request_stop();
    thread.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const Duration again = steps.step();
      publish();
      const Duration wait = again - os::boot_now();
      if (wait > Duration{}) os::pause(stop, wait);
    }
    write_until_ns = INT64_MIN;
    steps.release();
  }

  void publish() {
    const auto renewed = steps.election().renewed_at();
    write_until_ns = renewed ? (*renewed + settings.renew_deadline).count() : INT64_MIN;
    const std::scoped_lock lock(mutex);
    failure = steps.last_failure();
  }
};

LeaseElector::LeaseElector(Client client, LeaseSettings settings, RandomStream random)
    : impl_(std::make_unique<Impl>(std::move(client), std::move(settings), random)) {}

LeaseElector::~LeaseElector() = default;

bool LeaseElector::may_write() const { return os::boot_now().count() < impl_->write_until_ns; }

std::optional<ApiError> LeaseElector::last_failure() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->failure;
}

}  // namespace mpca::kube
