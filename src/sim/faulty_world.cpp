#include "sim/faulty_world.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/result.h"

namespace mpca::sim {
namespace {

using policy::Observation;
using policy::PodObservation;
using policy::Quality;
using policy::Signal;

enum class Kind { missing, stale, nan, zero, half, skew, reset, duplicate, reordered };
constexpr std::array<std::string_view, 9> kKinds = {"missing", "stale", "nan",       "zero",     "half",
                                                    "skew",    "reset", "duplicate", "reordered"};
constexpr double kGreatestSkewS = 30.0;
constexpr Duration kForEver = std::chrono::years(100);
constexpr double kWholeCounter = 1000.0;  // its total taken for one increase: hours instead of seconds

constexpr Signal Observation::* kSignals[] = {&Observation::served_rate_rps, &Observation::failed_rate_rps,
                                              &Observation::in_flight_requests, &Observation::cpu_cores};

/// What was measured, without its ages.
struct Sample {
  struct Value {
    Signal signal;
    TimePoint time;
  };
  struct PodCpu {
    std::int64_t id;
    Value cpu;
    Duration window;
  };
  std::array<Value, std::size(kSignals)> signals;
  std::vector<PodCpu> pods;  // by id

  /// The newest of its signals.
  TimePoint time() const {
    TimePoint newest = TimePoint::min();
    for (const Value& value : signals) {
      if (value.signal.quality != Quality::missing) newest = std::max(newest, value.time);
    }
    return newest;
  }
};

Sample::Value value_of(const Signal& signal, TimePoint now) { return {signal, now - signal.age}; }

Sample sample_of(const Observation& observation) {
  Sample sample;
  for (std::size_t i = 0; i < std::size(kSignals); ++i)
    sample.signals[i] = value_of(observation.*kSignals[i], observation.now);
  for (const PodObservation& pod : observation.pods) {
    if (pod.cpu_cores.quality != Quality::missing)
      sample.pods.push_back({pod.id, value_of(pod.cpu_cores, observation.now), pod.cpu_window});
  }
  return sample;
}

/// Every known signal, the pods' CPU included.
template <class Change>
void for_each_known(Observation& observation, Change change) {
  for (const auto signal : kSignals) {
    if ((observation.*signal).quality != Quality::missing) change(observation.*signal);
  }
  for (PodObservation& pod : observation.pods) {
    if (pod.cpu_cores.quality != Quality::missing) change(pod.cpu_cores);
  }
}

void lose_cpu(PodObservation& pod) {
  pod.cpu_cores = {};
  pod.cpu_window = {};
}

class FaultyWorld final : public SimulatedWorld {
 public:
  /// `kind` is nullopt when each episode draws its own.
  FaultyWorld(std::unique_ptr<SimulatedWorld> world, const FaultSettings& settings, std::optional<Kind> kind,
              std::uint64_t seed)
      : world_(std::move(world)),
        settings_(settings),
        only_kind_(kind),
        seed_(seed),
        times_(seed, "fault times"),
        episodes_(seed, "fault episodes") {}

  std::optional<Observation> next() override {
    auto observation = world_->next();
    if (!observation) return observation;
    pass_time_until(observation->now);
    remember(*observation);
    if (is_in_episode_) corrupt(*observation);
    shown_ = sample_of(*observation).time();
    ++index_;
    return observation;
  }

  policy::PeriodOutcome apply(const policy::Decision& decision) override { return world_->apply(decision); }
  const Truth& truth() const override { return world_->truth(); }

 private:
  void pass_time_until(TimePoint now) {
    if (index_ == 0) {
      // Exponential times have no memory: begun in an episode with this chance, it is as if it had gone on for ever.
      is_in_episode_ = times_.uniform() < settings_.share;
      if (is_in_episode_) begin_episode();
      next_change_ = now + draw_length();
    }
    while (next_change_ <= now) {
      is_in_episode_ = !is_in_episode_;
      if (is_in_episode_) begin_episode();
      next_change_ += draw_length();
    }
  }

  Duration draw_length() {
    if (settings_.share >= 1.0) return kForEver;
    const double mean_s = to_seconds(settings_.mean_length);
    const double between_s = mean_s * (1.0 - settings_.share) / settings_.share;
    const double length_s = (is_in_episode_ ? mean_s : between_s) * times_.exponential();
    return from_seconds(std::clamp(length_s, 1e-3, to_seconds(kForEver)));
  }

  void begin_episode() {
    const auto drawn = static_cast<Kind>(episodes_.below(kKinds.size()));
    kind_ = only_kind_.value_or(drawn);
    skew_ = from_seconds(kGreatestSkewS * (2.0 * episodes_.uniform() - 1.0));
    loses_odd_ = episodes_.below(2) == 1;
    is_their_turn_ = true;
    has_held_ = false;
    has_factor_ = false;
  }

  /// The last different samples of the world itself, the newest last.
  void remember(const Observation& observation) {
    Sample sample = sample_of(observation);
    newest_is_new_ = past_.empty() || past_.back().time() < sample.time();
    if (!newest_is_new_) return;
    past_.push_back(std::move(sample));
    constexpr std::size_t kRemembered = 4;
    if (past_.size() > kRemembered) past_.pop_front();
  }

  void corrupt(Observation& observation) {
    // What is drawn for one observation does not depend on how much was drawn for those before.
    RandomStream values(seed_, "fault values", index_);
    switch (kind_) {
      case Kind::missing:
        for_each_known(observation, [](Signal& signal) { signal = {}; });
        for (PodObservation& pod : observation.pods) pod.cpu_window = {};
        break;
      case Kind::stale:
        hold(observation);
        break;
      case Kind::nan:
        for_each_known(observation, [&](Signal& signal) { signal.value = nonsense(signal.value, values); });
        break;
      case Kind::zero:
        for_each_known(observation, [](Signal& signal) { signal = Signal::fresh(0.0, signal.age); });
        break;
      case Kind::half:
        lose_half(observation);
        break;
      case Kind::skew:
        for_each_known(observation, [&](Signal& signal) {
          signal.age += skew_;
          signal.quality = quality_at(signal.age);
        });
        break;
      case Kind::reset:
        reset_counters(observation, values);
        break;
      case Kind::duplicate:
      case Kind::reordered:
        if (std::exchange(is_their_turn_, !is_their_turn_)) show_a_former_one(observation);
        break;
    }
  }

  Quality quality_at(Duration age) const { return age > settings_.fresh_for ? Quality::stale : Quality::fresh; }

  /// `sample` as it looks now.
  void show(const Sample& sample, Observation& observation) const {
    const auto aged = [&](const Sample::Value& value) {
      Signal signal = value.signal;
      if (signal.quality == Quality::missing) return signal;
      signal.age = observation.now - value.time;
      signal.quality = quality_at(signal.age);
      return signal;
    };
    for (std::size_t i = 0; i < std::size(kSignals); ++i) observation.*kSignals[i] = aged(sample.signals[i]);
    auto known = sample.pods.begin();
    for (PodObservation& pod : observation.pods) {
      while (known != sample.pods.end() && known->id < pod.id) ++known;
      if (known != sample.pods.end() && known->id == pod.id) {
        pod.cpu_cores = aged(known->cpu);
        pod.cpu_window = known->window;
      } else {
        lose_cpu(pod);
      }
    }
  }

  /// What was there before the episode. A run that begins in one holds its first sample.
  void hold(Observation& observation) {
    if (!has_held_) {
      has_held_ = true;
      held_ = past_.size() > 1 && newest_is_new_ ? past_[past_.size() - 2] : past_.back();
    }
    show(held_, observation);
  }

  /// `duplicate`: the newest one that is not newer than what was shown before; `reordered`: that is older. Nothing
  /// happens while there is none.
  void show_a_former_one(Observation& observation) const {
    for (std::size_t i = past_.size(); i-- > 0;) {
      if (kind_ == Kind::duplicate ? past_[i].time() <= shown_ : past_[i].time() < shown_)
        return show(past_[i], observation);
    }
  }

  static double nonsense(double value, RandomStream& random) {
    switch (random.below(4)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return std::numeric_limits<double>::infinity();
      case 2:
        return -std::numeric_limits<double>::infinity();
      default:
        return -1.0 - value;
    }
  }

  void lose_half(Observation& observation) const {
    int known = 0;
    int lost = 0;
    for (const PodObservation& pod : observation.pods) {
      if (!pod.is_ready || pod.cpu_cores.quality == Quality::missing) continue;
      ++known;
      lost += is_lost(pod) ? 1 : 0;
    }
    bool spares_one = lost == known;
    if (spares_one) --lost;
    for (PodObservation& pod : observation.pods) {
      if (!is_lost(pod)) continue;
      const bool counts = pod.is_ready && pod.cpu_cores.quality != Quality::missing;
      if (counts && std::exchange(spares_one, false)) continue;
      lose_cpu(pod);
    }
    // A world that does not show single pods loses exactly half.
    const double left = known > 0 ? 1.0 - static_cast<double>(lost) / known : observation.pods.empty() ? 0.5 : 1.0;
    for (Signal* signal : {&observation.served_rate_rps, &observation.cpu_cores}) {
      if (signal->quality != Quality::missing) signal->value *= left;
    }
  }
  bool is_lost(const PodObservation& pod) const { return (pod.id % 2 != 0) == loses_odd_; }

  /// A sample that is seen again is wrong in the same way.
  void reset_counters(Observation& observation, RandomStream& values) {
    const TimePoint sampled = observation.now - observation.served_rate_rps.age;
    if (!has_factor_ || sampled != factor_time_) {
      has_factor_ = true;
      factor_time_ = sampled;
      const auto fate = values.below(3);
      factor_ = fate == 0 ? kWholeCounter : fate == 1 ? 0.0 : values.uniform();
    }
    for (Signal* signal : {&observation.served_rate_rps, &observation.failed_rate_rps}) {
      if (signal->quality != Quality::missing) signal->value *= factor_;
    }
  }

  std::unique_ptr<SimulatedWorld> world_;
  FaultSettings settings_;
  std::optional<Kind> only_kind_;
  std::uint64_t seed_;
  RandomStream times_;
  RandomStream episodes_;

  std::uint32_t index_ = 0;  // of the observation
  bool is_in_episode_ = false;
  TimePoint next_change_;

  // Of the episode.
  Kind kind_{};
  Duration skew_{};
  bool loses_odd_ = false;
  bool is_their_turn_ = true;
  bool has_held_ = false;
  Sample held_;
  bool has_factor_ = false;
  TimePoint factor_time_;
  double factor_ = 1.0;

  std::deque<Sample> past_;
  bool newest_is_new_ = false;
  TimePoint shown_ = TimePoint::min();  // the time of the sample that was shown last
};

}  // namespace

SettingsTable settings_of(FaultSettings& settings) {
  std::vector<std::string> kinds = {"none"};
  kinds.insert(kinds.end(), kKinds.begin(), kKinds.end());
  kinds.emplace_back("mixed");
  return {
      {"faults", &settings.kind, "what metrics do in an episode", std::move(kinds)},
      {"fault-share", &settings.share, "fraction", Range::between(0, 1), "of the time that is in episodes"},
      {"fault-length", &settings.mean_length, "duration", Range::above(0), "of an episode, mean"},
  };
}

std::span<const std::string_view> fault_kinds() { return kKinds; }

std::unique_ptr<SimulatedWorld> make_faulty_world(std::unique_ptr<SimulatedWorld> world, const FaultSettings& settings,
                                                  std::uint64_t seed) {
  if (settings.kind == "none" || settings.share <= 0.0) return world;
  std::optional<Kind> kind;
  if (settings.kind != "mixed") {
    const auto found = std::find(kKinds.begin(), kKinds.end(), settings.kind);
    MPCA_CHECK(found != kKinds.end(), "the kind of faults is a known one");
    kind = static_cast<Kind>(found - kKinds.begin());
  }
  return std::make_unique<FaultyWorld>(std::move(world), settings, kind, seed);
}

}  // namespace mpca::sim
