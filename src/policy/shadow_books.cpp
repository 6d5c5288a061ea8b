#include "policy/shadow_books.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/state_text.h"
#include "core/text.h"

namespace mpca::policy {
namespace {

constexpr int kLongestInterval = 4;  // periods; of more time nobody knows what it was like
constexpr int kStateVersion = 1;
constexpr double kSecondsPerHour = 3600.0;
constexpr double kLongestLagSeconds = 1e6;

double late_rps(double demand_rps, double ready, double capacity_rps) {
  return std::max(demand_rps - ready * capacity_rps, 0.0);
}

Duration readiness_lag_of(const Explanation& explanation, Duration otherwise) {
  const auto learned_s = named_value(explanation, "readiness_lag_s");
  const bool is_possible = learned_s && *learned_s >= 0.0 && *learned_s < kLongestLagSeconds;
  return is_possible ? from_seconds(*learned_s) : otherwise;
}

double capacity_of(const Explanation& explanation, double otherwise) {
  const auto learned = named_value(explanation, "capacity_rps");
  return learned && *learned > 0.0 && std::isfinite(*learned) ? *learned : otherwise;
}

std::vector<ShadowFleet::Starting> starting_of(const Observation& observation) {
  std::vector<ShadowFleet::Starting> starting;
  for (const Duration age : observation.starting_pod_ages) starting.push_back({observation.now - age, 1});
  return starting;
}

}  // namespace

ShadowBooks::ShadowBooks(const Workload& workload, const ShadowPrior& prior) : workload_(workload), prior_(prior) {}

std::optional<ShadowEntry> ShadowBooks::observe(const Observation& observation, const Decision& decision) {
  const Explanation& explanation = decision.explanation;
  const TimePoint now = observation.now;
  const Duration readiness_lag = readiness_lag_of(explanation, prior_.readiness_lag);
  std::optional<ShadowEntry> booked;
  if (!fleet_.has_begun()) {
    fleet_.begin(observation.ready_replicas, starting_of(observation));
    figures_.since = now;
  } else if (now <= figures_.until) {
    return std::nullopt;
  } else {
    ShadowEntry& entry = booked.emplace();
    entry.length = std::min(now - figures_.until, kLongestInterval * workload_.period);
    entry.from = now - entry.length;
    entry.demand_rps = explanation.demand_rps;
    entry.capacity_rps = capacity_of(explanation, workload_.capacity_rps);
    entry.replicas = spec_replicas_;
    entry.ready_replicas = 0.5 * (ready_replicas_ + observation.ready_replicas);
    entry.would_be_replicas = fleet_.held();
    if (entry.demand_rps)
      entry.late_rps = 0.5 * (late_rps(*entry.demand_rps, ready_replicas_, entry.capacity_rps) +
                              late_rps(*entry.demand_rps, observation.ready_replicas, entry.capacity_rps));
    book_would_be(now, readiness_lag, entry);

    const double length_s = to_seconds(entry.length);
    figures_.booked += entry.length;
    figures_.replica_hours += entry.replicas * length_s / kSecondsPerHour;
    figures_.would_be_replica_hours += entry.would_be_replicas * length_s / kSecondsPerHour;
    figures_.demand_requests += entry.demand_rps.value_or(0.0) * length_s;
    figures_.late_requests += entry.late_rps * length_s;
    figures_.would_be_late_requests += entry.would_be_late_rps * length_s;
    if (!entry.demand_rps) figures_.unknown += entry.length;
  }
  figures_.until = now;
  spec_replicas_ = std::max(observation.spec_replicas, 0);
  ready_replicas_ = std::max(observation.ready_replicas, 0);
  fleet_.look(now, readiness_lag);
  fleet_.hold(std::max(decision.replicas, 0), now);
  return booked;
}

/// Exact: between two moments at which pods become Ready nothing changes.
void ShadowBooks::book_would_be(TimePoint to, Duration readiness_lag, ShadowEntry& entry) {
  fleet_.look(entry.from, readiness_lag);
  const double length_s = to_seconds(entry.length);
  double ready = fleet_.ready();
  TimePoint from = entry.from;
  const auto book_until = [&](TimePoint end) {
    const double share = to_seconds(end - from) / length_s;
    entry.would_be_ready_replicas += share * ready;
    if (entry.demand_rps) entry.would_be_late_rps += share * late_rps(*entry.demand_rps, ready, entry.capacity_rps);
    from = end;
  };
  for (const ShadowFleet::Starting& each : fleet_.starting()) {
    if (to - each.asked < readiness_lag) break;
    book_until(std::max(each.asked + readiness_lag, from));
    ready += each.pods;
  }
  book_until(to);
}

std::string ShadowBooks::save_state() const {
  StateWriter writer("shadow-books", kStateVersion);
  writer.put("since", figures_.since);
  writer.put("until", figures_.until);
  writer.put("booked_ns", figures_.booked.count());
  writer.put("unknown_ns", figures_.unknown.count());
  writer.put("sums", std::array{figures_.replica_hours, figures_.would_be_replica_hours, figures_.demand_requests,
                                figures_.late_requests, figures_.would_be_late_requests});
  writer.put("spec", std::int64_t{spec_replicas_});
  writer.put("ready", std::int64_t{ready_replicas_});
  fleet_.save("would_be", writer);
  return writer.take();
}

Result<void> ShadowBooks::load_state(std::string_view state) {
  MPCA_TRY(const StateReader reader, StateReader::open(state, "shadow-books", kStateVersion));
  ShadowFigures figures;
  ShadowFleet fleet;
  MPCA_TRY(figures.since, reader.time("since"));
  MPCA_TRY(figures.until, reader.time("until"));
  const auto count = [&](std::string_view name, std::int64_t most) -> Result<std::int64_t> {
    MPCA_TRY(const std::int64_t number, reader.integer(name));
    if (number < 0 || number > most) return invalid(cat("line \"", name, "\" of the state holds ", number));
    return number;
  };
  constexpr std::int64_t kMostPods = 1'000'000, kForever = std::int64_t{1} << 62;
  MPCA_TRY(const std::int64_t booked, count("booked_ns", kForever));
  MPCA_TRY(const std::int64_t unknown, count("unknown_ns", kForever));
  MPCA_TRY(const std::int64_t spec, count("spec", kMostPods));
  MPCA_TRY(const std::int64_t ready, count("ready", kMostPods));
  MPCA_TRY(const std::vector<double> sums, reader.numbers("sums"));
  const auto is_amount = [](double sum) { return sum >= 0.0 && std::isfinite(sum); };
  if (sums.size() != 5 || !std::all_of(sums.begin(), sums.end(), is_amount))
    return invalid("line \"sums\" of the state has to hold five amounts");
  MPCA_TRY_VOID(fleet.load("would_be", reader));
  figures.booked = Duration(booked);
  figures.unknown = Duration(unknown);
  figures.replica_hours = sums[0];
  figures.would_be_replica_hours = sums[1];
  figures.demand_requests = sums[2];
  figures.late_requests = sums[3];
  figures.would_be_late_requests = sums[4];
  figures_ = figures;
  fleet_ = std::move(fleet);
  spec_replicas_ = static_cast<int>(spec);
  ready_replicas_ = static_cast<int>(ready);
  return {};
}

}  // namespace mpca::policy
