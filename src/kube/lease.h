// Which of several controllers acts: leader election on a Lease of coordination.k8s.io/v1, the protocol of client-go's
// leaderelection, so that ours and others' understand each other.
//
// Clocks are never compared. A record is timed by the local clock since boot from the moment it was seen to change: a
// foreign holder has expired when the record has not changed for its whole duration. So clocks may be wrong by any
// amount; they only have to run equally fast. The API has no fencing: whoever writes asks may_write() right before, and
// sends the resourceVersion that the decision is based on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/random.h"
#include "kube/client.h"

namespace mpca::kube {

struct LeaseSettings {
  std::string namespace_name;
  std::string name;
  std::string identity;                                // different for each process that ever ran
  Duration duration = std::chrono::seconds(15);        // others wait so long for a holder that is silent
  Duration renew_deadline = std::chrono::seconds(10);  // the holder stops so long after its last renewal
  Duration retry = std::chrono::seconds(2);
};

///   errors   invalid_argument  every problem: empty names, not duration > renew_deadline > 1.2 · retry
Result<void> check(const LeaseSettings& settings);

/// The spec of a Lease, as far as the election goes.
struct LeaseRecord {
  std::string holder{};
  int duration_s = 0;
  std::string acquire_time{}, renew_time{};  // for people
  int transitions = 0;
  bool operator==(const LeaseRecord&) const = default;
};

/// The election without its requests: says what to do next and is told what came of it. `now` is monotonic.
class Election {
 public:
  Election(LeaseSettings settings, RandomStream random);

  struct Step {
    enum class Kind { read, create, update, wait };
    Kind kind = Kind::wait;
    LeaseRecord record{};  // to create or update with the version last read
    Duration until{};      // to wait
  };
  /// `wall` only goes into the record.
  Step next(Duration now, TimePoint wall);

  /// nullopt: there is no such Lease.
  void on_read(Duration now, const std::optional<LeaseRecord>& record);
  void on_written(Duration sent_at, const LeaseRecord& record);
  /// A read or a write. After a conflict somebody else has written: nothing is ours until a write succeeds again.
  void on_failure(Duration now, Failure failure);

  /// The record that gives the lease back, when it is ours. From here on nothing may be written and next() only waits.
  std::optional<LeaseRecord> release(Duration now, TimePoint wall);

  /// Ours, and renewed less than renew_deadline ago, counted from before the request was sent.
  bool may_write(Duration now) const;
  std::optional<Duration> renewed_at() const { return renewed_at_; }
  /// Who holds it as far as we know.
  const std::string& holder() const { return seen_.holder; }

 private:
  enum class State { must_read, may_take, waiting, released };
  void observe(Duration now, const LeaseRecord& record);

  LeaseSettings settings_;
  RandomStream random_;
  State state_ = State::must_read;
  bool exists_ = false;
  bool had_conflict_ = false;  // at the last write
  LeaseRecord seen_;
  Duration changed_at_{};  // when seen_ was first seen
  std::optional<Duration> renewed_at_;
  Duration wait_until_{};
};

/// One request of an election at a time: what LeaseElector does again and again.
class LeaseSteps {
 public:
  ///   now, wall   the monotonic clock and the one of people; `client` outlives this
  LeaseSteps(Client& client, const LeaseSettings& settings, RandomStream random, std::function<Duration()> now,
             std::function<TimePoint()> wall);

  /// Carries out what is next. Returns when to come again; a time that has passed: at once.
  Duration step();
  void release();
  bool may_write() const { return election_.may_write(now_()); }
  const Election& election() const { return election_; }
  const std::optional<ApiError>& last_failure() const { return last_failure_; }

 private:
  std::string object_with(const LeaseRecord& record) const;
  void take(Duration sent_at, const ApiResult<std::string>& answer, const LeaseRecord* written);

  Client& client_;
  LeaseSettings settings_;
  Election election_;
  std::function<Duration()> now_;
  std::function<TimePoint()> wall_;
  std::string collection_, path_;
  std::string object_;  // as last read or written: its version, and what others keep in it
  std::optional<ApiError> last_failure_;
};

/// The election with its requests, in a thread of its own.
class LeaseElector {
 public:
  ///   client   with `max_attempts = 1` and a timeout well below the renew deadline; the election retries itself
  ///   settings as check() accepts them (checked)
  LeaseElector(Client client, LeaseSettings settings, RandomStream random);
  /// Gives the lease back if it is ours.
  ~LeaseElector();
  LeaseElector(const LeaseElector&) = delete;
  LeaseElector& operator=(const LeaseElector&) = delete;

  /// Any thread.
  bool may_write() const;
  /// Of the last request; nullopt after one that succeeded. Any thread.
  std::optional<ApiError> last_failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::kube
