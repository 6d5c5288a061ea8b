// The Service in front of the pods: an HTTP/1.1 reverse proxy that sends each request to the backend with the fewest
// outstanding ones. Connections to both sides are kept. A failure of the connection (refused, or lost before the answer
// came) is tried once more, on another backend where there is one; an answer is never asked for twice. A client that
// goes away takes its request with it. Runs on a thread of its own.
#pragma once

#include <cstdint>
#include <memory>
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
  std::uint64_t outstanding = 0;  // with a backend now
};

class Balancer {
 public:
  explicit Balancer(Listener listener);
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  int port() const;
  /// From any thread; in effect when it returns. A backend that is no longer named gets no new request; those it has go
  /// on to their end.
  void set_backends(const std::vector<Backend>& backends);
  BalancerCounts counts() const;
  /// What a restart does to its clients: every connection is dropped in the middle of what it was doing; the port
  /// stays.
  void restart();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::lab
