// How a run is going, for Prometheus: `/metrics` on loopback while it lasts.
#pragma once

#include <memory>

#include "core/result.h"
#include "load/load_run.h"

namespace mpca::app {

class LiveMetrics {
 public:
  /// Serves from here on, until destroyed.
  ///   errors   io  the port is in use or not allowed
  static Result<std::unique_ptr<LiveMetrics>> create(int port);
  ~LiveMetrics();

  /// Any thread; counts the interval in.
  void add(const load::LiveInterval& live);

 private:
  struct Impl;
  explicit LiveMetrics(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::app
