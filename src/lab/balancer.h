// The Service in front of the pods: an HTTP/1.1 proxy that sends each request to the backend with the fewest
// outstanding ones. Ours by default; Debian's HAProxy for those who want a second opinion on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "lab/child_process.h"

namespace mpca::lab {

struct Backend {
  int id = 0;  // tells two backends that had the same port after one another apart
  int port = 0;
  bool operator==(const Backend&) const = default;
};

struct BalancerCounts {
  std::uint64_t requests = 0;     // taken from clients
  std::uint64_t answered = 0;     // with what a backend said
  std::uint64_t no_backend = 0;   // answered 503: there was none
  std::uint64_t bad_gateway = 0;  // answered 502: the connection failed, and failed again
  std::uint64_t retried = 0;      // tried once more
  std::uint64_t client_gone = 0;  // given up because the client had left
  std::uint64_t outstanding = 0;  // taken and not answered yet
};

class Balancer {
 public:
  virtual ~Balancer() = default;
  virtual int port() const = 0;
  /// From any thread; in effect when it returns. A backend that is no longer named gets no new request; those it has go
  /// on to their end.
  virtual void set_backends(const std::vector<Backend>& backends) = 0;
  virtual BalancerCounts counts() const = 0;
  /// What a restart does to its clients: every connection is dropped in the middle of what it was doing; the port
  /// stays.
  virtual void restart() = 0;
};

/// On a thread of its own. Connections to both sides are kept. A failure of the connection (refused, or lost before the
/// answer came) is tried once more, on another backend where there is one; an answer is never asked for twice. A client
/// that goes away takes its request with it.
std::unique_ptr<Balancer> built_in_balancer(Listener listener);

/// HAProxy as a child, with its files in `directory`. Of its counts those that it does not tell apart stay 0.
///   errors   not_found  no such program; io  it did not start (the end of its log is in the message)
Result<std::unique_ptr<Balancer>> haproxy_balancer(Listener listener, const std::string& directory);

}  // namespace mpca::lab
