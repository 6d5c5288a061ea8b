// One PredictiveAutoscaler under control: its policy with its memory, its workload, its status. A period reads,
// decides, records, acts if that is allowed, and tells; what is missing for acting is always said in the condition
// Acting.
//
// Not thread safe; one thread at a time runs its periods, with the tools of that thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/predictive_autoscaler.h"
#include "control/cached_workload.h"
#include "control/live_step.h"
#include "control/load_reader.h"
#include "control/saved_states.h"
#include "control/telling_pause.h"
#include "core/clock.h"
#include "kube/events.h"
#include "policy/policy.h"
#include "policy/shadow_books.h"
#include "runlog/flight_recorder.h"

namespace mpca::control {

/// What a period's time goes into.
enum class Stage { read, load, decide, record, write, status, save };
inline constexpr Stage kStages[] = {Stage::read,  Stage::load,   Stage::decide, Stage::record,
                                    Stage::write, Stage::status, Stage::save};
std::string_view name_of(Stage stage);

/// What all sessions of a process share. The references outlive them.
struct SessionEnvironment {
  const ClusterIndex& index;
  const SavedStates& states;
  Clock& clock;
  std::function<bool()> may_write;                                 // this process leads, now
  std::function<bool()> may_apply;                                 // the process is allowed to act at all (--apply)
  std::function<bool()> has_room;                                  // the API server may be asked for what can also wait
  std::function<bool(const config::AutoscalerObject&)> has_rival;  // another object has its target
  runlog::FlightRecorder* recorder = nullptr;                      // may be none
  std::string program;                                             // its version, for the record
  std::function<void(Stage, Duration)> took;                       // of any thread
  std::function<void(const std::string&)> log;                     // a line for people, of any thread
  std::string instance;                                            // this process, in events
  Duration status_interval = std::chrono::minutes(1);              // between status writes when only numbers move
  Duration save_interval = std::chrono::minutes(15);
  std::shared_ptr<TellingPause> status_pause = std::make_shared<TellingPause>();
  std::shared_ptr<TellingPause> save_pause = std::make_shared<TellingPause>();
  /// All objects of the cluster are watched. Else what an unknown object has saved may be that of another controller.
  bool sees_all_objects = true;
};

/// When what an object does every `interval` comes, within it: each at a moment of its own, the same on each machine.
Duration phase_of(std::string_view uid, Duration interval);

/// Of one thread.
struct SessionTools {
  kube::Client& client;
  LoadReader& load;
};

enum class PeriodResult { decided, no_decision, off };

class Session {
 public:
  /// Knows its object, which may be unreadable: then it says so and does nothing else.
  Session(const SessionEnvironment& environment, config::AutoscalerObject object, std::optional<std::string> problem);

  /// The object as it is now. The policy keeps what it has learned as far as the new one can take it over. Of one with
  /// a problem only the metadata count: the spec before is kept, and nothing is decided until it can be read again.
  void update(config::AutoscalerObject object, std::optional<std::string> problem);

  /// Of the first period of a term, what was saved is loaded first: when that fails for another reason than that there
  /// is none, nothing is decided, since what is learned anew would be written over it.
  ///   term   counts up each time that this process begins to lead
  PeriodResult run_period(const SessionTools& tools, int term);

  /// Writes the memory now, if it has decided since the last time.
  void save(const SessionTools& tools);

  const config::AutoscalerObject& object() const { return object_; }
  const config::AutoscalerStatus& status() const { return status_; }
  /// Why it does not act; `Acting` when it does.
  std::string acting_reason() const;

 private:
  struct Acting {
    bool is_allowed = false;
    std::string reason, message;
  };
  class BoundLoad;

  void make_policy(const std::string& memory);
  bool load_memory(const SessionTools& tools, int term);
  std::string memory() const;
  Acting acting() const;
  void say(std::string_view type, config::ConditionStatus status, std::string_view reason, std::string message);
  void tell(const SessionTools& tools, bool is_warning, std::string_view reason, std::string_view action,
            std::string note);
  void decide(const SessionTools& tools, const policy::Observation& seen);
  void describe(const policy::Observation& seen, const policy::Decision& decision, const Applied& applied);
  void keep_books(const policy::Observation& seen, const policy::Decision& decision);
  /// What of the status is news when it changes.
  std::string gist() const;
  /// Whether what can wait is told to the API server now.
  bool may_tell(const TellingPause& pause) const;
  void write_status(const SessionTools& tools);
  void save_if_due(const SessionTools& tools);
  template <class Work>
  auto timed(Stage stage, Work work);

  const SessionEnvironment& environment_;
  config::AutoscalerObject object_;
  std::optional<std::string> problem_;
  std::string key_;  // namespace/name
  std::unique_ptr<policy::Policy> policy_;
  std::unique_ptr<CachedWorkload> workload_;
  std::unique_ptr<LiveStep> step_;
  std::unique_ptr<policy::ShadowBooks> books_;  // in mode Shadow
  kube::EventRecorder events_;

  int term_ = -1;
  bool has_decided_ = false;    // since the last save
  bool is_unrecorded_ = false;  // the last decision is
  std::optional<TimePoint> saved_at_, status_at_;
  config::AutoscalerStatus status_;
  std::string written_gist_;  // of the status that the object has
};

}  // namespace mpca::control
