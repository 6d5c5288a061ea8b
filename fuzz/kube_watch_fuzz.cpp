// Any bytes as what an API server answers a list and a watch, a line each: no crash, waits that end, and changes that
// make sense to who keeps a copy by them: nothing is modified that was not told of, or told twice as new.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "kube/watch.h"

namespace {

using namespace mpca;
using kube::Change;
using kube::WatchLoop;

constexpr Duration kLongestWait = std::chrono::hours(2);  // an hour of Retry-After and the jitter
constexpr int kMostSteps = 2000;

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  bool is_at_end() const { return text_.empty(); }
  std::string_view next() {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    return line;
  }

 private:
  std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Lines lines({reinterpret_cast<const char*>(data), size});
  WatchLoop loop("/api/v1/pods", RandomStream(1, "fuzz"));
  std::map<std::string, std::string> copy;  // uid by namespace/name
  const auto on_change = [&](const Change& change) {
    const std::string key = change.namespace_name + "/" + change.name;
    const auto known = copy.find(key);
    if (change.kind == Change::Kind::added) {
      MPCA_CHECK(known == copy.end(), "what is new was not there");
      copy.emplace(key, change.uid);
    } else if (change.kind == Change::Kind::modified) {
      MPCA_CHECK(known != copy.end() && known->second == change.uid, "what is modified was there");
    } else if (known != copy.end()) {
      copy.erase(known);
    }
    MPCA_CHECK(change.kind == Change::Kind::deleted || !change.object.empty(), "an object comes with it");
  };
  for (int i = 0; i < kMostSteps && !lines.is_at_end(); ++i) {
    const WatchLoop::Step step = loop.next();
    if (step.kind == WatchLoop::Step::Kind::wait) {
      MPCA_CHECK(step.wait >= Duration::zero() && step.wait <= kLongestWait, "a wait ends");
    } else if (step.kind == WatchLoop::Step::Kind::list) {
      loop.on_page(std::string(lines.next()), on_change);
    } else {
      MPCA_CHECK(loop.has_synced() && !loop.resource_version().empty(), "a watch goes on from a list");
      while (!lines.is_at_end() && loop.on_line(lines.next(), on_change)) {
      }
      loop.on_watch_ended({});
    }
  }
  return 0;
}
