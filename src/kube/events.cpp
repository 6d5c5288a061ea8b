#include "kube/events.h"

#include "core/text.h"
#include "kube/internal/time_text.h"
#include "kube/scale.h"
#include "net/json.h"

namespace mpca::kube {
namespace {

using nlohmann::json;

constexpr const char* kApiVersion = "events.k8s.io/v1";
constexpr std::size_t kLongestNote = 1024;
constexpr Duration kSeriesEnds = std::chrono::minutes(6);  // client-go's finishTime
constexpr Duration kWriteAtMostEach = std::chrono::minutes(1);

/// Whole UTF-8 letters only.
std::string cut_note(const std::string& note) {
  if (note.size() <= kLongestNote) return note;
  std::size_t end = kLongestNote;
  while (end > 0 && (static_cast<unsigned char>(note[end]) & 0xC0) == 0x80) --end;
  return note.substr(0, end);
}

std::string key_of(const Event& event) {
  const ObjectReference& about = event.regarding;
  return cat(about.api_version, "\n", about.kind, "\n", about.namespace_name, "\n", about.name, "\n", about.uid, "\n",
             event.is_warning ? 'W' : 'N', event.reason, "\n", event.action);
}

}  // namespace

ApiResult<void> EventRecorder::record(Client& client, const Event& event, TimePoint now) {
  std::erase_if(series_, [&](const auto& entry) { return now - entry.second.last_seen > kSeriesEnds; });
  const std::string key = key_of(event);
  const auto found = series_.find(key);
  if (found == series_.end()) return create(client, event, now, key);
  Series& series = found->second;
  ++series.count;
  series.last_seen = now;
  const bool is_first_repetition = series.count == 2;
  if (!is_first_repetition && now - series.last_written < kWriteAtMostEach) return {};
  series.last_written = now;
  const json patch = {{"series", {{"count", series.count}, {"lastObservedTime", internal::micro_time(now)}}}};
  const auto written = client.patch(series.path, PatchKind::merge, net::json_text(patch));
  if (written) return {};
  if (written.error().failure != Failure::not_found) return std::unexpected(written.error());
  // Events are kept for an hour only.
  series_.erase(found);
  return create(client, event, now, key);
}

ApiResult<void> EventRecorder::create(Client& client, const Event& event, TimePoint now, const std::string& key) {
  const ObjectReference& about = event.regarding;
  const std::string space = about.namespace_name.empty() ? "default" : about.namespace_name;
  json regarding = {{"apiVersion", about.api_version}, {"kind", about.kind}, {"name", about.name}};
  if (!about.namespace_name.empty()) regarding["namespace"] = about.namespace_name;
  if (!about.uid.empty()) regarding["uid"] = about.uid;
  const json object = {{"apiVersion", kApiVersion},
                       {"kind", "Event"},
                       // A dash: with a point at its end the API server refuses it as a name.
                       {"metadata", {{"generateName", about.name + "-"}, {"namespace", space}}},
                       {"eventTime", internal::micro_time(now)},
                       {"reportingController", controller_},
                       {"reportingInstance", instance_},
                       {"type", event.is_warning ? "Warning" : "Normal"},
                       {"reason", event.reason},
                       {"action", event.action},
                       {"note", cut_note(event.note)},
                       {"regarding", std::move(regarding)}};
  const auto made = client.create(object_path(kApiVersion, space, "events"), net::json_text(object));
  if (!made) return std::unexpected(made.error());
  const std::string name = net::text_at(net::parse_json(*made), "metadata", "name");
  series_[key] = {.path = object_path(kApiVersion, space, "events", name), .last_seen = now, .last_written = now};
  return {};
}

}  // namespace mpca::kube
