// A collection of objects, listed once and then watched: what client-go's reflector does. List in pages, watch from the
// list's version with bookmarks, go on from the last version seen when a watch ends, list anew only when the server no
// longer keeps that version (410), and then say what has gone meanwhile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "kube/client.h"

namespace mpca::kube {

struct Change {
  enum class Kind { added, modified, deleted };
  Kind kind = Kind::added;
  std::string namespace_name, name, uid;
  std::string object;  // JSON; of a deletion that nobody saw, empty
};
using OnChange = std::function<void(const Change&)>;

/// The order of requests without the requests: says what to do next and is told what came of it.
class WatchLoop {
 public:
  ///   path   of the collection, may have a query: `…/pods?labelSelector=app%3Dweb`
  WatchLoop(std::string path, RandomStream random);

  struct Step {
    enum class Kind { list, watch, wait };
    Kind kind = Kind::wait;
    std::string path{};            // to list (without limit) or to watch
    std::string continue_token{};  // of the list's next page
    Duration wait{};
  };
  /// A wait is said once.
  Step next();

  /// One page. Changes are told when the last one is there: an object is modified when its version is another, and
  /// deleted and added when its uid is.
  void on_page(const std::string& body, const OnChange& on_change);
  void on_list_failed(const ApiError& error);
  /// A line of a watch. False: end this watch.
  bool on_line(std::string_view line, const OnChange& on_change);
  void on_watch_ended(const ApiResult<void>& end);

  /// Whether all that a list said was told. Stays true; while later lists fail, what is known gets old.
  bool has_synced() const { return has_synced_; }
  const std::string& resource_version() const { return version_; }

 private:
  struct Known {
    std::string uid, version;
    std::string object{};  // while listing
  };
  void list_again();
  void back_off(const ApiError& error);
  void back_off(Duration at_least = {});
  void tell_difference(const OnChange& on_change);
  void tell(Change::Kind kind, const std::string& key, const std::string& uid, std::string object,
            const OnChange& on_change) const;

  std::string path_;
  RandomStream random_;
  std::map<std::string, Known> known_;  // by namespace/name
  std::map<std::string, Known> listed_;
  std::string continue_token_;
  std::string version_;  // empty: list
  std::string list_version_;
  int failures_ = 0;
  std::optional<Duration> wait_;
  bool was_heard_ = false;  // in the current watch
  bool has_synced_ = false;
};

/// The loop with its requests, in a thread of its own.
class Watcher {
 public:
  ///   client      with `max_attempts = 1`: the loop backs off itself
  ///   on_change   is called in that thread and must not throw
  Watcher(Client client, std::string path, RandomStream random, OnChange on_change);
  /// Ends the thread; a watch under way at once.
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Any thread.
  bool has_synced() const;
  /// nullopt after a request that succeeded, and while the server answers a watch.
  struct Trouble {
    ApiError error;     // of the last request
    Duration lasted{};  // since the first of the failures in a row
  };
  std::optional<Trouble> trouble() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::kube
