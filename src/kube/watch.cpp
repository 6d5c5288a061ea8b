#include "kube/watch.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "core/os/pause.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/json.h"
#include "net/url.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

constexpr std::uint64_t kShortestWatchSeconds = 240, kWatchSpreadSeconds = 60;  // below the client's idle limit
constexpr Duration kForbiddenWait = std::chrono::minutes(1);
constexpr int kMostFailures = 30;
constexpr int kGone = 410;

std::string key_of(const json& object) {
  return cat(net::text_at(object, "metadata", "namespace"), "/", net::text_at(object, "metadata", "name"));
}

}  // namespace

WatchLoop::WatchLoop(std::string path, RandomStream random) : path_(std::move(path)), random_(random) {}

WatchLoop::Step WatchLoop::next() {
  using Kind = Step::Kind;
  if (wait_) return {.kind = Kind::wait, .wait = *std::exchange(wait_, std::nullopt)};
  if (version_.empty()) return {.kind = Kind::list, .path = path_, .continue_token = continue_token_};
  was_heard_ = false;
  const std::uint64_t timeout_s = kShortestWatchSeconds + random_.below(kWatchSpreadSeconds);
  return {.kind = Kind::watch,
          .path = cat(path_, path_.find('?') == std::string::npos ? '?' : '&',
                      "watch=1&allowWatchBookmarks=true&resourceVersion=", net::percent_encoded(version_),
                      "&timeoutSeconds=", timeout_s)};
}

void WatchLoop::list_again() {
  version_.clear();
  continue_token_.clear();
  listed_.clear();
}

void WatchLoop::back_off(Duration at_least) {
  wait_ = at_least + full_jitter(failures_, random_);
  failures_ = std::min(failures_ + 1, kMostFailures);
}

void WatchLoop::back_off(const ApiError& error) {
  back_off(error.failure == Failure::forbidden ? kForbiddenWait : error.retry_after.value_or(Duration{}));
}

void WatchLoop::on_page(const std::string& body, const OnChange& on_change) {
  const json page = net::parse_json(body);
  const json& items = net::json_at(page, "items");
  const std::string version = net::text_at(page, "metadata", "resourceVersion");
  if (version.empty() || !(items.is_array() || items.is_null())) {
    list_again();
    back_off();
    return;
  }
  for (const json& item : items) {
    listed_[key_of(item)] = {net::text_at(item, "metadata", "uid"), net::text_at(item, "metadata", "resourceVersion"),
                             net::json_text(item)};
  }
  continue_token_ = net::text_at(page, "metadata", "continue");
  if (!continue_token_.empty()) return;
  version_ = version;
  tell_difference(on_change);
}

void WatchLoop::tell_difference(const OnChange& on_change) {
  using Kind = Change::Kind;
  for (const auto& [key, known] : known_) {
    const auto found = listed_.find(key);
    if (found == listed_.end() || found->second.uid != known.uid) tell(Kind::deleted, key, known.uid, {}, on_change);
  }
  for (auto& [key, listed] : listed_) {
    const auto known = known_.find(key);
    const bool is_new = known == known_.end() || known->second.uid != listed.uid;
    std::string object = std::exchange(listed.object, {});
    if (is_new || known->second.version != listed.version)
      tell(is_new ? Kind::added : Kind::modified, key, listed.uid, std::move(object), on_change);
  }
  known_ = std::exchange(listed_, {});
  has_synced_ = true;
}

void WatchLoop::tell(Change::Kind kind, const std::string& key, const std::string& uid, std::string object,
                     const OnChange& on_change) const {
  const std::size_t slash = key.find('/');
  on_change({kind, key.substr(0, slash), key.substr(slash + 1), uid, std::move(object)});
}

void WatchLoop::on_list_failed(const ApiError& error) {
  const bool had_pages = !continue_token_.empty();
  list_again();
  // Pages that have expired are listed anew at once, but not again and again.
  if (error.failure == Failure::gone && had_pages && failures_ == 0) {
    ++failures_;
    return;
  }
  back_off(error);
}

bool WatchLoop::on_line(std::string_view line, const OnChange& on_change) {
  using Kind = Change::Kind;
  if (line.empty()) return true;
  const json event = net::parse_json(line);
  const std::string type = net::text_at(event, "type");
  const json& object = net::json_at(event, "object");
  if (type == "ERROR") {
    const bool is_gone = net::integer_at(object, "code") == kGone;
    list_again();
    if (is_gone && failures_ == 0) {
      ++failures_;
    } else {
      const auto after = net::integer_at(object, "details", "retryAfterSeconds");
      back_off(std::chrono::seconds(std::clamp<std::int64_t>(after.value_or(0), 0, 3600)));
    }
    was_heard_ = true;
    return false;
  }
  const std::string version = net::text_at(object, "metadata", "resourceVersion");
  if (version.empty()) return false;  // not of this protocol; on_watch_ended() backs off
  const bool is_change = type == "ADDED" || type == "MODIFIED" || type == "DELETED";
  if (is_change) {
    const std::string key = key_of(object);
    const std::string uid = net::text_at(object, "metadata", "uid");
    const auto known = known_.find(key);
    const bool was_another = known != known_.end() && known->second.uid != uid;
    const bool is_known = known != known_.end() && !was_another;
    if (was_another) tell(Kind::deleted, key, known->second.uid, {}, on_change);
    if (type == "DELETED") {
      if (known != known_.end()) known_.erase(known);
      if (!was_another) tell(Kind::deleted, key, uid, net::json_text(object), on_change);
    } else {
      known_[key] = {uid, version};
      tell(is_known ? Kind::modified : Kind::added, key, uid, net::json_text(object), on_change);
    }
  }
  version_ = version;
  was_heard_ = true;
  failures_ = 0;
  return true;
}

void WatchLoop::on_watch_ended(const ApiResult<void>& end) {
  if (version_.empty() || wait_) return;  // an ERROR event has said what is next
  if (!end && end.error().failure == Failure::gone) {
    list_again();
    if (std::exchange(failures_, failures_ + 1) > 0) back_off();
    return;
  }
  if (!end && end.error().status != 0) {
    back_off(end.error());
  } else if (!was_heard_) {
    back_off();
  }
}

// ---- the thread ----

struct Watcher::Impl {
  Client client;
  WatchLoop loop;
  OnChange on_change;
  std::atomic<bool> has_synced = false;
  mutable std::mutex mutex{};  // of what follows
  std::optional<ApiError> failure{};
  Duration failing_since{};  // monotonic
  std::jthread thread{};

  void note(std::optional<ApiError> error) {
    const std::scoped_lock lock(mutex);
    if (error && !failure) failing_since = os::monotonic_now();
    failure = std::move(error);
  }

  void run(const std::stop_token& stop) {
    using Kind = WatchLoop::Step::Kind;
    while (!stop.stop_requested()) {
      const WatchLoop::Step step = loop.next();
      switch (step.kind) {
        case Kind::wait:
          os::pause(stop, step.wait);
          break;
        case Kind::list:
          list(step);
          break;
        case Kind::watch:
          watch(step, stop);
          break;
      }
    }
  }

  void list(const WatchLoop::Step& step) {
    const auto page = client.list_page(step.path, step.continue_token);
    if (page) {
      loop.on_page(*page, on_change);
      note(std::nullopt);
      has_synced = loop.has_synced();
    } else {
      loop.on_list_failed(page.error());
      note(page.error());
    }
  }

  void watch(const WatchLoop::Step& step, const std::stop_token& stop) {
    const auto end = client.stream(
        step.path, stop, [this](std::string_view line) { return loop.on_line(line, on_change); },
        [this] { note(std::nullopt); });
    loop.on_watch_ended(end);
    note(end ? std::nullopt : std::optional(end.error()));
  }
};

Watcher::Watcher(Client client, std::string path, RandomStream random, OnChange on_change)
    : impl_(new Impl{std::move(client), WatchLoop(std::move(path), random), std::move(on_change)}) {
  impl_->thread = std::jthread([impl = impl_.get()](const std::stop_token& stop) { impl->run(stop); });
}

Watcher::~Watcher() {
  impl_->thread.request_stop();
  impl_->thread.join();
}

bool Watcher::has_synced() const { return impl_->has_synced; }

std::optional<Watcher::Trouble> Watcher::trouble() const {
  const std::scoped_lock lock(impl_->mutex);
  if (!impl_->failure) return std::nullopt;
  return Trouble{*impl_->failure, os::monotonic_now() - impl_->failing_since};
}

}  // namespace mpca::kube
