// The workload under control, as the API server knows it: what is asked for, what is there, and the one thing that may
// be changed.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "core/time.h"
#include "policy/observation.h"

namespace mpca::control {

struct PodAddress {
  std::int64_t id = 0;  // as in `pods`
  std::string ip;       // empty: none yet
};

struct WorkloadView {
  int spec_replicas = 0;
  int ready_replicas = 0;
  std::vector<Duration> starting_pod_ages;     // oldest first
  std::vector<policy::PodObservation> pods{};  // by id; empty when pods may not be listed
  std::vector<PodAddress> addresses{};         // of the pods that are not ending
  std::string version;                         // of what was read: a write is of this or of nothing
};

enum class Trouble {
  unreachable,  // no answer, or an error that passes
  forbidden,    // a right is missing
  not_found,    // the workload is gone
  conflict,     // it has changed since it was read
  not_leading,  // another process has the word
  refused,      // the request will never work
};

/// `unreachable`, `conflict`, …: for the log.
std::string_view name_of(Trouble trouble);

struct LiveError {
  Trouble trouble = Trouble::unreachable;
  std::string message;
};

template <class T>
using LiveResult = std::expected<T, LiveError>;

class LiveWorkload {
 public:
  virtual ~LiveWorkload() = default;
  virtual LiveResult<WorkloadView> read(TimePoint now) = 0;
  /// Sets the replicas if the workload is still the version that was read. After any error but `conflict` it may have
  /// happened all the same: read again.
  virtual LiveResult<void> set_replicas(int replicas, const std::string& version) = 0;
};

}  // namespace mpca::control
