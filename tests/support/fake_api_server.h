// A Kubernetes API server for tests of clients: objects with resourceVersions in memory, spoken to over HTTP or TLS on
// 127.0.0.1. It knows no types: any object of any resource is stored as it comes, with what the real server adds
// (uid, resourceVersion, creationTimestamp). Like the real one it
//   - refuses a write with an old resourceVersion (409 Conflict) and a create of what exists (409 AlreadyExists);
//   - lists in pages with `limit` and `continue`, filters by labelSelector and fieldSelector metadata.name (equality);
//   - watches from a resourceVersion on, with bookmarks; after compact() older versions and continue tokens are 410;
//   - deletes with the preconditions of a DeleteOptions;
//   - has /scale of what make_scalable() names, /status, discovery, namespaces as plain path segments;
//   - merges merge patches and applies, creates what an apply finds missing, does `test` and `replace` of JSON patches.
// Faults are scripted by method and a part of the path, and meet the next requests that fit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.h"
#include "kube/connection.h"

namespace mpca::test {

struct FakeTls {
  std::string certificate_file, key_file;
  std::string client_ca_file{};  // when given, clients need a certificate of it
};

struct Fault {
  enum class Kind {
    status,       // a Status object with `status`, `reason` and `headers` instead of doing it
    hang,         // nothing is answered, nothing done
    reset,        // nothing is done, the connection is reset
    lost,         // the request is carried out and the connection closed without an answer
    half_close,   // carried out, but only the first half of the answer's body comes
    slow,         // carried out; the answer comes in small pieces
    watch_error,  // of a watch: 200 and an ERROR event with `status` and `reason`
    late,         // carried out only when the fault is cleared, as the request of a process that was stopped
  };
  Kind kind = Kind::status;
  int status = 500;
  std::string reason{};
  std::string headers{};  // lines, each ended by CR LF
  std::string method{};   // empty: any
  std::string path{};     // a part of path and query; empty: any
  int times = 1;          // -1: until clear_faults()
  std::string token{};    // of the client's Authorization; empty: any
};

class FakeApiServer {
 public:
  struct Request {
    std::string method, path;  // with its query
    std::string content_type, accept, authorization, host;
    std::string body;
    int status = 0;  // 0: nothing was carried out
  };

  explicit FakeApiServer(std::optional<FakeTls> tls = {});
  ~FakeApiServer();
  FakeApiServer(const FakeApiServer&) = delete;
  FakeApiServer& operator=(const FakeApiServer&) = delete;

  int port() const;
  std::string url() const;
  /// Plain HTTP, or with TLS without a CA: the caller adds it.
  kube::Connection connection() const;

  /// Requests without one of these bearer tokens are 401; none: anybody.
  void accept_tokens(std::vector<std::string> tokens);
  /// `apps/v1`, `Deployment`, `deployments`: what discovery tells and has a /scale.
  void make_scalable(const std::string& api_version, const std::string& kind, const std::string& resource);
  /// What a SelfSubjectAccessReview says no to; requests are carried out all the same.
  void forbid(const std::string& verb, const std::string& resource);

  // The cluster's side, as if others had done it. Paths as in requests; objects as JSON texts.
  void put_object(const std::string& path, const std::string& object);
  void delete_object(const std::string& path);
  /// What `/log` of that pod answers.
  void put_log(const std::string& pod_path, const std::string& text);
  /// Empty when there is none.
  std::string object(const std::string& path) const;

  void add_fault(Fault fault);
  void clear_faults();
  /// Forgets all changes so far: watches and lists of older versions are 410 Gone.
  void compact();
  /// Sends a bookmark with the current version to all watches.
  void bookmark();
  /// Ends all watches, as a server does after timeoutSeconds.
  void end_watches();
  /// Cuts all connections.
  void cut_connections();
  /// As if the process had ended: connections break, new ones are refused.
  void go_away();
  /// At the same port, with all its objects.
  void come_back();

  std::vector<Request> requests() const;
  /// Requests of that method whose path holds `part`.
  int count(std::string_view method, std::string_view part = {}) const;
  int open_watches() const;
  int accepted_connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::test
