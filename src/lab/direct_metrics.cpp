#include <algorithm>
#include <mutex>

#include "core/text.h"
#include "lab/metrics_source.h"
#include "prom/scraper.h"

namespace mpca::lab {
namespace {

constexpr Duration kShortestScrapeTimeout = std::chrono::milliseconds(500);
constexpr int kPortOfNobody = 1;
constexpr const char* kPods = "toy-load";

prom::ScraperSettings scraper_settings(const MetricsSettings& settings) {
  // All at once, as the samples of a sum should be.
  return {.interval = settings.scrape_interval,
          .time_limit = std::max(settings.scrape_interval, kShortestScrapeTimeout),
          .slots = 1};
}

class DirectMetrics final : public MetricsSource {
 public:
  explicit DirectMetrics(const MetricsSettings& settings) : settings_(settings), scraper_(scraper_settings(settings)) {
    pods_.rate_window = settings.rate_window;
    pods_.names.waiting = "toy_queue_length";
    pods_.names.cpu_seconds = "toy_work_sleep_seconds_sum";  // slot-seconds of work
  }

  void set_targets(const std::vector<ScrapeTarget>& targets) override {
    const std::scoped_lock lock(mutex_);
    targets_ = targets;
    tell_scraper();
  }

  void set_failing(bool failing) override {
    const std::scoped_lock lock(mutex_);
    is_failing_ = failing;
    tell_scraper();
  }

  bool wait_for_first_scrape(Duration limit) override { return scraper_.wait_until_answering(kPods, limit); }

  Reading read() override {
    const prom::WorkloadReading reading = scraper_.read(kPods);
    const auto value = [](const std::optional<prom::Measured>& measured) {
      return measured ? std::optional(measured->value) : std::nullopt;
    };
    const auto busy = value(reading.cpu_cores);
    return {.served_rate_rps = value(reading.served_rate_rps),
            .failed_rate_rps = value(reading.failed_rate_rps),
            .in_flight_requests = value(reading.in_flight),
            .waiting_requests = value(reading.waiting),
            .cpu_cores = busy ? std::optional(*busy / settings_.concurrency) : std::nullopt,
            .age = reading.age};
  }

 private:
  void tell_scraper() {
    pods_.targets.clear();
    for (const ScrapeTarget& target : targets_)
      pods_.targets.push_back({target.id, cat("127.0.0.1:", is_failing_ ? kPortOfNobody : target.port)});
    scraper_.set_workload(kPods, pods_);
  }

  MetricsSettings settings_;
  prom::Scraper scraper_;
  std::mutex mutex_;  // guards all below
  prom::ScrapedWorkload pods_;
  std::vector<ScrapeTarget> targets_;
  bool is_failing_ = false;
};

}  // namespace

std::unique_ptr<MetricsSource> scrape_directly(const MetricsSettings& settings) {
  return std::make_unique<DirectMetrics>(settings);
}

}  // namespace mpca::lab
