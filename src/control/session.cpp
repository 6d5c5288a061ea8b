#include "control/session.h"

#include <algorithm>
#include <cmath>

#include "control/cluster_watch.h"
#include "core/os/real_clock.h"
#include "core/os/time_zone.h"
#include "core/state_text.h"
#include "core/text.h"

namespace mpca::control {
namespace {

using config::ConditionStatus;
using config::Mode;

constexpr Duration kKnownOffsets = std::chrono::hours(24 * 365 * 5);
constexpr std::string_view kController = "mpc.dev/autoscaler";
constexpr double kShownLevel = 0.97;  // of the forecast in status

std::string_view reason_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::forbidden:
      return "Forbidden";
    case Trouble::not_found:
      return "TargetNotFound";
    default:
      return "FailedGetScale";
  }
}

}  // namespace

Duration phase_of(std::string_view uid, Duration interval) {
  constexpr int kParts = 10'000;
  return interval / kParts * static_cast<int>(stable_hash(uid) % kParts);
}

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::read:
      return "read";
    case Stage::load:
      return "load";
    case Stage::decide:
      return "decide";
    case Stage::record:
      return "record";
    case Stage::write:
      return "write";
    case Stage::status:
      return "status";
    case Stage::save:
      break;
  }
  return "save";
}

template <class Work>
auto Session::timed(Stage stage, Work work) {
  struct Stopwatch {
    const Session& session;
    Stage stage;
    Duration began = os::monotonic_now();
    ~Stopwatch() { session.environment_.took(stage, os::monotonic_now() - began); }
  };
  const Stopwatch stopwatch{*this, stage};
  return work();
}

/// The load of this object, by the tools of the thread.
class Session::BoundLoad final : public LiveMetrics {
 public:
  BoundLoad(Session& session, LoadReader& load, const std::vector<PodAddress>& addresses)
      : session_(session), load_(load), addresses_(addresses) {}
  LiveReading read(int ready_replicas) override {
    return session_.timed(Stage::load, [&] {
      return load_.read({.key = session_.object_.uid,
                         .source = session_.object_.load,
                         .target = session_.workload_->target(),
                         .addresses = addresses_,
                         .ready_replicas = ready_replicas,
                         .period = session_.object_.workload.period});
    });
  }

 private:
  Session& session_;
  LoadReader& load_;
  const std::vector<PodAddress>& addresses_;
};

Session::Session(const SessionEnvironment& environment, config::AutoscalerObject object,
                 std::optional<std::string> problem)
    : environment_(environment), events_(std::string(kController), environment.instance) {
  if (!object.status.empty())
    if (auto before = config::parse_status(object.status)) status_ = *std::move(before);
  update(std::move(object), std::move(problem));
}

void Session::update(config::AutoscalerObject object, std::optional<std::string> problem) {
  const bool is_new = key_.empty();
  problem_ = std::move(problem);
  if (problem_ && !is_new) {
    // What was learned belongs to the spec before, which most probably comes back when the slip is mended.
    object_.uid = std::move(object.uid);
    object_.resource_version = std::move(object.resource_version);
    object_.generation = object.generation;
    object_.is_paused = object.is_paused;
    object_.is_deleted = object.is_deleted;
    return;
  }
  const config::AutoscalerObject before = std::exchange(object_, std::move(object));
  object_.status.clear();  // it was read once; from here on we are who writes it
  key_ = cat(object_.namespace_name, "/", object_.name);
  if (problem_) return;
  const bool is_other_target = is_new || before.target_api_version != object_.target_api_version ||
                               before.target_kind != object_.target_kind || before.target_name != object_.target_name;
  if (is_other_target || workload_ == nullptr) {
    const TargetRef target{.api_version = object_.target_api_version,
                           .kind = object_.target_kind,
                           .namespace_name = object_.namespace_name,
                           .name = object_.target_name};
    workload_ = std::make_unique<CachedWorkload>(target, environment_.index, ClusterWatch::covers(target));
    policy_.reset();
  }
  if (is_other_target || step_ == nullptr || before.time_zone != object_.time_zone || before.load != object_.load) {
    UtcOffsets offsets;
    const TimePoint now = environment_.clock.now();
    if (const auto zone = os::find_time_zone(object_.time_zone)) offsets = zone->offsets(now, now + kKnownOffsets);
    step_ = std::make_unique<LiveStep>(object_.load.stale_after, std::move(offsets));
  }
  if (is_other_target || object_.mode != Mode::shadow) books_.reset();
  if (object_.mode == Mode::shadow && books_ == nullptr)
    books_ = std::make_unique<policy::ShadowBooks>(object_.workload);
  if (policy_ == nullptr || before.policy != object_.policy || before.workload != object_.workload)
    make_policy(policy_ != nullptr ? policy_->save_state() : std::string());
}

/// With what was learned, as far as the policy of today can take it over.
void Session::make_policy(const std::string& memory) {
  auto made = policy::create_policy(object_.policy, object_.workload, key_);
  if (!made) {
    problem_ = made.error().message;
    return;
  }
  policy_ = *std::move(made);
  if (memory.empty()) return;
  if (const auto loaded = policy_->load_state(memory); !loaded)
    environment_.log(cat(key_, ": begins to learn anew: ", loaded.error().message));
}

bool Session::load_memory(const SessionTools& tools, int term) {
  if (term == term_) return true;
  const auto saved = timed(Stage::save, [&] { return environment_.states.load(tools.client, object_.uid); });
  if (!saved) {
    say("ScalingActive", ConditionStatus::no, "FailedLoadState", saved.error().message);
    return false;
  }
  term_ = term;
  if (!*saved) return true;
  const Result<std::string>& state = **saved;
  const auto reader = state ? StateReader::open(*state, "session", 1) : std::unexpected(state.error());
  const auto pods = reader ? workload_->numbers().load(*reader) : std::unexpected(reader.error());
  const auto memory = reader ? reader->state("policy") : std::unexpected(reader.error());
  if (!pods || !memory) {
    environment_.log(cat(key_, ": begins to learn anew: ", (!pods ? pods.error() : memory.error()).message));
    return true;
  }
  make_policy(*memory);
  if (books_ != nullptr && reader->has("books"))
    if (const auto books = reader->state("books"))
      if (const auto loaded = books_->load_state(*books); !loaded)
        environment_.log(cat(key_, ": the books of the shadow begin anew: ", loaded.error().message));
  return true;
}

std::string Session::memory() const {
  StateWriter writer("session", 1);
  writer.put_state("policy", policy_->save_state());
  if (books_ != nullptr) {
    writer.put("books", std::int64_t{1});
    writer.put_state("books", books_->save_state());
  }
  workload_->numbers().save(writer);
  return writer.take();
}

PeriodResult Session::run_period(const SessionTools& tools, int term) {
  status_.observed_generation = object_.generation;
  if (problem_) {
    say("Ready", ConditionStatus::no, "InvalidSpec", *problem_);
    say("ScalingActive", ConditionStatus::no, "InvalidSpec", "the object is not understood, see the condition Ready");
    say("Acting", ConditionStatus::no, "InvalidSpec", "the replicas stay as they are");
    write_status(tools);
    return PeriodResult::no_decision;
  }
  say("Ready", ConditionStatus::yes, "Understood", "the object was read");
  const Acting acting = this->acting();
  say("Acting", acting.is_allowed ? ConditionStatus::yes : ConditionStatus::no, acting.reason, acting.message);
  if (object_.mode == Mode::off) {
    say("ScalingActive", ConditionStatus::no, "ScalingDisabled", "the mode is Off");
    write_status(tools);
    return PeriodResult::off;
  }
  workload_->use(tools.client);
  if (!load_memory(tools, term)) {
    write_status(tools);
    return PeriodResult::no_decision;
  }
  BoundLoad load(*this, tools.load, step_->view().addresses);
  const auto seen = timed(Stage::read, [&] { return step_->observe(*workload_, load, environment_.clock); });
  if (!seen) {
    say("AbleToScale", ConditionStatus::no, reason_of(seen.error().trouble), seen.error().message);
    tell(tools, true, reason_of(seen.error().trouble), "GetScale", seen.error().message);
    write_status(tools);
    return PeriodResult::no_decision;
  }
  status_.current_replicas = seen->spec_replicas;
  status_.ready_replicas = seen->ready_replicas;
  if (seen->spec_replicas == 0) {
    // Who has set zero meant it; the HPA leaves such a target alone, too.
    say("AbleToScale", ConditionStatus::yes, "SucceededGetScale", "the target's replicas were read");
    say("ScalingActive", ConditionStatus::no, "ScalingDisabled", "the target is set to zero replicas");
    write_status(tools);
    return PeriodResult::off;
  }
  decide(tools, *seen);
  write_status(tools);
  save_if_due(tools);
  return PeriodResult::decided;
}

void Session::decide(const SessionTools& tools, const policy::Observation& seen) {
  runlog::DecisionLogHeader header;
  std::string state;
  if (environment_.recorder != nullptr) {
    header = {.policy = object_.policy,
              .workload = object_.workload,
              .world = "live",
              .trace = key_,
              .program = environment_.program};
    if (environment_.recorder->wants_state(key_, header, seen.now)) state = policy_->save_state();
  }
  const policy::Decision decision = timed(Stage::decide, [&] { return policy_->decide(seen); });
  has_decided_ = true;
  // Before anything is done about it: what was decided is known even if the controller dies in the middle.
  if (environment_.recorder != nullptr) {
    const auto recorded =
        timed(Stage::record, [&] { return environment_.recorder->record(key_, header, state, {seen, decision}); });
    if (!recorded && !is_unrecorded_)
      environment_.log(cat(key_, ": decisions are not recorded: ", recorded.error().message));
    is_unrecorded_ = !recorded;
  }
  Applied applied{.replicas = seen.spec_replicas, .trouble = std::nullopt, .message = {}};
  if (decision.replicas != seen.spec_replicas && acting().is_allowed) {
    applied = timed(Stage::write, [&] {
      return step_->carry_out(decision.replicas, *workload_, environment_.clock, environment_.may_write);
    });
  }
  describe(seen, decision, applied);
  keep_books(seen, decision);
  if (applied.trouble) {
    const std::string note = cat("could not set ", decision.replicas, " replicas: ", applied.message);
    environment_.log(cat(key_, ": ", note));
    tell(tools, true, "FailedRescale", "Rescale", note);
  } else if (applied.replicas != seen.spec_replicas) {
    environment_.log(cat(key_, ": ", status_.decision));
    tell(tools, false, "SuccessfulRescale", "Rescale", status_.decision);
  }
}

void Session::describe(const policy::Observation& seen, const policy::Decision& decision, const Applied& applied) {
  const policy::Explanation& why = decision.explanation;
  status_.desired_replicas = decision.replicas;
  status_.current_replicas = applied.replicas;
  status_.demand_rps = why.demand_rps;
  status_.last_decision = seen.now;
  if (applied.replicas != seen.spec_replicas) status_.last_scale = seen.now;
  status_.decision = policy::explanation_sentence(seen, decision);
  status_.readiness_lag_s = policy::named_value(why, "readiness_lag_s");
  status_.capacity_rps = policy::named_value(why, "capacity_rps");
  status_.forecast.clear();
  for (const policy::ForecastPoint& point : why.forecast)
    if (point.level == 0.5 || std::abs(point.level - kShownLevel) < 1e-9)
      status_.forecast.push_back({.lead_time = point.lead_time, .level = point.level, .demand_rps = point.demand_rps});

  if (applied.trouble) {
    say("AbleToScale", ConditionStatus::no, "FailedUpdateScale", applied.message);
  } else if (applied.replicas != seen.spec_replicas) {
    say("AbleToScale", ConditionStatus::yes, "SucceededRescale", cat("the target was set to ", applied.replicas));
  } else {
    say("AbleToScale", ConditionStatus::yes, "ReadyForNewScale", "the target's replicas were read");
  }
  if (seen.served_rate_rps.quality == policy::Quality::fresh) {
    say("ScalingActive", ConditionStatus::yes, "ValidMetricFound", "the load was read");
  } else {
    const std::string& trouble = step_->metrics_trouble();
    say("ScalingActive", ConditionStatus::no, "FailedGetMetrics", trouble.empty() ? "the load is not known" : trouble);
  }
  const auto bounds = std::ranges::find(why.guards, "bounds", &policy::GuardStep::guard);
  if (bounds == why.guards.end()) {
    say("ScalingLimited", ConditionStatus::no, "DesiredWithinRange", "what is wanted lies between the bounds");
  } else if (bounds->before > bounds->after) {
    say("ScalingLimited", ConditionStatus::yes, "TooManyReplicas",
        cat("what is wanted is more than the maximum of ", object_.workload.max_replicas));
  } else {
    say("ScalingLimited", ConditionStatus::yes, "TooFewReplicas",
        cat("what is wanted is less than the minimum of ", object_.workload.min_replicas));
  }
}

void Session::keep_books(const policy::Observation& seen, const policy::Decision& decision) {
  status_.shadow.reset();
  if (books_ == nullptr) return;
  books_->observe(seen, decision);
  const policy::ShadowFigures& figures = books_->figures();
  status_.shadow = {.since = figures.since,
                    .replica_hours = figures.replica_hours,
                    .would_be_replica_hours = figures.would_be_replica_hours,
                    .late_share = figures.late_share(),
                    .would_be_late_share = figures.would_be_late_share()};
}

Session::Acting Session::acting() const {
  if (object_.mode != Mode::automatic)
    return {.reason = cat("Mode", name_of(object_.mode)),
            .message = cat("the mode is ", name_of(object_.mode), "; Auto acts")};
  if (object_.is_deleted) return {.reason = "Deleted", .message = "the object is being deleted"};
  if (object_.is_paused)
    return {.reason = "Paused", .message = cat("the annotation ", config::kPausedAnnotation, " is true")};
  if (const auto others = environment_.index.others_of(workload_->target()); !others.empty()) {
    const OtherAutoscaler& other = others.front();
    return {.reason = "AnotherAutoscaler",
            .message = cat("HorizontalPodAutoscaler ", other.name,
                           other.owner_kind.empty() ? "" : cat(" of a ", other.owner_kind),
                           " scales the same target; delete it, or use the mode Shadow")};
  }
  if (environment_.has_rival(object_))
    return {.reason = "AnotherAutoscaler",
            .message = "another PredictiveAutoscaler has the same target; none of them acts"};
  if (!environment_.may_apply()) return {.reason = "DryRun", .message = "the controller runs without --apply"};
  return {.is_allowed = true, .reason = "Acting", .message = "decisions are carried out"};
}

std::string Session::acting_reason() const {
  const auto found = std::ranges::find(status_.conditions, "Acting", &config::Condition::type);
  return found == status_.conditions.end() ? std::string() : found->reason;
}

void Session::say(std::string_view type, ConditionStatus status, std::string_view reason, std::string message) {
  const auto place = std::ranges::lower_bound(status_.conditions, type, {}, &config::Condition::type);
  const TimePoint now = environment_.clock.now();
  if (place == status_.conditions.end() || place->type != type) {
    status_.conditions.insert(place, {.type = std::string(type),
                                      .status = status,
                                      .reason = std::string(reason),
                                      .message = std::move(message),
                                      .last_transition = now});
    return;
  }
  if (place->status != status) place->last_transition = now;
  place->status = status;
  place->reason = reason;
  place->message = std::move(message);
}

bool Session::may_tell(const TellingPause& pause) const {
  return environment_.has_room() && pause.is_over(environment_.clock.now());
}

void Session::tell(const SessionTools& tools, bool is_warning, std::string_view reason, std::string_view action,
                   std::string note) {
  if (is_warning && !may_tell(*environment_.status_pause)) return;  // it comes again with the next period
  const auto told = events_.record(tools.client,
                                   {.regarding = {.api_version = std::string(config::kAutoscalerApiVersion),
                                                  .kind = std::string(config::kAutoscalerKind),
                                                  .namespace_name = object_.namespace_name,
                                                  .name = object_.name,
                                                  .uid = object_.uid},
                                    .is_warning = is_warning,
                                    .reason = std::string(reason),
                                    .action = std::string(action),
                                    .note = std::move(note)},
                                   environment_.clock.now());
  if (!told) environment_.log(cat(key_, ": an event was not written: ", told.error().message));
}

std::string Session::gist() const {
  std::string text = cat(status_.observed_generation, " ", status_.desired_replicas, " ", status_.current_replicas, " ",
                         status_.ready_replicas);
  for (const config::Condition& each : status_.conditions)
    text += cat(";", each.type, " ", static_cast<int>(each.status), " ", each.reason);
  return text;
}

/// At once when something is said that was not before, else now and then.
void Session::write_status(const SessionTools& tools) {
  const TimePoint now = environment_.clock.now();
  std::string gist = this->gist();
  const bool is_news = !status_at_ || gist != written_gist_;
  if (!is_news && now - *status_at_ < environment_.status_interval) return;
  // In a trouble of all objects, telling must not keep the threads from deciding: news wait for their turn.
  if (!environment_.may_write() || !may_tell(*environment_.status_pause)) return;
  const std::string path = kube::object_path(config::kAutoscalerApiVersion, object_.namespace_name,
                                             config::kAutoscalerResource, object_.name);
  const auto written = timed(Stage::status, [&] {
    return tools.client.apply_status(path, "mpc-autoscaler", config::status_apply_body(object_, status_));
  });
  status_at_ = now;
  environment_.status_pause->note(written, environment_.clock.now());
  if (!written) {
    environment_.log(cat(key_, ": status was not written: ", written.error().message));
    return;
  }
  written_gist_ = std::move(gist);
}

void Session::save_if_due(const SessionTools& tools) {
  const TimePoint now = environment_.clock.now();
  if (!saved_at_) saved_at_ = now - environment_.save_interval + phase_of(object_.uid, environment_.save_interval);
  if (now - *saved_at_ >= environment_.save_interval && may_tell(*environment_.save_pause)) save(tools);
}

void Session::save(const SessionTools& tools) {
  if (!has_decided_ || policy_ == nullptr || !environment_.states.is_on() || !environment_.may_write()) return;
  saved_at_ = environment_.clock.now();
  const auto saved = timed(Stage::save, [&] { return environment_.states.save(tools.client, object_, memory()); });
  environment_.save_pause->note(saved, environment_.clock.now());
  if (saved) {
    has_decided_ = false;
  } else {
    environment_.log(cat(key_, ": what was learned was not saved: ", saved.error().message));
  }
}

}  // namespace mpca::control
