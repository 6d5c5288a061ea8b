#include "control/cached_workload.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::control {
namespace {

// A watch that is later than this tells of something else.
constexpr Duration kLongestEcho = std::chrono::seconds(10);

/// Of the two kinds that every cluster has, no discovery is needed.
std::string known_resource(const TargetRef& ref) {
  if (ref.api_version != "apps/v1") return {};
  if (ref.kind == "Deployment") return "deployments";
  if (ref.kind == "StatefulSet") return "statefulsets";
  return {};
}

/// Versions of one resource are decimal numbers that rise (Kubernetes 1.35, KEP-5504); what is none is only equal.
bool has_reached(const std::string& version, const std::string& other) {
  const auto is_number = [](const std::string& text) {
    return !text.empty() && text.front() != '0' &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!is_number(version) || !is_number(other)) return version == other;
  return version.size() != other.size() ? version.size() > other.size() : version >= other;
}

}  // namespace

CachedWorkload::CachedWorkload(TargetRef target, const ClusterIndex& index, bool is_watched)
    : ref_(std::move(target)),
      index_(index),
      is_watched_(is_watched),
      scale_target_{.api_version = ref_.api_version,
                    .kind = ref_.kind,
                    .namespace_name = ref_.namespace_name,
                    .name = ref_.name,
                    .resource = known_resource(ref_)} {}

LiveResult<void> CachedWorkload::find_resource() {
  if (!scale_target_.resource.empty()) return {};
  kube::Discovery discovery;
  auto resource = discovery.scalable_resource(*client_, ref_.api_version, ref_.kind);
  if (!resource) return std::unexpected(live_error(resource.error()));
  scale_target_.resource = *std::move(resource);
  return {};
}

LiveResult<TargetState> CachedWorkload::ask() {
  if (auto found = find_resource(); !found) return std::unexpected(found.error());
  const auto scale = kube::get_scale(*client_, scale_target_, kube::Priority::scale);
  if (!scale) return std::unexpected(live_error(scale.error()));
  return TargetState{.spec_replicas = scale->spec_replicas,
                     .version = scale->resource_version,
                     .selector = kube::LabelSelector::parse(scale->selector)};
}

LiveResult<WorkloadView> CachedWorkload::read(TimePoint now) {
  last_read_ = now;
  TargetState state;
  if (is_watched_ && !must_ask_) {
    auto known = index_.target(ref_);
    if (!known)
      return std::unexpected(LiveError{
          Trouble::not_found, cat(ref_.kind, " ", ref_.namespace_name, "/", ref_.name, ": there is no such object")});
    state = *std::move(known);
    if (written_ && (has_reached(state.version, written_->version) || now - written_->at > kLongestEcho))
      written_.reset();
    if (written_) {
      state.spec_replicas = written_->replicas;
      state.version = written_->version;
    }
  } else {
    auto asked = ask();
    if (!asked) return std::unexpected(asked.error());
    state = *std::move(asked);
    must_ask_ = false;
    written_.reset();
  }
  WorkloadView view;
  view.spec_replicas = state.spec_replicas;
  view.version = state.version;
  if (state.selector) {
    numbers_.show(index_.pods(ref_.namespace_name, *state.selector), now, view);
  } else {
    return std::unexpected(LiveError{Trouble::refused, cat(ref_.kind, " ", ref_.namespace_name, "/", ref_.name,
                                                           ": has no selector that tells its pods")});
  }
  return view;
}

LiveResult<void> CachedWorkload::set_replicas(int replicas, const std::string& version) {
  if (auto found = find_resource(); !found) return std::unexpected(found.error());
  const auto written = kube::patch_scale(*client_, scale_target_, replicas, version);
  if (!written) {
    must_ask_ = true;
    return std::unexpected(live_error(written.error()));
  }
  written_ = {.replicas = replicas, .version = written->resource_version, .at = last_read_};
  return {};
}

}  // namespace mpca::control
