// What the controller tells of itself: /metrics for Prometheus, /healthz for whoever restarts it, /readyz for whoever
// waits for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/controller.h"

namespace mpca::control {

class ControllerMetrics {
 public:
  ControllerMetrics();
  ~ControllerMetrics();

  /// Any thread.
  void took(Stage stage, Duration time);

  /// Exposition text: of the process, of `controller`, of each of its objects while it leads and, when there is one, of
  /// the recorder.
  std::string text(const Controller& controller, const runlog::FlightRecorder* recorder) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A period that is due or runs for longer than this will not get better by itself.
inline constexpr Duration kStuckAfter = std::chrono::minutes(3);
/// Why it should be restarted; nullopt when it is well. Losing the API server is no reason: a restart does not bring it
/// back.
std::optional<std::string> stuck(const ControllerFigures& figures);

/// Answers on its own thread until destroyed.
class ControllerServer {
 public:
  struct Pages {
    std::function<std::string()> metrics;
    std::function<std::optional<std::string>()> health;     // why not
    std::function<std::optional<std::string>()> readiness;  // why not
  };
  ///   address   `0.0.0.0:8080`, `:8080`, `127.0.0.1:0`
  ///   errors    invalid_argument; io  as net::HttpServer has them
  static Result<ControllerServer> start(const std::string& address, Pages pages);
  ControllerServer(ControllerServer&&) noexcept;
  ControllerServer& operator=(ControllerServer&&) noexcept;
  ~ControllerServer();
  int port() const;

 private:
  struct Impl;
  explicit ControllerServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mpca::control
