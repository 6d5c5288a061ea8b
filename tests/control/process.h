// A process of the controller, all of it but the command line: watches, lease, workers, against an API server of the
// tests. Its lease expires after a second and a half, so that a take-over is worth waiting for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "control/cluster_watch.h"
#include "control/controller.h"
#include "control/controller_metrics.h"
#include "control/fakes.h"
#include "core/os/real_clock.h"
#include "kube/lease.h"
#include "support/fake_api_server.h"

namespace mpca::control {

inline void pause(Duration length) {
  os::RealClock clock;
  clock.sleep_until(clock.now() + length);
}

/// Within ten seconds.
inline bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    pause(10ms);
  }
  return false;
}

class FixedLoad final : public LoadReader {
 public:
  LiveReading read(const LoadQuestion&) override { return FakeMetrics().reading; }
};

struct ProcessSettings {
  bool applies = true;
  std::string token_file{};  // what it shows the API server
  Duration watch_patience = 3min;
  bool sees_all_objects = true;
  /// Of each worker; none: a load that never changes.
  std::function<std::unique_ptr<LoadReader>(kube::Client&)> make_load{};
};

class Process {
 public:
  /// The server outlives it.
  Process(test::FakeApiServer& server, std::uint64_t seed, ProcessSettings settings = {})
      : server_(server),
        seed_(seed),
        settings_(std::move(settings)),
        controller_(
            {.index = index_,
             .states = states_,
             .clock = clock_,
             .may_write = [this] { return elector_.may_write(); },
             .may_apply = [this] { return settings_.applies; },
             .has_room = [] { return true; },
             .has_rival = {},
             .program = "test",
             .took = [this](Stage stage, Duration time) { metrics_.took(stage, time); },
             .log = [](const std::string&) {},
             .instance = "test",
             .sees_all_objects = settings_.sees_all_objects},
            [this] { return std::make_unique<OneWorker>(make_client(kRequestTimeout), settings_); },
            [this] { return watch_->trouble(); }, [](const std::string&) {}),
        watch_(std::make_unique<ClusterWatch>(
            [this] { return make_client(kRequestTimeout); }, std::vector<std::string>{"shop"}, index_,
            [this](const kube::Change& change) { controller_.on_object(change); }, seed, settings_.watch_patience)),
        thread_([this](const std::stop_token& stop) { controller_.run(stop, 2, 5s); }) {}
  ~Process() { stop(); }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  ControllerFigures figures() const { return controller_.figures(); }
  std::optional<SessionSummary> summary(const std::string& name) const { return controller_.summary("shop", name); }
  std::string metrics() const { return metrics_.text(controller_, nullptr); }

 private:
  static constexpr Duration kRequestTimeout = 2s;
  static constexpr Duration kLeaseTimeout = 500ms;  // below the renew deadline

  class OneWorker final : public Controller::Worker {
   public:
    OneWorker(kube::Client client, const ProcessSettings& settings)
        : client_(std::move(client)),
          load_(settings.make_load ? settings.make_load(client_) : std::make_unique<FixedLoad>()) {}
    SessionTools tools() override { return {client_, *load_}; }

   private:
    kube::Client client_;
    std::unique_ptr<LoadReader> load_;
  };
  kube::Client make_client(Duration timeout) {
    kube::Connection connection = server_.connection();
    connection.token_file = settings_.token_file;
    return {std::move(connection),
            {.timeout = timeout, .max_attempts = 1},
            limit_,
            clock_,
            RandomStream(seed_, "kube", ++clients_)};
  }

  test::FakeApiServer& server_;
  std::uint64_t seed_;
  ProcessSettings settings_;
  os::RealClock clock_;
  kube::RateLimit limit_{1000, 1000};
  std::atomic<std::uint32_t> clients_ = 0;
  ClusterIndex index_;
  SavedStates states_{"mpc-system"};
  ControllerMetrics metrics_;
  kube::LeaseElector elector_{make_client(kLeaseTimeout),
                              {.namespace_name = "mpc-system",
                               .name = "mpc-autoscaler",
                               .identity = cat("process-", seed_),
                               .duration = 1500ms,
                               .renew_deadline = 1s,
                               .retry = 200ms},
                              RandomStream(seed_, "lease")};
  Controller controller_;
  std::unique_ptr<ClusterWatch> watch_;
  std::jthread thread_;
};

}  // namespace mpca::control
