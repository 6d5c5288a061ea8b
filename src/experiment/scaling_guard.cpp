#include "experiment/scaling_guard.h"

#include <algorithm>

#include "core/text.h"
#include "net/json.h"

namespace mpca::experiment {
namespace {

using net::json_text;
using nlohmann::json;

constexpr int kMostTries = 10;
constexpr Duration kGoneLimit = std::chrono::seconds(30);
constexpr Duration kLook = std::chrono::seconds(1);
constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kLongestPause = std::chrono::seconds(15);
constexpr const char* kHpaApi = "autoscaling/v2";
constexpr const char* kMark = "experiment.mpc.dev/last-round";

std::string hpa_called(std::string_view name) { return cat("HorizontalPodAutoscaler ", name); }

/// nullopt: there is none.
kube::ApiResult<std::optional<std::string>> get_if_there(kube::Client& client, const std::string& path) {
  auto body = client.get(path);
  if (body) return std::optional(*std::move(body));
  if (body.error().failure == kube::Failure::not_found) return std::nullopt;
  return std::unexpected(std::move(body).error());
}

Result<void> write_again(kube::Client& client, const Target& target, const SavedScaling& saved) {
  const json data = {{"data", net::json_at(net::parse_json(config_map_of(saved, target)), "data")}};
  const auto written = client.patch(saved_path(target), kube::PatchKind::merge, json_text(data));
  if (!written) return std::unexpected(to_error(written.error()));
  return {};
}

/// Of the very object that was read.
kube::ApiResult<std::string> remove_as_read(kube::Client& client, const Target& target, const LiveHpa& hpa) {
  const json options = {{"apiVersion", "v1"},
                        {"kind", "DeleteOptions"},
                        {"preconditions", {{"uid", hpa.state.uid}, {"resourceVersion", hpa.state.resource_version}}}};
  return client.remove(hpa_path(target, hpa.state.name), kube::Priority::scale, json_text(options));
}

/// Deleted, and not gone while a finalizer keeps it.
bool is_going(const std::string& object) {
  return !net::text_at(net::parse_json(object), "metadata", "deletionTimestamp").empty();
}

void keep(SavedScaling& saved, const LiveHpa& hpa) {
  SavedHpa fresh = save_hpa(hpa);
  const auto old = std::ranges::find(saved.hpas, fresh.name, &SavedHpa::name);
  if (old == saved.hpas.end()) {
    saved.hpas.push_back(std::move(fresh));
  } else {
    *old = std::move(fresh);
  }
}

struct Repair {
  std::vector<std::string>& done;
  std::vector<std::string>& left;
};

Result<void> restore_replicas(kube::Client& client, const Target& target, int replicas, const Repair& repair) {
  const auto set = set_replicas(client, target, replicas);
  if (set) {
    repair.done.push_back(cat(describe(target), " has ", replicas, " replicas as before"));
    return {};
  }
  if (set.error().failure != kube::Failure::not_found) return std::unexpected(to_error(set.error()));
  repair.done.push_back(cat(describe(target), " is gone: nothing to scale"));
  return {};
}

Result<void> restore_hpa(kube::Client& client, const Target& target, const SavedHpa& saved, OnDifference on_difference,
                         const Repair& repair) {
  const auto live = get_if_there(client, hpa_path(target, saved.name));
  if (!live) return std::unexpected(to_error(live.error()));
  if (*live && is_going(**live))
    return fail(ErrorCode::io,
                cat(hpa_called(saved.name), " is being deleted and not gone yet; does it have a finalizer?"));
  HpaRepair what = repair_of(saved, live->value_or(std::string()));
  if (what == HpaRepair::differs && on_difference == OnDifference::overwrite) what = HpaRepair::put_back;
  switch (what) {
    case HpaRepair::nothing:
      repair.done.push_back(cat(hpa_called(saved.name), " is as it was"));
      return {};
    case HpaRepair::create: {
      const auto made = client.create(hpa_path(target), saved.object, kube::Priority::scale);
      // Somebody was faster, or it was made and the answer lost: the next look tells.
      if (!made) return std::unexpected(to_error(made.error()));
      repair.done.push_back(cat(hpa_called(saved.name), " is back"));
      return {};
    }
    case HpaRepair::put_back: {
      json object = net::parse_json(*live.value());
      if (!object.is_object()) return invalid(cat(hpa_called(saved.name), ": what the API server has is no object"));
      object["spec"] = net::parse_json(spec_of(saved.object));
      const auto put = client.put(hpa_path(target, saved.name), json_text(object), kube::Priority::scale);
      if (!put) return std::unexpected(to_error(put.error()));
      repair.done.push_back(cat(hpa_called(saved.name), " is as it was"));
      return {};
    }
    case HpaRepair::differs:
      if (on_difference == OnDifference::discard) {
        repair.done.push_back(cat(hpa_called(saved.name), " stays as somebody else has made it"));
      } else {
        repair.left.push_back(cat(hpa_called(saved.name),
                                  " exists with another spec than before the experiment, and was "
                                  "not overwritten. `mpc-autoscaler experiment restore` with --overwrite brings back "
                                  "what was saved in ConfigMap ",
                                  saved_name(target), ", with --discard forgets it"));
      }
      return {};
  }
  return {};
}

Result<void> repair_all(kube::Client& client, const Target& target, const SavedScaling& saved,
                        OnDifference on_difference, SavedWhen when, const Repair& repair) {
  const auto hpas = hpas_of(client, target);
  if (!hpas) return std::unexpected(to_error(hpas.error()));
  const auto scales = std::ranges::find_if(*hpas, [](const LiveHpa& hpa) { return !is_going(hpa.object); });
  std::optional<Error> failure;
  if (when == SavedWhen::long_ago && scales != hpas->end()) {
    repair.done.push_back(cat(describe(target), " keeps its replicas, since ", hpa_called(scales->state.name),
                              " has scaled it meanwhile"));
  } else if (const auto scaled = restore_replicas(client, target, saved.replicas, repair); !scaled) {
    failure = scaled.error();  // a Deployment that cannot be scaled must not keep its HPA away
  }
  for (const SavedHpa& hpa : saved.hpas) {
    const auto done = restore_hpa(client, target, hpa, on_difference, repair);
    if (!done && !failure) failure = done.error();
  }
  if (failure) return std::unexpected(*failure);
  return {};
}

}  // namespace

Result<std::string> save_scaling(kube::Client& client, const Target& target, const SavedScaling& saved) {
  const std::string map = config_map_of(saved, target);
  const auto made =
      client.create(kube::object_path("v1", target.namespace_name, "configmaps"), map, kube::Priority::scale);
  if (!made && made.error().failure == kube::Failure::already_exists)
    return fail(ErrorCode::already_exists,
                cat("ConfigMap ", saved_name(target), " is there: another experiment on ", describe(target)));
  if (!made) return std::unexpected(to_error(made.error()));
  return net::text_at(net::parse_json(*made), "metadata", "uid");
}

std::optional<std::string> owner_trouble(const LiveHpa& hpa) {
  const std::string& kind = hpa.state.scales.owner_kind;
  if (kind.empty()) return std::nullopt;
  if (kind == "ScaledObject") {
    return cat(hpa_called(hpa.state.name), " belongs to KEDA's ScaledObject ", hpa.state.owner_name,
               ", which makes it again. Pause that one for the experiment: kubectl annotate scaledobject ",
               hpa.state.owner_name, " autoscaling.keda.sh/paused=true");
  }
  return cat(hpa_called(hpa.state.name), " belongs to ", kind, " ", hpa.state.owner_name,
             ", which makes it again. Pause or remove that one for the experiment");
}

Result<void> remove_hpas(kube::Client& client, const Target& target, SavedScaling& saved, Clock& clock,
                         const std::stop_token& stop) {
  const TimePoint end = clock.now() + kGoneLimit;
  for (int tries = 0;;) {
    const auto hpas = hpas_of(client, target);
    if (!hpas) return std::unexpected(to_error(hpas.error()));
    if (hpas->empty()) return {};
    for (const LiveHpa& hpa : *hpas)
      if (const auto trouble = owner_trouble(hpa)) return invalid(*trouble);
    bool has_changed = false;
    for (const LiveHpa& hpa : *hpas) {
      const SavedHpa fresh = save_hpa(hpa);
      if (std::ranges::find(saved.hpas, fresh) == saved.hpas.end()) {
        keep(saved, hpa);
        MPCA_TRY_VOID(write_again(client, target, saved));
      }
      const auto removed = remove_as_read(client, target, hpa);
      if (removed || removed.error().failure == kube::Failure::not_found || removed.error().outcome_unknown) continue;
      // Its controller writes the status all the time, and each time it is another version.
      has_changed = removed.error().failure == kube::Failure::conflict && ++tries < kMostTries;
      if (has_changed) break;
      return std::unexpected(to_error(removed.error()));
    }
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
    if (clock.now() > end) {
      return fail(ErrorCode::io, cat(hpa_called(hpas->front().state.name), " was deleted and is still there after ",
                                     format_duration(kGoneLimit), "; does it have a finalizer?"));
    }
    if (!has_changed) clock.sleep_until(clock.now() + kLook);
  }
}

Result<void> set_cpu_target(kube::Client& client, const Target& target, SavedScaling& saved, int percent) {
  for (int i = 1;; ++i) {
    const auto hpas = hpas_of(client, target);
    if (!hpas) return std::unexpected(to_error(hpas.error()));
    if (hpas->size() != 1) return invalid(cat(describe(target), " has ", hpas->size(), " HorizontalPodAutoscalers"));
    const LiveHpa& hpa = hpas->front();
    if (hpa.state.cpu_target_percent == percent) return {};
    if (const auto trouble = owner_trouble(hpa)) return invalid(*trouble);
    MPCA_TRY(const std::string spec, spec_at_cpu_target(hpa, percent));
    keep(saved, hpa);
    std::ranges::find(saved.hpas, hpa.state.name, &SavedHpa::name)->spec_during = spec;
    MPCA_TRY_VOID(write_again(client, target, saved));
    json object = net::parse_json(hpa.object);
    object["apiVersion"] = kHpaApi;  // an item of a list does not say what it is
    object["kind"] = "HorizontalPodAutoscaler";
    object["spec"] = net::parse_json(spec);
    const auto put = client.put(hpa_path(target, hpa.state.name), json_text(object), kube::Priority::scale);
    if (put) return {};
    if (put.error().failure != kube::Failure::conflict || i == kMostTries)
      return std::unexpected(to_error(put.error()));
  }
}

void guard_round(kube::Client& client, const Target& target, const std::string& run, bool removes,
                 GuardFindings& findings, const OnWord& say) {
  const auto note = [&](const kube::ApiError& error) {
    if (findings.trouble != error.message) say(cat("guard: ", error.message));
    ++findings.failed;
    findings.trouble = error.message;
  };
  const auto is_over = [&](std::string why) {
    findings.over = std::move(why);
    say(cat("guard: ", findings.over));
  };
  ++findings.rounds;
  const auto map = get_if_there(client, saved_path(target));
  if (!map) return note(map.error());
  const auto saved = parse_config_map(map->value_or(std::string()));
  if (!saved || saved->run != run) {
    return is_over(cat("ConfigMap ", saved_name(target), *map ? " is not this run's any more" : " is gone",
                       ": somebody else has ended the experiment"));
  }
  // Of the very ConfigMap that was read. Each round writes another text, so its version moves.
  const json mark = {{"metadata",
                      {{"uid", net::text_at(net::parse_json(**map), "metadata", "uid")},
                       {"annotations", {{kMark, cat("number ", findings.rounds)}}}}}};
  if (const auto marked = client.patch(saved_path(target), kube::PatchKind::merge, json_text(mark)); !marked)
    return note(marked.error());
  if (!removes) return;
  const auto hpas = hpas_of(client, target);
  if (!hpas) return note(hpas.error());
  for (const LiveHpa& hpa : *hpas) {
    if (is_going(hpa.object)) continue;
    const auto known = std::ranges::find(saved->hpas, hpa.state.name, &SavedHpa::name);
    if (known == saved->hpas.end() || repair_of(*known, hpa.object) != HpaRepair::nothing) {
      return is_over(cat(hpa_called(hpa.state.name),
                         " has come, which is none of those that were saved: somebody else "
                         "has ",
                         describe(target), " scaled now"));
    }
    const auto removed = remove_as_read(client, target, hpa);
    if (removed) {
      ++findings.came_back;
      say(cat(hpa_called(hpa.state.name), " came back during the experiment and was removed again"));
    } else if (removed.error().failure != kube::Failure::not_found &&
               removed.error().failure != kube::Failure::conflict) {
      note(removed.error());
    }
  }
}

Result<std::optional<Restored>> restore_scaling(kube::Client& client, const Target& target, const std::string& run,
                                                OnDifference on_difference, SavedWhen when) {
  const auto map = get_if_there(client, saved_path(target));
  if (!map) return std::unexpected(to_error(map.error()));
  if (!*map) return std::nullopt;
  MPCA_TRY(const SavedScaling saved, parse_config_map(**map));
  if (!run.empty() && saved.run != run) return std::nullopt;
  Restored restored;
  MPCA_TRY_VOID(repair_all(client, target, saved, on_difference, when, {restored.done, restored.left}));
  if (!restored.left.empty()) return restored;
  const json options = {{"apiVersion", "v1"},
                        {"kind", "DeleteOptions"},
                        {"preconditions", {{"uid", net::text_at(net::parse_json(**map), "metadata", "uid")}}}};
  const auto removed = client.remove(saved_path(target), kube::Priority::scale, json_text(options));
  // A conflict: ours has gone, and another run has saved meanwhile.
  if (!removed && removed.error().failure != kube::Failure::not_found &&
      removed.error().failure != kube::Failure::conflict)
    return std::unexpected(to_error(removed.error()));
  return restored;
}

Result<Restored> restore_what_is_missing(kube::Client& client, const Target& target, const SavedScaling& saved) {
  const auto map = get_if_there(client, saved_path(target));
  if (!map) return std::unexpected(to_error(map.error()));
  Restored restored;
  if (*map) {
    restored.done.push_back(
        cat("another experiment has set aside how ", describe(target), " is scaled, and puts back what it has found"));
    return restored;
  }
  MPCA_TRY_VOID(
      repair_all(client, target, saved, OnDifference::discard, SavedWhen::long_ago, {restored.done, restored.left}));
  return restored;
}

Result<std::optional<Restored>> restore_with_patience(kube::Client& client, const Target& target,
                                                      const std::string& run, Duration patience, Clock& clock,
                                                      const std::stop_token& stop, const OnWord& say) {
  const TimePoint end = clock.now() + patience;
  Duration pause = kFirstPause;
  std::string said;
  while (true) {
    auto restored = restore_scaling(client, target, run);
    if (restored || clock.now() + pause > end || stop.stop_requested()) return restored;
    if (said != restored.error().message) say(cat("not restored yet, trying again: ", restored.error().message));
    said = restored.error().message;
    clock.sleep_until(clock.now() + pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

Result<std::optional<Restored>> restore_if_left_behind(kube::Client& client, const Target& target,
                                                       const std::string& run, Clock& clock,
                                                       const std::stop_token& stop, const OnWord& say,
                                                       OnDifference on_difference) {
  const auto version_of = [](const std::string& map) {
    return net::text_at(net::parse_json(map), "metadata", "resourceVersion");
  };
  auto map = get_if_there(client, saved_path(target));
  if (!map) return std::unexpected(to_error(map.error()));
  if (!*map) return std::nullopt;
  MPCA_TRY(const SavedScaling saved, parse_config_map(**map));
  if (!run.empty() && saved.run != run) return std::nullopt;
  say(cat("the experiment ", saved.run, " has set aside how ", describe(target),
          " is scaled; looking whether it is still under way"));
  const std::string version = version_of(**map);
  for (const TimePoint end = clock.now() + kLeftBehindAfter; clock.now() < end;) {
    if (stop.stop_requested()) return fail(ErrorCode::interrupted, "interrupted");
    clock.sleep_until(clock.now() + kLook);
    map = get_if_there(client, saved_path(target));
    if (!map) return std::unexpected(to_error(map.error()));
    if (!*map) return std::nullopt;
    if (version_of(**map) != version) {
      return fail(ErrorCode::already_exists, cat("the experiment ", saved.run, " is under way on ", describe(target),
                                                 "; wait until it has ended"));
    }
  }
  return restore_scaling(client, target, saved.run, on_difference, SavedWhen::long_ago);
}

}  // namespace mpca::experiment
