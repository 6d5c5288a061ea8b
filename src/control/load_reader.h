// Where the controller of many workloads reads their load: the Prometheus or the pods that each object names. Sources
// are shared: one connection to a Prometheus for all that ask it, one scraper for all pods.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/predictive_autoscaler.h"
#include "control/live_metrics.h"
#include "control/live_workload.h"
#include "control/prometheus_server.h"
#include "control/target_ref.h"
#include "core/clock.h"
#include "core/random.h"
#include "kube/client.h"
#include "prom/scraper.h"

namespace mpca::control {

struct LoadQuestion {
  const std::string& key;  // of the object, for its whole life
  const config::LoadSource& source;
  const TargetRef& target;
  const std::vector<PodAddress>& addresses;
  int ready_replicas = 0;
  Duration period{};  // until it is asked again
};

/// Not thread safe; each thread has its own.
class LoadReader {
 public:
  virtual ~LoadReader() = default;
  virtual LiveReading read(const LoadQuestion& question) = 0;
};

/// The addresses that objects may name, and how they are asked: who may write an object should not be able to have the
/// controller ask any address that it can reach.
struct PrometheusAccess {
  std::vector<std::string> urls;
  PrometheusCredentials credentials;
};

/// A Prometheus that hangs keeps a thread waiting, and with it the objects that have nothing to do with it: it is asked
/// again when twice as long has passed, so that it has at most a third of the thread's time.
class ClusterLoadReader final : public LoadReader {
 public:
  /// All outlive it. The client is for a Prometheus behind the API server's service proxy.
  ClusterLoadReader(const PrometheusAccess& access, kube::Client& client, prom::Scraper& scraper, Clock& clock,
                    RandomStream random);
  ~ClusterLoadReader() override;
  LiveReading read(const LoadQuestion& question) override;

 private:
  struct Prometheus {
    std::unique_ptr<PrometheusServer> server;
    TimePoint gave_up;  // waiting for an answer
    Duration pause{};   // from then on; zero: it answers
  };
  LiveReading ask(const LoadQuestion& question, const config::PrometheusSource& source);
  LiveReading scrape(const LoadQuestion& question, const config::ScrapeSource& source);

  const PrometheusAccess& access_;
  kube::Client& client_;
  prom::Scraper& scraper_;
  Clock& clock_;
  RandomStream random_;
  std::map<std::string, Prometheus> servers_;  // by where they are
};

}  // namespace mpca::control
