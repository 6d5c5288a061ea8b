#include "control/controller.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/json.h"

namespace mpca::control {
namespace {

constexpr Duration kLongestSleep =
    std::chrono::milliseconds(200);  // a stop and the lease are heard at least this often

/// What is compared to find who has the same target: any version of an API shows the same objects.
TargetRef target_of(const config::AutoscalerObject& object) {
  const std::size_t slash = object.target_api_version.find('/');
  return {.api_version = slash == std::string::npos ? std::string() : object.target_api_version.substr(0, slash),
          .kind = object.target_kind,
          .namespace_name = object.namespace_name,
          .name = object.target_name};
}

/// What can be known of an object whose spec is not understood: its metadata, and what its status said.
config::AutoscalerObject unreadable(const kube::Change& change) {
  config::AutoscalerObject object;
  object.namespace_name = change.namespace_name;
  object.name = change.name;
  object.uid = change.uid;
  const auto read = net::parse_json(change.object);
  object.resource_version = net::text_at(read, "metadata", "resourceVersion");
  object.is_deleted = !net::text_at(read, "metadata", "deletionTimestamp").empty();
  object.generation = net::integer_at(read, "metadata", "generation").value_or(object.generation);
  object.is_paused = net::text_at(read, "metadata", "annotations", config::kPausedAnnotation.data()) == "true";
  if (const auto& status = net::json_at(read, "status"); status.is_object() && !status.empty())
    object.status = net::json_text(status);
  return object;
}

}  // namespace

Controller::Controller(SessionEnvironment environment, MakeWorker make_worker,
                       std::function<std::optional<std::string>()> blindness,
                       std::function<void(const std::string&)> on_removed)
    : environment_(std::move(environment)),
      make_worker_(std::move(make_worker)),
      blindness_(std::move(blindness)),
      on_removed_(std::move(on_removed)) {
  environment_.has_rival = [this](const config::AutoscalerObject& object) { return has_rival(object); };
}

// ---- objects come and go ----

void Controller::on_object(const kube::Change& change) {
  const std::string key = cat(change.namespace_name, "/", change.name);
  if (change.kind == kube::Change::Kind::deleted) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    if (found->second.running_since) {
      found->second.is_removed = true;
    } else {
      erase(key);
    }
    return;
  }
  auto parsed = config::parse_autoscaler(change.object, key);
  Object object;
  if (parsed) {
    object.first = *std::move(parsed);
  } else {
    object.first = unreadable(change);
    object.second = parsed.error().message;
  }
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[key];
  const bool is_new = entry.uid.empty();
  if (!is_new && entry.uid != change.uid) {
    // Deleted and made again while its period ran: another object, which inherits nothing.
    removed_.push_back(entry.uid);
    on_removed_(entry.uid);
    entry.session.reset();
    entry.summary = {};
  }
  entry.uid = change.uid;
  entry.is_removed = false;
  set_target(key, entry, object.second ? std::nullopt : std::optional(target_of(object.first)));
  const Duration now = os::monotonic_now();
  entry.update = std::move(object);
  // A new object's first word comes soon; later ones at its phase.
  if (is_new) put_in_line(key, entry, now);
  wake_.notify_one();
}

void Controller::erase(const std::string& key) {
  Entry& entry = entries_.at(key);
  take_out_of_line(key, entry);
  set_target(key, entry, std::nullopt);
  removed_.push_back(entry.uid);
  on_removed_(entry.uid);
  entries_.erase(key);
}

void Controller::set_target(const std::string& key, Entry& entry, std::optional<TargetRef> target) {
  if (entry.target) {
    auto& keys = by_target_[*entry.target];
    keys.erase(key);
    if (keys.empty()) by_target_.erase(*entry.target);
  }
  if (target) by_target_[*target].insert(key);
  entry.target = std::move(target);
}

bool Controller::has_rival(const config::AutoscalerObject& object) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_target_.find(target_of(object));
  return found != by_target_.end() && found->second.size() > 1;
}

// ---- the line ----

void Controller::put_in_line(const std::string& key, Entry& entry, Duration due) {
  take_out_of_line(key, entry);
  entry.due = due;
  line_.emplace(due, key);
}

void Controller::take_out_of_line(const std::string& key, Entry& entry) {
  if (entry.due) line_.erase({*entry.due, key});
  entry.due.reset();
}

/// What was saved by whoever led before is loaded by each session's first period of the term.
void Controller::begin_term(Duration now) {
  is_leading_ = true;
  last_end_ = now;
  if (!std::exchange(has_term_, true)) {
    ++term_;
    looks_for_orphans_ = environment_.sees_all_objects;
  }
  for (auto& [key, entry] : entries_) {
    if (entry.running_since) continue;
    const Duration period = entry.session ? entry.session->object().workload.period : Duration::zero();
    put_in_line(key, entry, now + phase_of(entry.uid, period));
  }
}

std::optional<Controller::Job> Controller::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const Duration now = os::monotonic_now();
  const bool may_write = environment_.may_write();
  const auto blindness = may_write ? blindness_() : std::nullopt;
  if (!may_write || blindness) {
    if (is_leading_ && blindness) environment_.log(cat("nothing is decided: ", *blindness));
    has_term_ = has_term_ && may_write;
    is_leading_ = false;
    wake_.wait_for(lock, stop, kLongestSleep, [] { return false; });
    return std::nullopt;
  }
  if (!is_leading_) {
    if (has_term_) environment_.log("the cluster is known again: deciding goes on");
    begin_term(now);
  }
  if (line_.empty() || line_.begin()->first > now) {
    const Duration sleep = line_.empty() ? kLongestSleep : std::min(kLongestSleep, line_.begin()->first - now);
    wake_.wait_for(lock, stop, sleep, [&] { return !line_.empty() && line_.begin()->first <= os::monotonic_now(); });
    return std::nullopt;
  }
  const std::string key = line_.begin()->second;
  Entry& entry = entries_.at(key);
  take_out_of_line(key, entry);
  entry.due = std::nullopt;
  entry.running_since = now;
  return Job{.key = key, .session = entry.session, .update = std::exchange(entry.update, std::nullopt), .term = term_};
}

void Controller::finish(const Job& job, PeriodResult result) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_.at(job.key);
  const Duration began = *std::exchange(entry.running_since, std::nullopt);
  if (entry.is_removed) {
    erase(job.key);
    return;
  }
  const Session& session = *job.session;
  const Duration period = session.object().workload.period;
  // Instants lie at the object's phase; the one that this period took the place of is not repeated.
  const Duration phase = phase_of(entry.uid, period);
  const Duration now = os::monotonic_now();
  last_end_ = now;
  const std::int64_t next = (now - phase) / period + 1;
  figures_.skipped += std::max<std::int64_t>(next - (began - phase) / period - 1, 0);
  put_in_line(job.key, entry, phase + period * next);
  if (result == PeriodResult::decided) ++figures_.decided;
  if (result == PeriodResult::no_decision) ++figures_.without_decision;
  const config::AutoscalerStatus& status = session.status();
  entry.summary = {.namespace_name = session.object().namespace_name,
                   .name = session.object().name,
                   .mode = session.object().mode,
                   .is_acting = session.acting_reason() == "Acting",
                   .current_replicas = status.current_replicas,
                   .ready_replicas = status.ready_replicas,
                   .desired_replicas = status.desired_replicas,
                   .demand_rps = status.demand_rps,
                   .shadow = status.shadow,
                   .last_decision = status.last_decision,
                   .period = period};
}

// ---- the threads ----

void Controller::run(const std::stop_token& stop, int workers, Duration patience) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back([this, &stop] { work(stop); });
  }
  save_all(workers, patience);
}

void Controller::work(const std::stop_token& stop) {
  const std::unique_ptr<Worker> worker = make_worker_();
  const SessionTools tools = worker->tools();
  while (!stop.stop_requested()) {
    auto job = take(stop);
    if (!job) {
      forget_states(tools);
      continue;
    }
    if (job->session == nullptr) {
      job->session = std::make_shared<Session>(environment_, job->update->first, job->update->second);
      const std::scoped_lock lock(mutex_);
      if (Entry& entry = entries_.at(job->key); entry.uid == job->session->object().uid) entry.session = job->session;
    } else if (job->update) {
      job->session->update(std::move(job->update->first), std::move(job->update->second));
    }
    finish(*job, job->session->run_period(tools, job->term));
  }
}

/// Whoever has nothing else to do.
void Controller::forget_states(const SessionTools& tools) {
  std::vector<std::string> uids;
  std::set<std::string> known;
  bool looks = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!is_leading_ || (removed_.empty() && !looks_for_orphans_)) return;
    uids = std::exchange(removed_, {});
    looks = std::exchange(looks_for_orphans_, false);
    for (const auto& [key, entry] : entries_) known.insert(entry.uid);
  }
  if (looks) {
    const auto saved = environment_.states.saved(tools.client);
    if (saved) {
      for (const std::string& uid : *saved)
        if (!known.contains(uid)) uids.push_back(uid);
    } else {
      environment_.log(cat("saved states of objects that are gone were not looked for: ", saved.error().message));
    }
  }
  for (const std::string& uid : uids)
    if (const auto removed = environment_.states.remove(tools.client, uid); !removed)
      environment_.log(cat("a saved state was not removed: ", removed.error().message));
}

void Controller::save_all(int workers, Duration patience) {
  std::vector<std::shared_ptr<Session>> sessions;  // the watches go on: an object may go while it is saved
  {
    const std::scoped_lock lock(mutex_);
    for (auto& [key, entry] : entries_)
      if (entry.session) sessions.push_back(entry.session);
  }
  const Duration end = os::monotonic_now() + patience;
  std::atomic<std::size_t> next = 0;
  const auto save = [&] {
    const std::unique_ptr<Worker> worker = make_worker_();
    for (std::size_t i = next++; i < sessions.size() && os::monotonic_now() < end; i = next++)
      sessions[i]->save(worker->tools());
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < std::min<int>(workers, static_cast<int>(sessions.size())); ++i) threads.emplace_back(save);
}

// ---- what is told ----

std::vector<SessionSummary> Controller::summaries() const {
  std::vector<SessionSummary> summaries;
  const std::scoped_lock lock(mutex_);
  for (const auto& [key, entry] : entries_)
    if (!entry.summary.name.empty()) summaries.push_back(entry.summary);
  return summaries;
}

std::optional<SessionSummary> Controller::summary(const std::string& namespace_name, const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(cat(namespace_name, "/", name));
  return found == entries_.end() ? std::nullopt : std::optional(found->second.summary);
}

ControllerFigures Controller::figures() const {
  const std::scoped_lock lock(mutex_);
  ControllerFigures figures = figures_;
  const Duration now = os::monotonic_now();
  figures.is_leading = is_leading_;
  if (is_leading_ && !line_.empty()) figures.overdue = std::max(now - line_.begin()->first, Duration::zero());
  if (is_leading_) figures.since_last_end = now - last_end_;
  for (const auto& [key, entry] : entries_)
    if (entry.running_since) figures.longest_running = std::max(figures.longest_running, now - *entry.running_since);
  return figures;
}

bool Controller::is_leading() const {
  const std::scoped_lock lock(mutex_);
  return is_leading_;
}

}  // namespace mpca::control
