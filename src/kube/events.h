// Events (events.k8s.io/v1) about an object, for `kubectl describe`. What repeats within six minutes is one event with
// a series, as client-go's recorder does it, and the series is written at most once a minute: a condition that lasts
// all night is a line and not a flood.
#pragma once

#include <map>
#include <string>

#include "kube/client.h"

namespace mpca::kube {

struct ObjectReference {
  std::string api_version, kind, namespace_name, name, uid;
};

struct Event {
  ObjectReference regarding;
  bool is_warning = false;
  std::string reason;  // a word for machines: `SuccessfulRescale`
  std::string action;  // what was done or tried: `Rescale`
  std::string note;    // a sentence; cut at 1024 bytes
};

/// Needs the verbs create and patch. Not thread safe.
class EventRecorder {
 public:
  ///   controller   `mpc.dev/autoscaler`
  ///   instance     this process
  EventRecorder(std::string controller, std::string instance)
      : controller_(std::move(controller)), instance_(std::move(instance)) {}

  /// Writes the event, or that it came again, or only counts it. A repetition with another note keeps the first one.
  ApiResult<void> record(Client& client, const Event& event, TimePoint now);

 private:
  struct Series {
    std::string path;
    int count = 1;
    TimePoint last_seen, last_written;
  };
  ApiResult<void> create(Client& client, const Event& event, TimePoint now, const std::string& key);

  std::string controller_, instance_;
  std::map<std::string, Series> series_;
};

}  // namespace mpca::kube
