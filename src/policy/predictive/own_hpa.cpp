#include "policy/predictive/own_hpa.h"

#include <algorithm>
#include <numeric>

#include "core/text.h"
#include "policy/hpa/hpa_policy.h"

namespace mpca::policy {
namespace {

constexpr double kMostPods = 1e6;

/// FNV-1a, cut to what a double holds.
std::int64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  return static_cast<std::int64_t>(hash >> 11);
}

}  // namespace

OwnHpa::OwnHpa(std::unique_ptr<Policy> hpa, std::string_view settings)
    : hpa_(std::move(hpa)), name_(hash_of(settings)) {}

Result<std::unique_ptr<OwnHpa>> OwnHpa::create(std::string_view settings, const Workload& workload,
                                               std::string_view where) {
  std::string with_commas(settings);
  std::replace(with_commas.begin(), with_commas.end(), '+', ',');
  MPCA_TRY(auto hpa, create_hpa(with_commas, workload, where));
  return std::unique_ptr<OwnHpa>(new OwnHpa(std::move(hpa), settings));
}

int OwnHpa::decide(const Situation& now) {
  if (ready_ < 0) ready_ = std::max(now.spec_replicas, 0);
  std::erase_if(starting_, [&](const Starting& each) {
    const bool is_ready = now.now - each.asked >= now.readiness_lag;
    if (is_ready) ready_ += each.pods;
    return is_ready;
  });

  Observation seen;
  seen.now = now.now;
  seen.ready_replicas = seen.spec_replicas = ready_;
  for (const Starting& each : starting_) {
    seen.spec_replicas += each.pods;
    seen.starting_pod_ages.insert(seen.starting_pod_ages.end(), static_cast<std::size_t>(each.pods),
                                  now.now - each.asked);
  }
  const double served_rps = std::min(now.demand_rps, ready_ * now.capacity_rps);
  seen.served_rate_rps = Signal::fresh(served_rps);
  seen.failed_rate_rps = Signal::fresh(now.demand_rps - served_rps);
  seen.in_flight_requests = Signal::fresh(served_rps / now.capacity_rps);
  seen.cpu_cores = Signal::fresh(served_rps * now.cores_per_rps);
  const int replicas = hpa_->decide(seen).replicas;
  hold(replicas, now.now);
  return replicas;
}

/// Removed are the youngest first, as a ReplicaSet does.
void OwnHpa::hold(int replicas, TimePoint now) {
  int held = ready_;
  for (const Starting& each : starting_) held += each.pods;
  if (replicas > held) starting_.push_back({now, replicas - held});
  int surplus = held - replicas;
  while (surplus > 0 && !starting_.empty()) {
    const int removed = std::min(surplus, starting_.back().pods);
    starting_.back().pods -= removed;
    surplus -= removed;
    if (starting_.back().pods == 0) starting_.pop_back();
  }
  ready_ -= std::max(surplus, 0);
}

void OwnHpa::save(StateWriter& writer) const {
  writer.put("own_hpa_name", name_);
  writer.put("own_hpa_ready", std::int64_t{ready_});
  writer.put("own_hpa_cohorts", static_cast<std::int64_t>(starting_.size()));
  for (std::size_t i = 0; i < starting_.size(); ++i) {
    writer.put(cat("own_hpa_asked_", i), starting_[i].asked);
    writer.put(cat("own_hpa_pods_", i), std::int64_t{starting_[i].pods});
  }
  writer.put_state("own_hpa", hpa_->save_state());
}

Result<bool> OwnHpa::load(const StateReader& reader) {
  if (!reader.has("own_hpa_name")) return false;
  MPCA_TRY(const std::int64_t name, reader.integer("own_hpa_name"));
  if (name != name_) return false;
  const auto pods_of = [&](const std::string& line, int least) -> Result<int> {
    MPCA_TRY(const std::int64_t pods, reader.integer(line));
    if (pods < least || pods > static_cast<std::int64_t>(kMostPods))
      return invalid(cat("line \"", line, "\" of the state holds ", pods));
    return static_cast<int>(pods);
  };
  MPCA_TRY(const int ready, pods_of("own_hpa_ready", -1));
  MPCA_TRY(const int cohorts, pods_of("own_hpa_cohorts", 0));
  std::vector<Starting> starting;
  for (int i = 0; i < cohorts; ++i) {
    Starting& each = starting.emplace_back();
    MPCA_TRY(each.asked, reader.time(cat("own_hpa_asked_", i)));
    MPCA_TRY(each.pods, pods_of(cat("own_hpa_pods_", i), 1));
  }
  MPCA_TRY(const std::string state, reader.state("own_hpa"));
  MPCA_TRY_VOID(hpa_->load_state(state));
  ready_ = ready;
  starting_ = std::move(starting);
  return true;
}

}  // namespace mpca::policy
