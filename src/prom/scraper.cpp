#include "prom/scraper.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <tuple>
#include <utility>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/http_client.h"
#include "prom/exposition.h"

namespace mpca::prom {
namespace {

// A thread without anything to do looks again then; it is woken before when there is.
constexpr Duration kLongestWait = std::chrono::seconds(1);

struct Target {
  std::string address;
  Duration phase{};        // of its slot within the interval
  Duration next{};         // when it is due; of os::monotonic_now()
  bool is_suspect = true;  // did not answer the last time, or was never asked
  bool is_asked = false;   // right now
};

struct Workload {
  Workload(const ScrapedWorkload& the_settings, Duration interval, std::uint64_t the_number)
      : number(the_number), settings(the_settings), window(the_settings.rate_window, interval) {
    settings.targets.clear();
  }
  std::uint64_t number;      // no other has it: an answer to what was asked before is not taken for one of these
  ScrapedWorkload settings;  // without its targets
  PodWindow window;
  std::map<std::int64_t, Target> targets;
  Duration wanted{};  // when somebody last asked for it; of os::monotonic_now()
};

bool are_measured_alike(const ScrapedWorkload& a, const ScrapedWorkload& b) {
  const auto parts = [](const ScrapedWorkload& w) {
    return std::tie(w.names.requests, w.names.request_labels, w.names.status_label, w.names.served_statuses,
                    w.names.failures, w.names.in_flight, w.names.waiting, w.names.cpu_seconds, w.path, w.rate_window);
  };
  return parts(a) == parts(b);
}

/// A pod that is being asked.
struct Asked {
  std::string key;
  std::uint64_t workload = 0;  // its number
  std::int64_t id = 0;
  MetricNames names;
};

/// What it said, nullopt when it did not. The page is gone after that.
std::optional<PageFigures> page_of(Result<net::HttpReply> reply, const MetricNames& names) {
  if (!reply || reply->status != 200) return std::nullopt;
  const auto page = parse_exposition(reply->body);
  return page ? std::optional(figures_of(names, *page)) : std::nullopt;
}

}  // namespace

struct Scraper::Impl {
  explicit Impl(const ScraperSettings& the_settings) : settings(the_settings) {
    for (const bool of_suspects : {false, true}) threads.emplace_back([this, of_suspects] { run(of_suspects); });
  }
  ~Impl() {
    {
      const std::scoped_lock lock(mutex);
      is_stopping = true;
    }
    wake.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void run(bool of_suspects) {
    net::HttpClient client(
        {.timeout = settings.time_limit, .max_body_bytes = settings.max_page_bytes, .proxy_from_environment = false});
    std::unique_lock lock(mutex);
    while (!is_stopping) {
      std::vector<Asked> asked;
      std::vector<std::string> urls;
      const Duration now = os::monotonic_now();
      const Duration next = take_due(of_suspects, now, asked, urls);
      if (asked.empty()) {
        wake.wait_for(lock, next - now);
        continue;
      }
      lock.unlock();
      auto replies = client.get_all(urls);
      std::vector<std::optional<PageFigures>> pages;
      for (std::size_t i = 0; i < asked.size(); ++i) pages.push_back(page_of(std::move(replies[i]), asked[i].names));
      lock.lock();
      for (std::size_t i = 0; i < asked.size(); ++i) record(asked[i], TimePoint(now), pages[i]);
      wake.notify_all();
    }
  }

  /// Marks kMostAtOnce of those that are due as asked, those first that have been due longest: when they are more than
  /// can be asked in an interval, each has its turn. Returns when something will be due.
  Duration take_due(bool of_suspects, Duration now, std::vector<Asked>& asked, std::vector<std::string>& urls) {
    struct Due {
      const std::string* key;
      const Workload* workload;
      std::int64_t id;
      Target* target;
    };
    std::erase_if(workloads, [&](const auto& one) {
      const Duration limit = one.second.settings.forget_after;
      return limit > Duration::zero() && now - one.second.wanted > limit;
    });
    std::vector<Due> due;
    Duration next = now + kLongestWait;
    for (auto& [key, workload] : workloads) {
      for (auto& [id, target] : workload.targets) {
        if (target.is_suspect != of_suspects || target.is_asked) continue;
        if (target.next > now)
          next = std::min(next, target.next);
        else
          due.push_back({&key, &workload, id, &target});
      }
    }
    const auto first = due.begin(), end = first + static_cast<std::ptrdiff_t>(std::min(due.size(), kMostAtOnce));
    std::ranges::partial_sort(first, end, due.end(), {}, [](const Due& one) { return one.target->next; });
    for (const Due& one : std::span(first, end)) {
      one.target->is_asked = true;
      one.target->next = after(now, one.target->phase);
      asked.push_back({*one.key, one.workload->number, one.id, one.workload->settings.names});
      urls.push_back(cat("http://", one.target->address, one.workload->settings.path));
    }
    return next;
  }

  /// The first instant of this phase after `now`.
  Duration after(Duration now, Duration phase) const {
    return now - (now - phase) % settings.interval + settings.interval;
  }

  void record(const Asked& asked, TimePoint at, const std::optional<PageFigures>& page) {
    const auto found = workloads.find(asked.key);
    if (found == workloads.end() || found->second.number != asked.workload) return;
    const auto target = found->second.targets.find(asked.id);
    if (target == found->second.targets.end()) return;
    target->second.is_asked = false;
    target->second.is_suspect = !page;
    if (page)
      found->second.window.answered(asked.id, at, *page);
    else
      found->second.window.missed(asked.id);
  }

  ScraperSettings settings;
  std::mutex mutex;  // guards all below but the threads
  std::condition_variable wake;
  std::map<std::string, Workload> workloads;
  std::uint64_t last_number = 0;
  bool is_stopping = false;
  std::vector<std::thread> threads;
};

Scraper::Scraper(const ScraperSettings& settings) {
  MPCA_CHECK(settings.interval > Duration::zero() && settings.slots > 0, "a scraper needs an interval and slots");
  impl_ = std::make_unique<Impl>(settings);
}
Scraper::~Scraper() = default;

void Scraper::set_workload(const std::string& key, const ScrapedWorkload& workload) {
  const Duration now = os::monotonic_now();
  const Duration slot = impl_->settings.interval / impl_->settings.slots;
  {
    const std::scoped_lock lock(impl_->mutex);
    auto [entry, is_new] = impl_->workloads.try_emplace(key, workload, impl_->settings.interval, ++impl_->last_number);
    if (!is_new && !are_measured_alike(entry->second.settings, workload))
      entry->second = Workload(workload, impl_->settings.interval, ++impl_->last_number);
    entry->second.wanted = now;
    entry->second.settings.forget_after = workload.forget_after;
    auto& targets = entry->second.targets;
    std::vector<std::int64_t> ids;
    for (const ScrapeTarget& target : workload.targets) {
      ids.push_back(target.id);
      const auto [known, is_first] = targets.try_emplace(target.id);
      known->second.address = target.address;
      if (!is_first) continue;
      const auto hash = stable_hash(cat(key, "/", target.id));
      known->second.phase = slot * static_cast<int>(hash % static_cast<std::uint32_t>(impl_->settings.slots));
      known->second.next = now;
    }
    std::ranges::sort(ids);
    std::erase_if(targets, [&](const auto& one) { return !std::ranges::binary_search(ids, one.first); });
    entry->second.window.set_pods(ids);
  }
  impl_->wake.notify_all();
}

void Scraper::remove_workload(const std::string& key) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->workloads.erase(key);
}

WorkloadReading Scraper::read(const std::string& key) {
  const std::scoped_lock lock(impl_->mutex);
  const auto found = impl_->workloads.find(key);
  if (found == impl_->workloads.end()) return {};
  found->second.wanted = os::monotonic_now();
  return found->second.window.read(TimePoint(found->second.wanted));
}

bool Scraper::wait_until_answering(const std::string& key, Duration limit) {
  std::unique_lock lock(impl_->mutex);
  return impl_->wake.wait_for(lock, limit, [&] {
    const auto found = impl_->workloads.find(key);
    if (found == impl_->workloads.end()) return false;
    return std::ranges::any_of(found->second.targets, [](const auto& one) { return !one.second.is_suspect; });
  });
}

}  // namespace mpca::prom
