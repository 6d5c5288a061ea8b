#include "policy/safety/signal_screen.h"

#include <algorithm>
#include <cmath>

namespace mpca::policy {
namespace {

// Sources that tell times as floating-point seconds round them.
constexpr Duration kSameTime = std::chrono::milliseconds(1);
constexpr Duration kOldest = std::chrono::hours(24 * 365);
constexpr double kRoundingError = 1e-9;
// In parts of what one replica serves.
constexpr double kNearlyNothing = 0.01;
constexpr double kSubstantial = 0.5;
// A rate that was believed may be far beyond the configured capacity; only a jump is doubtful.
constexpr double kJump = 2.0;
// Times the rate before. Launches and news bring tens; the total of a counter that is an hour old, read as the increase
// of 15 s, is 240.
constexpr double kGreatestSpike = 32.0;
constexpr double kBusy = 0.85;  // of the CPU of pods at capacity
constexpr double kLearningRate = 0.1;

/// About now, and not from before.
bool is_current(Finding finding) { return finding == Finding::good || finding == Finding::duplicate; }

}  // namespace

std::string_view words_of(Finding finding) {
  switch (finding) {
    case Finding::good:
      return "is good";
    case Finding::missing:
      return "is missing";
    case Finding::invalid:
      return "is missing: not a number >= 0";
    case Finding::stale:
      return "is stale";
    case Finding::duplicate:
      return "is not new: seen before";
    case Finding::reordered:
      return "is not new: older than one seen before";
    case Finding::zero_unconfirmed:
      return "is suspicious: fell to zero, not confirmed";
    case Finding::zero_contradicted:
      return "is suspicious: zero while requests are there or nothing is ready";
    case Finding::impossible:
      return "is suspicious: beyond what the ready pods can serve";
    case Finding::below_cpu:
      return "is suspicious: fell below what CPU speaks for";
  }
  return "";
}

void SignalScreen::screen(const Observation& raw, ScreenedObservation& out) {
  out.observation = raw;
  Observation& observation = out.observation;
  const TimePoint now = observation.now;
  if (state_.last_good == TimePoint::min() || state_.last_good > now) state_.last_good = now;

  out.served_rate = check(observation.served_rate_rps, now, state_.newest[0]);
  out.failed_rate = check(observation.failed_rate_rps, now, state_.newest[1]);
  out.in_flight = check(observation.in_flight_requests, now, state_.newest[2]);
  out.cpu = check(observation.cpu_cores, now, state_.newest[3]);
  const Coverage covered = coverage(observation);
  out.covered_share = covered.share;
  out.uncovered_pods = covered.uncovered_pods;
  const bool has_invalid =
      out.failed_rate == Finding::invalid || out.in_flight == Finding::invalid || out.cpu == Finding::invalid;

  Signal& served = observation.served_rate_rps;
  switch (out.served_rate) {
    case Finding::good:
      out.served_rate = judge(served.value, now - served.age, out);
      break;
    case Finding::duplicate:  // judged before; no greater than it was then
      if (state_.doubt != Finding::good) out.served_rate = state_.doubt;
      if (state_.trusted_rps >= 0.0) served.value = std::min(served.value, state_.trusted_rps);
      break;
    case Finding::stale:
    case Finding::reordered:
      if (is_impossible(served.value, out)) out.served_rate = Finding::impossible;
      break;
    default:
      state_.doubt_since = TimePoint::min();  // a doubt has to last without a gap
      break;
  }
  if (is_suspicious(out.served_rate)) replace_doubtful(out);

  if (out.served_rate == Finding::good) state_.last_good = now;
  out.blind_for = now - state_.last_good;
  out.is_clean =
      out.served_rate == Finding::good && !has_invalid && out.covered_share.value_or(1.0) >= settings_.least_coverage;
}

void SignalScreen::replace_doubtful(ScreenedObservation& out) const {
  Observation& observation = out.observation;
  Signal& served = observation.served_rate_rps;
  const double by_cpu = std::max(rate_by_cpu(out).value_or(0.0), 0.0);
  const bool is_zero = out.served_rate != Finding::impossible && out.served_rate != Finding::below_cpu;
  if (out.served_rate == Finding::zero_contradicted || out.served_rate == Finding::below_cpu) {
    served = Signal::stale(std::max(served.value, by_cpu), served.age);
  } else if (out.served_rate == Finding::impossible && by_cpu > 0.0) {
    served = Signal::stale(by_cpu, observation.cpu_cores.age);
  } else {
    served = {};
  }
  // An outage reads zero everywhere. What still tells something stays.
  const auto take_out_zero = [&](Signal& signal, Finding& finding) {
    if (!is_zero || !is_current(finding) || signal.value > 0.0) return;
    signal = {};
    finding = out.served_rate;
  };
  take_out_zero(observation.in_flight_requests, out.in_flight);
  take_out_zero(observation.cpu_cores, out.cpu);
}

Finding SignalScreen::check(Signal& signal, TimePoint now, TimePoint& newest) const {
  if (signal.quality == Quality::missing) {
    signal = {};
    return Finding::missing;
  }
  if (!std::isfinite(signal.value) || signal.value < -kRoundingError) {
    signal = {};
    return Finding::invalid;
  }
  signal.value = std::max(signal.value, 0.0);
  signal.age = std::clamp(signal.age, Duration::zero(), kOldest);
  const TimePoint sampled = now - signal.age;
  if (newest > now) newest = TimePoint::min();  // the clock was set back
  const bool is_older = newest != TimePoint::min() && sampled < newest - kSameTime;
  const bool is_new = newest == TimePoint::min() || sampled > newest + kSameTime;
  newest = std::max(newest, sampled);
  if (signal.quality == Quality::stale || signal.age > settings_.stale_after) {
    signal.quality = Quality::stale;
    return Finding::stale;
  }
  if (is_older) {
    signal.quality = Quality::stale;
    return Finding::reordered;
  }
  return is_new ? Finding::good : Finding::duplicate;
}

/// Cleans the pods' CPU on the way.
SignalScreen::Coverage SignalScreen::coverage(Observation& observation) const {
  const Signal& served = observation.served_rate_rps;
  const Signal& whole = served.quality == Quality::missing ? observation.cpu_cores : served;
  const TimePoint sampled = observation.now - (whole.quality == Quality::missing ? Duration::zero() : whole.age);
  Duration window{1};
  for (PodObservation& pod : observation.pods) {
    Signal& cpu = pod.cpu_cores;
    if (!std::isfinite(cpu.value) || cpu.value < -kRoundingError) cpu = {};
    cpu.age = std::clamp(cpu.age, Duration::zero(), kOldest);
    if (cpu.quality == Quality::fresh && cpu.age > settings_.stale_after) cpu.quality = Quality::stale;
    window = std::max(window, pod.cpu_window);
  }
  // A pod that became Ready within the window, or after it, has served for the rest of it, or not at all.
  double served_s = 0.0, covered_s = 0.0;
  bool is_any_covered = false;
  int uncovered_pods = 0;
  for (const PodObservation& pod : observation.pods) {
    if (!pod.is_ready || pod.is_terminating) continue;
    const bool is_covered = pod.cpu_cores.quality != Quality::missing;
    is_any_covered = is_any_covered || is_covered;
    uncovered_pods += is_covered ? 0 : 1;
    const double pod_s = to_seconds(std::clamp(sampled - pod.ready_changed, Duration::zero(), window));
    served_s += pod_s;
    covered_s += is_covered ? pod_s : 0.0;
  }
  if (!is_any_covered) return {};
  return {.share = served_s > 0.0 ? std::max(covered_s / served_s, 1e-3) : 1.0, .uncovered_pods = uncovered_pods};
}

Finding SignalScreen::judge(double served_rps, TimePoint sampled, ScreenedObservation& out) {
  const bool has_trusted = state_.trusted_rps >= 0.0;
  if (served_rps < kNearlyNothing * capacity_rps_) {
    if (is_contradicted(out)) {
      state_.doubt = Finding::zero_contradicted;
      state_.doubt_since = TimePoint::min();
      return state_.doubt;
    }
    if (has_trusted && state_.trusted_rps < kSubstantial * capacity_rps_) return believe(served_rps, out);
    if (!agrees_with_zero(out)) state_.doubt_since = TimePoint::min();
    // Idle pods use some CPU; ready ones that use none at all are not measured.
    const bool is_blank =
        is_current(out.cpu) && out.observation.cpu_cores.value <= 0.0 && out.observation.ready_replicas > 0;
    const Duration confirmation =
        is_blank ? std::max(settings_.blind_after, settings_.zero_confirmation) : settings_.zero_confirmation;
    if (doubt(Finding::zero_unconfirmed, sampled, confirmation)) return state_.doubt;
    return believe(served_rps, out);
  }

  if (is_impossible(served_rps, out)) {
    if (doubt(Finding::impossible, sampled, settings_.zero_confirmation)) return state_.doubt;
    return believe(served_rps, out);
  }

  const auto by_cpu = rate_by_cpu(out);
  // Requests that failed have cost CPU as well.
  const double answered_rps = served_rps + out.observation.failed_rate_rps.value_if_known().value_or(0.0);
  if (by_cpu && served_rps < state_.trusted_rps && answered_rps * settings_.cpu_disagreement < *by_cpu) {
    if (doubt(Finding::below_cpu, sampled, settings_.zero_confirmation)) return state_.doubt;
    state_.cpu_s_per_request = 0.0;  // a request costs something else now
  }
  return believe(served_rps, out);
}

bool SignalScreen::is_impossible(double served_rps, const ScreenedObservation& seen) const {
  const double possible = settings_.impossible_factor * capacity_rps_ * std::max(seen.observation.ready_replicas, 1);
  if (served_rps <= possible) return false;
  return state_.trusted_rps < 0.0 || (served_rps > kJump * state_.trusted_rps && !may_be_a_spike(served_rps, seen));
}

bool SignalScreen::may_be_a_spike(double served_rps, const ScreenedObservation& seen) const {
  if (served_rps > kGreatestSpike * std::max(state_.trusted_rps, capacity_rps_)) return false;
  if (seen.cpu == Finding::missing && state_.newest[3] == TimePoint::min()) return true;
  const auto by_cpu = rate_by_cpu(seen);
  if (!by_cpu) return false;
  const double full = capacity_rps_ * seen.observation.ready_replicas;
  // What idle pods use is in the CPU per request, so it is left in here.
  const double busy_cpu = kBusy * full * state_.cpu_s_per_request;
  return seen.observation.cpu_cores.value >= busy_cpu && *by_cpu <= settings_.impossible_factor * full;
}

bool SignalScreen::is_contradicted(const ScreenedObservation& seen) const {
  const Observation& observation = seen.observation;
  const int ready = observation.ready_replicas;
  // With nothing ready nothing is served, however much is asked for.
  if (ready == 0 && observation.spec_replicas > 0) return true;
  return (is_current(seen.in_flight) && observation.in_flight_requests.value > 0.0) ||
         (is_current(seen.failed_rate) && observation.failed_rate_rps.value >= kNearlyNothing * capacity_rps_) ||
         (is_current(seen.cpu) && observation.cpu_cores.value > settings_.idle_cpu_cores * std::max(ready, 1));
}

/// What this world has ever shown has to be there; that it reads nothing, is_contradicted() has seen.
bool SignalScreen::agrees_with_zero(const ScreenedObservation& seen) const {
  return (is_current(seen.in_flight) || state_.newest[2] == TimePoint::min()) &&
         (is_current(seen.cpu) || state_.newest[3] == TimePoint::min());
}

std::optional<double> SignalScreen::rate_by_cpu(const ScreenedObservation& seen) const {
  if (state_.cpu_s_per_request <= 0.0 || !is_current(seen.cpu)) return std::nullopt;
  const double busy = seen.observation.cpu_cores.value - settings_.idle_cpu_cores * seen.observation.ready_replicas;
  return busy / state_.cpu_s_per_request;
}

/// False: it has lasted long enough.
bool SignalScreen::doubt(Finding why, TimePoint sampled, Duration confirmation) {
  if (state_.doubt != why || state_.doubt_since == TimePoint::min()) state_.doubt_since = sampled;
  state_.doubt = why;
  return sampled - state_.doubt_since < confirmation;
}

Finding SignalScreen::believe(double served_rps, const ScreenedObservation& seen) {
  state_.doubt = Finding::good;
  state_.doubt_since = TimePoint::min();
  state_.trusted_rps = served_rps;
  if (seen.cpu == Finding::good && served_rps >= kSubstantial * capacity_rps_) {
    // With what idle pods use in it, so rather too much: what CPU speaks for is then rather too little, and a fall of
    // the load is not taken for a fault.
    const double now_s = seen.observation.cpu_cores.value / served_rps;
    double& known_s = state_.cpu_s_per_request;
    known_s = known_s > 0.0 ? known_s + kLearningRate * (now_s - known_s) : now_s;
  }
  return Finding::good;
}

void SignalScreen::save(StateWriter& writer) const {
  writer.put("screen_newest_served", state_.newest[0]);
  writer.put("screen_newest_failed", state_.newest[1]);
  writer.put("screen_newest_in_flight", state_.newest[2]);
  writer.put("screen_newest_cpu", state_.newest[3]);
  writer.put("screen_last_good", state_.last_good);
  writer.put("screen_doubt_since", state_.doubt_since);
  writer.put("screen_doubt", static_cast<std::int64_t>(state_.doubt));
  writer.put("screen_trusted_rps", state_.trusted_rps);
  writer.put("screen_cpu_s_per_request", state_.cpu_s_per_request);
}

Result<void> SignalScreen::load(const StateReader& reader) {
  State state;
  MPCA_TRY(state.newest[0], reader.time("screen_newest_served"));
  MPCA_TRY(state.newest[1], reader.time("screen_newest_failed"));
  MPCA_TRY(state.newest[2], reader.time("screen_newest_in_flight"));
  MPCA_TRY(state.newest[3], reader.time("screen_newest_cpu"));
  MPCA_TRY(state.last_good, reader.time("screen_last_good"));
  MPCA_TRY(state.doubt_since, reader.time("screen_doubt_since"));
  MPCA_TRY(const std::int64_t doubt, reader.integer("screen_doubt"));
  MPCA_TRY(state.trusted_rps, reader.number("screen_trusted_rps"));
  MPCA_TRY(state.cpu_s_per_request, reader.number("screen_cpu_s_per_request"));
  if (doubt != 0 && (doubt < static_cast<std::int64_t>(Finding::zero_unconfirmed) ||
                     doubt > static_cast<std::int64_t>(Finding::below_cpu)))
    return invalid("line \"screen_doubt\" of the state is not a doubt");
  if (!std::isfinite(state.trusted_rps) || !std::isfinite(state.cpu_s_per_request))
    return invalid("the state of the signal screen has a number that is not finite");
  state.doubt = static_cast<Finding>(doubt);
  state_ = state;
  return {};
}

}  // namespace mpca::policy
