// Many workloads in one process: each object's periods come at a phase of their own, so that the API server and the
// metrics see a steady trickle; a handful of threads runs what is due. Only the process that leads decides; the others
// keep their caches warm and begin, with what was saved, when they get the lease.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "control/session.h"
#include "kube/watch.h"

namespace mpca::control {

/// Of one object, as of its last period.
struct SessionSummary {
  std::string namespace_name, name;
  config::Mode mode = config::Mode::recommend;
  bool is_acting = false;
  int current_replicas = 0, ready_replicas = 0, desired_replicas = 0;
  std::optional<double> demand_rps;
  std::optional<config::ShadowStatus> shadow;
  std::optional<TimePoint> last_decision;  // of `desired_replicas`
  Duration period{};
};

struct ControllerFigures {
  std::int64_t decided = 0, without_decision = 0, skipped = 0;  // periods; skipped ones were never begun
  Duration overdue{};          // of the object that waits longest for a period that is due
  Duration longest_running{};  // of the periods that run now
  Duration since_last_end{};   // since a period ended, or since it began to lead, whichever is later
  bool is_leading = false;
};

class Controller {
 public:
  /// What a thread needs for itself; made in that thread.
  class Worker {
   public:
    virtual ~Worker() = default;
    virtual SessionTools tools() = 0;
  };
  using MakeWorker = std::function<std::unique_ptr<Worker>()>;

  ///   environment   `has_rival` is set here
  ///   blindness     why the caches are not to be decided on; nothing is decided until it says nullopt
  ///   on_removed    told the uid of an object that has gone; any thread
  Controller(SessionEnvironment environment, MakeWorker make_worker,
             std::function<std::optional<std::string>()> blindness, std::function<void(const std::string&)> on_removed);
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  /// What the watch tells. Any thread.
  void on_object(const kube::Change& change);

  /// Until `stop`; then writes what was learned, for at most `patience`.
  ///   workers   >= 1 threads
  void run(const std::stop_token& stop, int workers, Duration patience);

  // Any thread.
  std::vector<SessionSummary> summaries() const;
  /// nullopt: there is no such object. Before its first period nothing is known but that.
  std::optional<SessionSummary> summary(const std::string& namespace_name, const std::string& name) const;
  ControllerFigures figures() const;
  bool is_leading() const;

 private:
  using Object = std::pair<config::AutoscalerObject, std::optional<std::string>>;  // with why it is not understood
  struct Entry {
    std::string uid;
    std::shared_ptr<Session> session;       // of the thread that runs it while `running_since` is set
    std::optional<Object> update;           // to be taken over before the next period
    std::optional<Duration> due;            // monotonic; not set: not in line
    std::optional<Duration> running_since;  // monotonic
    bool is_removed = false;                // while it ran
    std::optional<TargetRef> target;
    SessionSummary summary{};
  };
  struct Job {
    std::string key;
    std::shared_ptr<Session> session;
    std::optional<Object> update;
    int term = 0;
  };

  void work(const std::stop_token& stop);
  std::optional<Job> take(const std::stop_token& stop);
  void finish(const Job& job, PeriodResult result);
  void begin_term(Duration now);
  void put_in_line(const std::string& key, Entry& entry, Duration due);
  void take_out_of_line(const std::string& key, Entry& entry);
  void set_target(const std::string& key, Entry& entry, std::optional<TargetRef> target);
  void erase(const std::string& key);
  void forget_states(const SessionTools& tools);
  void save_all(int workers, Duration patience);
  bool has_rival(const config::AutoscalerObject& object) const;

  SessionEnvironment environment_;
  MakeWorker make_worker_;
  std::function<std::optional<std::string>()> blindness_;
  std::function<void(const std::string&)> on_removed_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable_any wake_;
  std::map<std::string, Entry> entries_;  // by namespace/name
  std::set<std::pair<Duration, std::string>> line_;
  std::map<TargetRef, std::set<std::string>> by_target_;
  std::vector<std::string> removed_;  // uids whose saved states are to go
  bool looks_for_orphans_ = false;    // saved states of objects that went while nobody led
  int term_ = 0;
  bool has_term_ = false;    // has led since the lease was last lost, and knows more than what was saved
  bool is_leading_ = false;  // and decides
  Duration last_end_{};      // monotonic; of a period, or when the term began
  ControllerFigures figures_;
};

}  // namespace mpca::control
