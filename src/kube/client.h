// Calls of the API server, with its errors told apart and retried by kind. Objects travel as JSON texts; the modules
// beside this one read those that we use.
//
// What is retried, with full jitter (Brooker 2015, Exponential backoff and jitter, AWS Architecture Blog):
//   429          anything, after Retry-After: the server has refused before doing anything
//   no answer    reads; writes only when the server certainly has not got them (refused, not trusted)
//   5xx          reads only. A write may have been carried out: its caller reads first (ApiError::outcome_unknown)
//   401          once, with the credential read again
//   other 4xx    never here: 409 and 410 ask for another request, 403 for patience, 400 and 422 for a repair
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/random.h"
#include "kube/connection.h"
#include "kube/failure.h"
#include "kube/rate_limit.h"

namespace mpca::kube {

struct ClientSettings {
  Duration timeout = std::chrono::seconds(5);    // of one attempt
  Duration patience = std::chrono::seconds(10);  // from the first attempt; no other begins later
  int max_attempts = 5;
  int list_limit = 500;                               // objects per page
  Duration longest_idle = std::chrono::seconds(330);  // of a watch; longer than its timeoutSeconds
};

/// Waits before the attempts after the first: a uniform draw from [0, 0.2 s · 2^failures], at most 30 s.
Duration full_jitter(int failures, RandomStream& random);

enum class PatchKind {
  merge,  // RFC 7386
  json,   // RFC 6902; a failed `test` is Failure::invalid
  apply,  // server-side apply: all fields that the manager owns
};

/// What of objects an answer should hold.
enum class Detail {
  whole,
  metadata,  // PartialObjectMetadata: saves both sides the rest
};

struct ObjectList {
  std::vector<std::string> items;  // JSON objects, without apiVersion and kind, as lists have them
  std::string resource_version;    // opaque
};

/// Not thread safe; each thread has its own, all of a process with the same RateLimit. Paths begin with `/api` and have
/// names encoded (net::percent_encoded).
class Client {
 public:
  /// The limit and the clock outlive it.
  Client(Connection connection, const ClientSettings& settings, RateLimit& limit, Clock& clock, RandomStream random);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  const Connection& connection() const;

  // Each returns the body of the answer, but for get_through().
  ApiResult<std::string> get(const std::string& path, Priority priority = Priority::normal);
  /// What lies behind the server, such as a service's proxy: one attempt, and any complete answer is the reply,
  /// whatever its status. A 5xx of the server itself, which cannot reach it, is an error. 401 is tried again once.
  ApiResult<net::HttpReply> get_through(const std::string& path, Duration time_limit);
  ApiResult<std::string> create(const std::string& path, std::string body, Priority priority = Priority::normal);
  ApiResult<std::string> put(const std::string& path, std::string body, Priority priority = Priority::normal);
  ApiResult<std::string> patch(const std::string& path, PatchKind kind, std::string body,
                               Priority priority = Priority::normal, Detail detail = Detail::whole);
  /// One attempt, whatever the settings say: for what must not happen later than when the caller asked whether it may.
  ApiResult<std::string> patch_once(const std::string& path, PatchKind kind, std::string body,
                                    Priority priority = Priority::normal);
  /// `options` is a DeleteOptions object, such as preconditions on uid and resourceVersion; empty: none.
  ApiResult<std::string> remove(const std::string& path, Priority priority = Priority::normal,
                                std::string options = {});

  /// Server-side apply of all fields of `/status` that `manager` owns; others' ownership of them is taken.
  ///   object_path   without `/status`
  ///   body          apiVersion, kind, metadata.name (and uid as a guard) and status
  ///   returns       the object's metadata
  ApiResult<std::string> apply_status(const std::string& object_path, std::string_view manager, std::string body);

  /// All pages. When the pages have expired meanwhile (410), from the first one once more.
  ///   path   may have a query: `?labelSelector=…`
  ApiResult<ObjectList> list(const std::string& path, Detail detail = Detail::whole);
  /// One page: the List object's JSON.
  ApiResult<std::string> list_page(const std::string& path, const std::string& continue_token,
                                   Detail detail = Detail::whole);

  /// A watch: each line of the answer goes to `on_line`, which must not throw, until it says false, `stop` is requested
  /// or the server ends the answer; all three are success. 401 is tried again once, nothing else is.
  ///   on_open   called when the server has begun to answer: a watch of what does not change says nothing for long
  ApiResult<void> stream(const std::string& path, const std::stop_token& stop,
                         const std::function<bool(std::string_view)>& on_line,
                         const std::function<void()>& on_open = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::kube
