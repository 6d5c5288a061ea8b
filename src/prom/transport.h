// How a question gets to a Prometheus: directly, or through an API server's service proxy, whose client then brings its
// own address, TLS and credentials. The client of Prometheus knows neither.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace mpca::prom {

struct Request {
  std::string method = "GET";
  std::string path;  // with its query: `/api/v1/query?query=up`
  std::string body{};
  std::string content_type{};                                  // of a body
  std::vector<std::pair<std::string, std::string>> headers{};  // secrets among them: never in a message or a log
  Duration time_limit = std::chrono::seconds(5);
};

struct Reply {
  int status = 0;
  std::string body;
};

class Transport {
 public:
  virtual ~Transport() = default;
  /// Any complete answer is a reply, whatever its status.
  ///   errors   io           no complete answer within the limit: worth another try
  ///            any other    another try would meet the same
  virtual Result<Reply> request(const Request& request) = 0;
};

}  // namespace mpca::prom
