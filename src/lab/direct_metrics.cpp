#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "lab/metrics_source.h"
#include "net/http_client.h"
#include "prom/exposition.h"
#include "prom/rate.h"

namespace mpca::lab {
namespace {

constexpr Duration kShortestScrapeTimeout = std::chrono::milliseconds(500);

/// One pod's counters over the window, and its gauge.
struct Series {
  std::vector<prom::CounterSample> served;
  std::vector<prom::CounterSample> failed;
  std::vector<prom::CounterSample> busy_s;  // slot-seconds of work
  std::optional<double> in_flight;          // of the last scrape, when it succeeded
  std::optional<double> waiting;            // the same
};

bool is_success(std::string_view code) { return code.starts_with('2') || code.starts_with('3'); }

class DirectMetrics final : public MetricsSource {
 public:
  explicit DirectMetrics(const MetricsSettings& settings) : settings_(settings) {
    scraper_ = std::thread([this] { run(); });
  }
  ~DirectMetrics() override {
    {
      const std::scoped_lock lock(mutex_);
      is_stopping_ = true;
    }
    wake_.notify_all();
    scraper_.join();
  }

  void set_targets(const std::vector<ScrapeTarget>& targets) override {
    const std::scoped_lock lock(mutex_);
    targets_ = targets;
    // A gauge of a pod that is no target any more says nothing about now; its counters still belong to the window.
    for (auto& [id, series] : series_) {
      const bool is_target = std::any_of(targets.begin(), targets.end(), [&](const auto& t) { return t.id == id; });
      if (!is_target) forget_gauges(series);
    }
  }

  void set_failing(bool failing) override {
    const std::scoped_lock lock(mutex_);
    is_failing_ = failing;
  }

  bool wait_for_first_scrape(Duration limit) override {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, limit, [&] { return last_success_.has_value(); });
  }

  Reading read() override {
    const std::scoped_lock lock(mutex_);
    const TimePoint now(os::monotonic_now());
    Reading reading;
    const auto add = [](std::optional<double>& sum, std::optional<double> value) {
      if (value) sum = sum.value_or(0.0) + *value;
    };
    for (const auto& [id, series] : series_) {
      add(reading.served_rate_rps, prom::rate(series.served, now, settings_.rate_window));
      add(reading.failed_rate_rps, prom::rate(series.failed, now, settings_.rate_window));
      const auto busy = prom::rate(series.busy_s, now, settings_.rate_window);
      add(reading.cpu_cores, busy ? std::optional(*busy / settings_.concurrency) : std::nullopt);
      add(reading.in_flight_requests, series.in_flight);
      add(reading.waiting_requests, series.waiting);
    }
    if (last_success_) reading.age = now.time_since_epoch() - *last_success_;
    return reading;
  }

 private:
  void run() {
    net::HttpClient client({.timeout = std::max(settings_.scrape_interval, kShortestScrapeTimeout)});
    std::unique_lock lock(mutex_);
    Duration next = os::monotonic_now();
    while (!is_stopping_) {
      const std::vector<ScrapeTarget> targets = targets_;
      std::vector<std::string> urls;
      for (const ScrapeTarget& target : targets) urls.push_back(cat("http://127.0.0.1:", target.port, "/metrics"));
      const bool failing = is_failing_;
      lock.unlock();
      const Duration scraped_at = os::monotonic_now();
      const auto replies = failing ? std::vector<Result<net::HttpReply>>{} : client.get_all(urls);
      lock.lock();
      for (std::size_t i = 0; i < targets.size(); ++i) {
        Series& series = series_[targets[i].id];
        forget_gauges(series);
        if (failing || !replies[i] || replies[i]->status != 200) continue;
        if (const auto samples = prom::parse_exposition(replies[i]->body)) {
          take(*samples, TimePoint(scraped_at), series);
          last_success_ = scraped_at;
        }
      }
      wake_.notify_all();
      forget(TimePoint(scraped_at) - settings_.rate_window - settings_.scrape_interval);
      next += settings_.scrape_interval;
      const Duration wait = next - os::monotonic_now();
      if (wait > Duration::zero()) {
        wake_.wait_for(lock, wait, [&] { return is_stopping_; });
      } else {
        next = os::monotonic_now();
      }
    }
  }

  static void forget_gauges(Series& series) { series.in_flight = series.waiting = std::nullopt; }

  static void take(const std::vector<prom::Sample>& samples, TimePoint at, Series& series) {
    double served = 0.0, failed = 0.0, busy_s = 0.0, in_flight = 0.0, waiting = 0.0;
    for (const prom::Sample& sample : samples) {
      if (sample.name == "toy_http_requests_total" && prom::label(sample, "path") == "/work") {
        (is_success(prom::label(sample, "code")) ? served : failed) += sample.value;
      } else if (sample.name == "toy_work_sleep_seconds_sum") {
        busy_s += sample.value;
      } else if (sample.name == "toy_in_flight_requests") {
        in_flight += sample.value;
      } else if (sample.name == "toy_queue_length") {
        waiting += sample.value;
      }
    }
    series.served.push_back({at, served});
    series.failed.push_back({at, failed});
    series.busy_s.push_back({at, busy_s});
    series.in_flight = in_flight;
    series.waiting = waiting;
  }

  void forget(TimePoint before) {
    for (auto it = series_.begin(); it != series_.end();) {
      for (auto* counter : {&it->second.served, &it->second.failed, &it->second.busy_s})
        std::erase_if(*counter, [&](const prom::CounterSample& sample) { return sample.time < before; });
      it = it->second.served.empty() && !it->second.in_flight ? series_.erase(it) : std::next(it);
    }
  }

  MetricsSettings settings_;
  std::mutex mutex_;  // guards all below
  std::condition_variable wake_;
  std::vector<ScrapeTarget> targets_;
  std::map<int, Series> series_;  // by pod
  std::optional<Duration> last_success_;
  bool is_failing_ = false;
  bool is_stopping_ = false;
  std::thread scraper_;
};

}  // namespace

std::unique_ptr<MetricsSource> scrape_directly(const MetricsSettings& settings) {
  return std::make_unique<DirectMetrics>(settings);
}

}  // namespace mpca::lab
