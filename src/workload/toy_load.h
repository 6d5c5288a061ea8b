// The server toy-load: the reference lab's workload with a dial for every cost of a request, and beyond it a limit on
// the requests worked on at once, so that a sleeping server is a queue of c servers and a laptop can host fifty of
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>

#include "core/result.h"
#include "core/time.h"
#include "workload/json_log.h"
#include "workload/toy_load_settings.h"

namespace mpca::workload {

class ToyLoad {
 public:
  /// Listens from here on.
  ///   seed    of jitter, errors and the readiness lag
  ///   log     outlives the server
  ///   errors  as net::HttpServer::create()
  static Result<ToyLoad> create(const ToyLoadSettings& settings, std::uint64_t seed, JsonLog& log);
  ToyLoad(ToyLoad&&) noexcept;
  ToyLoad& operator=(ToyLoad&&) noexcept;
  ~ToyLoad();

  int port() const;
  /// Serves until `stop` is requested and requests in flight are answered, at most for the shutdown timeout.
  ///   returns  how many requests were cut off then
  int run(const std::stop_token& stop);

 private:
  struct Impl;
  explicit ToyLoad(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::workload
