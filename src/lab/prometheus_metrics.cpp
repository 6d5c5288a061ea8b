#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/random.h"
#include "core/text.h"
#include "lab/child_process.h"
#include "lab/metrics_source.h"
#include "net/http_client.h"
#include "prom/client.h"
#include "prom/http_transport.h"

namespace mpca::lab {
namespace {

constexpr int kStartAttempts = 3;
constexpr Duration kPoll = std::chrono::milliseconds(20);
constexpr int kPortOfNobody = 1;

std::string milliseconds(Duration duration) {
  return cat(std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()), "ms");
}

/// The questions in PromQL; what has no failed requests yet has a failed rate of zero, but only where there are
/// requests.
struct Queries {
  explicit Queries(const MetricsSettings& settings) {
    const std::string window = cat("[", milliseconds(settings.rate_window), "]");
    const std::string requests = R"(toy_http_requests_total{job="toy-load",path="/work")";
    served = cat("sum(rate(", requests, R"(,code=~"2..|3.."})", window, "))");
    failed =
        cat("sum(rate(", requests, R"(,code!~"2..|3.."})", window, ")) or 0 * sum(rate(", requests, "}", window, "))");
    in_flight = R"(sum(toy_in_flight_requests{job="toy-load"}))";
    waiting = R"(sum(toy_queue_length{job="toy-load"}))";
    cpu = cat(R"(sum(rate(toy_work_sleep_seconds_sum{job="toy-load"})", window, ")) / ", settings.concurrency);
    age = R"(time() - max(timestamp(toy_in_flight_requests{job="toy-load"})))";
  }
  std::string served, failed, in_flight, waiting, cpu, age;
};

class PrometheusMetrics final : public MetricsSource {
 public:
  PrometheusMetrics(const MetricsSettings& settings, const std::string& directory)
      : settings_(settings), queries_(settings), directory_(directory) {}

  Result<void> start() {
    MPCA_TRY_VOID(os::write_file(directory_ + "/targets.json", "[]\n"));
    MPCA_TRY_VOID(os::write_file(
        directory_ + "/prometheus.yml",
        cat("global:\n  scrape_interval: ", milliseconds(settings_.scrape_interval),
            "\n  scrape_timeout: ", milliseconds(settings_.scrape_interval),
            "\nscrape_configs:\n  - job_name: toy-load\n    file_sd_configs:\n      - files: [targets.json]\n")));
    for (int attempt = 1;; ++attempt) {
      // Prometheus takes no socket from us. Should somebody be faster at the port, it ends, and we try another.
      MPCA_TRY(Listener listener, Listener::open());
      const int port = listener.port();
      {
        const Listener closed = std::move(listener);
      }
      auto started = start_on(port);
      if (started || attempt == kStartAttempts) return started;
    }
  }

  void set_targets(const std::vector<ScrapeTarget>& targets) override {
    const std::scoped_lock lock(mutex_);
    targets_ = targets;
    write_targets();
  }

  void set_failing(bool failing) override {
    const std::scoped_lock lock(mutex_);
    is_failing_ = failing;
    write_targets();
  }

  bool wait_for_first_scrape(Duration limit) override {
    const Duration deadline = os::monotonic_now() + limit;
    os::RealClock clock;
    while (!read().in_flight_requests) {
      if (os::monotonic_now() > deadline) return false;
      clock.sleep_until(clock.now() + kPoll);
    }
    return true;
  }

  Reading read() override {
    const std::scoped_lock lock(mutex_);
    if (!are_targets_known_) return {};
    prom::PrometheusClient prometheus({.tries = 1}, *transport_, clock_, random_);
    const auto value = [&](const std::string& promql) -> std::optional<double> {
      const auto answer = prom::one_number(prometheus.instant({.promql = promql}), promql);
      return answer ? std::optional(*answer) : std::nullopt;
    };
    Reading reading{.served_rate_rps = value(queries_.served),
                    .failed_rate_rps = value(queries_.failed),
                    .in_flight_requests = value(queries_.in_flight),
                    .waiting_requests = value(queries_.waiting),
                    .cpu_cores = value(queries_.cpu),
                    .age = std::nullopt};
    if (const auto age = value(queries_.age)) reading.age = from_seconds(std::max(0.0, *age));
    return reading;
  }

 private:
  Result<void> start_on(int port) {
    const std::string log = cat(directory_, "/prometheus-", port, ".log");
    ChildSettings settings{.program = "prometheus",
                           .arguments = {cat("--config.file=", directory_, "/prometheus.yml"),
                                         cat("--storage.tsdb.path=", directory_, "/prometheus-data"),
                                         cat("--web.listen-address=127.0.0.1:", port), "--log.level=warn"},
                           .environment = {},
                           .inherited_listener = -1,
                           .output_file = log};
    MPCA_TRY(ChildProcess process, ChildProcess::start(settings));
    process_ = std::move(process);
    const std::string url = cat("http://127.0.0.1:", port);
    transport_.emplace(url, net::HttpClientSettings{.timeout = std::chrono::seconds(5)});
    return wait_until_up(*process_, "prometheus", log, [&] {
      const auto reply = transport_->request({.path = "/-/ready"});
      return reply && reply->status == 200 && !process_->exit_code();
    });
  }

  void write_targets() {
    nlohmann::ordered_json groups = nlohmann::ordered_json::array();
    for (const ScrapeTarget& target : targets_) {
      groups.push_back({{"targets", {cat("127.0.0.1:", is_failing_ ? kPortOfNobody : target.port)}},
                        {"labels", {{"pod", cat("pod-", target.id)}}}});
    }
    are_targets_known_ = os::write_file(directory_ + "/targets.json", groups.dump() + "\n").has_value();
  }

  MetricsSettings settings_;
  Queries queries_;
  std::string directory_;
  std::optional<ChildProcess> process_;
  std::mutex mutex_;  // guards all below
  os::RealClock clock_;
  RandomStream random_{0, "prometheus"};
  std::optional<prom::HttpTransport> transport_;
  std::vector<ScrapeTarget> targets_;
  bool is_failing_ = false;
  bool are_targets_known_ = true;  // else what Prometheus says is about other pods
};

}  // namespace

Result<std::unique_ptr<MetricsSource>> scrape_with_prometheus(const MetricsSettings& settings,
                                                              const std::string& directory) {
  auto metrics = std::make_unique<PrometheusMetrics>(settings, directory);
  MPCA_TRY_VOID(metrics->start());
  return metrics;
}

}  // namespace mpca::lab
