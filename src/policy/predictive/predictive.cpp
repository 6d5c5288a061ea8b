#include "policy/predictive/predictive.h"

#include <algorithm>
#include <cmath>

#include "core/state_numbers.h"
#include "core/text.h"
#include "forecast/forward_maximum.h"
#include "plant/plant_model.h"
#include "policy/guards.h"
#include "policy/kind.h"
#include "policy/predictive/backlog.h"
#include "policy/predictive/calendar.h"
#include "policy/predictive/candidates.h"
#include "policy/predictive/demand.h"
#include "policy/predictive/explanation.h"
#include "policy/predictive/own_hpa.h"
#include "policy/predictive/parts.h"
#include "policy/predictive/prior.h"
#include "policy/predictive/tournament.h"
#include "policy/safety/safety_guard.h"
#include "policy/safety/signal_screen.h"

namespace mpca::policy {
namespace {

// Books and life do not agree to the last per cent: what they call late at this share of the price is what costs the
// least in the end, on the traces of docs/RESULTS.md.
constexpr double kPriceOfBooks = 0.8;
// A fraction of a replica is given up to here: rounding every mean up costs 5 % where replicas are few.
constexpr double kRoundDown = 0.4;
constexpr int kPooledSlots = 4;  // servers that a queue behaves like: balancers do not pool a whole fleet
// Of the workload's maximum. Beyond it all is late whoever is in charge; how far beyond teaches nothing, and a single
// absurd sample would drown in floats what the books are about.
constexpr double kGreatestLoad = 4.0;
constexpr int kStateVersion = 3;
constexpr int kSamplesPerLookAtLag = 20;
constexpr Duration kLeastInterval = std::chrono::milliseconds(100);
constexpr int kLongestInterval = 4;  // usual intervals
constexpr int kCountedSamples = 1'000'000;
constexpr double kGreatestLogLoad = 710.0;                    // of the greatest double
constexpr Duration kGreatestOffset = std::chrono::hours(26);  // from UTC
constexpr Duration kAnnouncedTo = std::chrono::minutes(1);    // users do not come and go on the second

struct PredictiveSettings {
  double late_price = 10.0;
  double late_share = 0.0;
  Duration latency_target = std::chrono::milliseconds(250);
  double dead_band = 0.03;
  plant::PlantSettings plant{};
  SafetySettings safety{};
};

/// With the texts that others make something of.
struct PredictiveInput {
  PredictiveSettings settings{};
  std::string calendar{};
  std::string prior = "shipped";
  std::string own_hpa{};
  std::string without{};
};

SettingsTable settings_of(PredictiveInput& input) {
  PredictiveSettings& settings = input.settings;
  SettingsTable table = {
      {"late-price", &settings.late_price, "", Range::between(0.1, 10000),
       "what a replica-second of demand that is late or fails costs, in replica-seconds"},
      {"late-share", &settings.late_share, "fraction", Range::between(0, 0.5),
       "of requests that may be late or fail; the price is then chosen to meet it. 0: late-price decides"},
      {"latency-target", &settings.latency_target, "duration", Range::above(0), "slower answers are late"},
      {"dead-band", &settings.dead_band, "fraction", Range::between(0, 0.5),
       "how far from the present replicas what is wanted may lie before anything changes; at 0.08 a fifth less churn, "
       "for some 1 % of the bill"},
      {"calendar", &input.calendar, "known events and days that are not like their weekday, as @FILE"},
      {"prior", &input.prior,
       "what candidates cost on other loads: shipped, none, or what `prior` measured on yours, as @FILE"},
      {"hpa", &input.own_hpa,
       "the workload's own HorizontalPodAutoscaler, which is then one of the candidates: as @FILE, or settings of the "
       "policy hpa with + between them"},
      {"without", &input.without,
       cat("parts to leave out, to see what each is worth, with ; between them: ", names_of_parts())},
  };
  for (Setting& setting : plant::settings_of(settings.plant))
    if (setting.name() != "capacity") table.push_back(std::move(setting));  // the workload's
  for (Setting& setting : settings_of(settings.safety)) table.push_back(std::move(setting));
  return table;
}

/// Everything that is not saved by an owner of its own.
struct Memory {
  Memory(const Tournament::Prior* prior, Tournament::Members members) : tournament(prior, members) {}

  Demand demand;
  Candidates candidates;
  Tournament tournament;
  HeldMaximum recent_load;
  LagShares lag_shares;
  int samples = 0;
  TimePoint last_sampled;
  int until_look_at_lag = 0, stride = 1;
  double log_load = 0.0, log_load_1 = 0.0, log_load_2 = 0.0;  // of the last three samples
  double greatest_log_load = 0.0;
  double last_load = 0.0;

  template <class Visit>
  void visit(Visit&& visit) {
    visit(demand);
    visit(candidates);
    visit(tournament);
    visit(recent_load);
    visit(lag_shares.step_s);
    visit(lag_shares.ready_by);
    visit(last_sampled);
    visit(until_look_at_lag);
    visit(stride);
    visit(log_load);
    visit(log_load_1);
    visit(log_load_2);
    visit(greatest_log_load);
    visit(last_load);
    visit(samples);
  }

  bool is_valid() const {
    const auto is_share = [](float share) { return share >= 0.0F && share < 1.01F; };
    const auto is_log_load = [](double value) { return value >= 0.0 && value < kGreatestLogLoad; };
    return demand.is_valid() && candidates.is_valid() && tournament.is_valid() && lag_shares.step_s > 0.0F &&
           std::all_of(lag_shares.ready_by.begin(), lag_shares.ready_by.end(), is_share) && until_look_at_lag >= 0 &&
           until_look_at_lag <= kSamplesPerLookAtLag && stride >= 1 && samples >= 0 && samples <= kCountedSamples &&
           last_load >= 0.0 && is_log_load(log_load) && is_log_load(log_load_1) && is_log_load(log_load_2) &&
           is_log_load(greatest_log_load);
  }
};

Result<Memory> load_memory(const StateReader& reader, Memory memory) {
  MPCA_TRY(const std::vector<double> numbers, reader.numbers("memory"));
  StateNumbersReader source(numbers);
  memory.visit(source);
  if (!source.is_good() || !memory.is_valid()) return invalid("memory is not that of this version of predictive");
  return memory;
}

class PredictivePolicy final : public Policy {
 public:
  PredictivePolicy(const PredictiveSettings& settings, const Workload& workload, Calendar calendar,
                   std::shared_ptr<const Tournament::Prior> prior, std::unique_ptr<OwnHpa> own_hpa, Parts without)
      : settings_(settings),
        calendar_(std::move(calendar)),
        prior_(std::move(prior)),
        own_hpa_(std::move(own_hpa)),
        without_(without),
        workload_(workload),
        plant_(settings.plant),
        screen_(settings.safety, workload.capacity_rps),
        guard_(settings.safety, workload),
        forward_(calendar_.special_days()),
        memory_(empty_memory()) {}

  Decision decide(const Observation& observation) override {
    Decision decision{.replicas = observation.spec_replicas, .explanation = {}};
    Explanation& explanation = decision.explanation;
    explanation.rule = "mean of the candidates, weighted by what they would have cost";

    screen_.screen(observation, screened_);
    observe_plant();
    if (without_.has(Part::in_flight)) screened_.in_flight = Finding::missing;
    const plant::PlantEstimate plant = plant_.estimate();
    screen_.set_capacity_rps(plant.capacity_rps.value);
    guard_.set_capacity_rps(plant.capacity_rps.value);
    const Duration blur = blur_of(observation.rate_window, plant);
    const Duration dead_time =
        blur + from_seconds(plant.metric_age_s.value + plant.readiness_lag_late_s.value) + workload_.period;
    const double backlog = without_.has(Part::backlog) ? 0.0 : backlog_requests(screened_, plant);
    std::optional<double> queued_rps;
    if (backlog > 0.0) queued_rps = std::max(observation.ready_replicas, 0) * plant.capacity_rps.value;
    if (memory_.demand.observe(screened_, plant.is_saturated, dead_time, queued_rps))
      learn(observation, plant, blur, dead_time);

    if (memory_.demand.has_sample()) {
      const int context = without_.has(Part::contexts) ? Tournament::kNoContext : context_now();
      const double price = settings_.late_share > 0.0 ? memory_.tournament.price_for(settings_.late_share, context)
                                                      : settings_.late_price * kPriceOfBooks;
      const Tournament::Weights weights = memory_.tournament.weights(price, context);
      const double wanted = mean_of(weights);
      explanation.recommendation = wanted;
      decision.replicas = ceil_replicas(wanted - kRoundDown);
      change_to(within_dead_band(wanted, observation.spec_replicas), "dead_band", decision.replicas, explanation);
      explain({.demand = memory_.demand,
               .plant = plant,
               .forward = forward_,
               .candidates = memory_.candidates,
               .tournament = memory_.tournament,
               .weights = weights,
               .dead_time = dead_time,
               .late_price = price / kPriceOfBooks,
               .late_share = settings_.late_share,
               .round_down = kRoundDown,
               .dead_band = settings_.dead_band,
               .unit_rps = workload_.capacity_rps,
               .event = calendar_.event_within(memory_.last_sampled, memory_.last_sampled + dead_time),
               .event_factor = events_.factor,
               .event_demand_rps = events_.demand_rps},
              explanation);
    }
    if (backlog > 0.0) {
      explanation.values.push_back({"backlog_requests", backlog});
      change_to(std::max(decision.replicas, observation.spec_replicas), "backlog", decision.replicas, explanation);
    }
    // What is ordered now cannot help within the dead time, and is to have worked the backlog off after another one.
    guard_.apply(screened_, demand_for_floor(backlog / to_seconds(dead_time)), decision.replicas, explanation);
    return decision;
  }

  std::string save_state() const override {
    StateWriter writer("predictive", kStateVersion);
    StateNumbers numbers;
    Memory memory = memory_;
    memory.visit(numbers);
    writer.put("memory", numbers.numbers());
    if (calendar_.has_events()) writer.put("events", std::array{events_.usual_rps, events_.factor, events_.demand_rps});
    forward_.save(writer);
    plant_.save_state(writer);
    screen_.save(writer);
    guard_.save(writer);
    if (own_hpa_ != nullptr) own_hpa_->save(writer);
    return writer.take();
  }

  Result<void> load_state(std::string_view state) override {
    MPCA_TRY(const StateReader reader, StateReader::open(state, "predictive", kStateVersion));
    MPCA_TRY(Memory memory, load_memory(reader, empty_memory()));
    MPCA_TRY(const Events events, load_events(reader, memory));
    forecast::ForwardMaximum forward(calendar_.special_days());
    plant::PlantModel plant(settings_.plant);
    SignalScreen screen(settings_.safety, workload_.capacity_rps);
    SafetyGuard guard(settings_.safety, workload_);
    MPCA_TRY_VOID(forward.load(reader));
    MPCA_TRY_VOID(plant.load_state(reader));
    MPCA_TRY_VOID(screen.load(reader));
    MPCA_TRY_VOID(guard.load(reader));
    if (own_hpa_ != nullptr) {
      MPCA_TRY(const bool goes_on, own_hpa_->load(reader));
      if (!goes_on) memory.tournament.begin_like_others(Candidates::kOwnHpa);
    }
    memory_ = memory;
    events_ = events;
    forward_ = std::move(forward);
    plant_ = plant;
    screen_ = screen;
    guard_ = guard;
    const double capacity = plant_.estimate().capacity_rps.value;
    screen_.set_capacity_rps(capacity);
    guard_.set_capacity_rps(capacity);
    return {};
  }

 private:
  Memory empty_memory() const {
    Tournament::Members members = candidates_without(without_);
    members[Candidates::kOwnHpa] = own_hpa_ != nullptr;
    return {prior_.get(), members};
  }

  double mean_of(const Tournament::Weights& weights) const {
    const Candidates::Replicas& replicas = memory_.candidates.replicas();
    if (without_.has(Part::mean))
      return replicas[static_cast<std::size_t>(std::max_element(weights.begin(), weights.end()) - weights.begin())];
    double mean = 0.0;
    for (std::size_t c = 0; c < Candidates::kCount; ++c) mean += weights[c] * replicas[c];
    return mean;
  }

  /// Raised in full, lowered to the edge of the band.
  int within_dead_band(double wanted, int spec_replicas) const {
    if (spec_replicas < ceil_replicas((1.0 - settings_.dead_band) * wanted - kRoundDown))
      return ceil_replicas(wanted - kRoundDown);
    return std::min(spec_replicas, ceil_replicas((1.0 + settings_.dead_band) * wanted - kRoundDown));
  }

  /// What the calendar made of the last sample.
  struct Events {
    double usual_rps = 0.0;   // demand without known events
    double factor = 1.0;      // the greatest over the dead time
    double demand_rps = 0.0;  // known to come within it
  };

  /// A memory from before there was a calendar took all demand for usual.
  static Result<Events> load_events(const StateReader& reader, const Memory& memory) {
    Events events{.usual_rps = memory.demand.sample().rps};
    if (!reader.has("events")) return events;
    MPCA_TRY(const std::vector<double> numbers, reader.numbers("events"));
    const auto is_possible = [](double number) { return number >= 0.0 && std::isfinite(number); };
    if (numbers.size() != 3 || !std::all_of(numbers.begin(), numbers.end(), is_possible) || numbers[1] <= 0.0)
      return invalid("events are not those of this version of predictive");
    return Events{numbers[0], numbers[1], numbers[2]};
  }

  void observe_plant() {
    const Observation& seen = screened_.observation;
    // Half of the pods without metrics look like pods half as fast: nothing is learned from what does not cover them.
    const bool is_covered = screened_.uncovered_pods == 0;
    const auto reading = [&](const Signal& signal, Finding finding) -> std::optional<plant::Reading> {
      const bool is_good = finding == Finding::good || finding == Finding::duplicate;
      if (!is_good || !is_covered) return std::nullopt;
      return plant::Reading{signal.value, signal.age};
    };
    pod_sights_.clear();
    for (const PodObservation& pod : seen.pods)
      pod_sights_.push_back({pod.id, pod.started, pod.is_ready, pod.ready_changed, pod.is_terminating});
    plant_.observe({.now = seen.now,
                    .spec_replicas = seen.spec_replicas,
                    .ready_replicas = seen.ready_replicas,
                    .starting_pod_ages = seen.starting_pod_ages,
                    .pods = pod_sights_,
                    .rate_window = seen.rate_window,
                    .served_rate_rps = reading(seen.served_rate_rps, screened_.served_rate),
                    .failed_rate_rps = reading(seen.failed_rate_rps, screened_.failed_rate),
                    .in_flight_requests = reading(seen.in_flight_requests, screened_.in_flight),
                    .cpu_cores = reading(seen.cpu_cores, screened_.cpu)});
  }

  /// A rate over a window longer than the time between samples tells of the middle of it, not of its last interval.
  static Duration blur_of(Duration rate_window, const plant::PlantEstimate& plant) {
    const Duration beyond = rate_window - from_seconds(plant.sample_interval_s.value);
    return beyond > rate_window / 4 ? beyond / 2 : Duration::zero();  // the interval is an estimate
  }

  /// A new sample of demand: books first (on the orders of before), then forecast, then new orders.
  void learn(const Observation& observation, const plant::PlantEstimate& plant, Duration blur, Duration dead_time) {
    Memory& m = memory_;
    DemandSample sample = m.demand.sample();
    sample.sampled -= blur;
    if (m.samples > 0) sample.sampled = std::max(sample.sampled, m.last_sampled + kLeastInterval);
    const double rps = std::min(sample.rps, kGreatestLoad * workload_.max_replicas * plant.capacity_rps.value);
    const double load = rps / plant.capacity_rps.value;
    if (--m.until_look_at_lag <= 0) {
      look_at_lag(plant);
      m.until_look_at_lag = kSamplesPerLookAtLag;
    }
    const Duration usual = from_seconds(std::max(plant.sample_interval_s.value, 0.1));
    ScoredInterval interval{.from = sample.sampled - usual, .to = sample.sampled, .load = load};
    if (m.samples > 0) {
      // After a gap nothing is known about most of it.
      interval.from = std::max(m.last_sampled, sample.sampled - kLongestInterval * usual);
      interval.change = load - m.last_load;
      interval.weight = to_seconds(interval.to - interval.from) / to_seconds(usual);
    }
    m.last_sampled = sample.sampled;
    m.tournament.score(interval, steepness(plant), m.lag_shares, from_seconds(plant.readiness_lag_s.value));

    m.log_load_2 = m.samples > 1 ? m.log_load_1 : std::log1p(load);
    m.log_load_1 = m.samples > 0 ? m.log_load : std::log1p(load);
    m.log_load = std::log1p(load);
    m.last_load = load;
    m.samples = std::min(m.samples + 1, kCountedSamples);
    m.greatest_log_load = m.recent_load.observe(sample.sampled, std::chrono::minutes(5), m.log_load);
    look_at_calendar(sample.sampled, rps, usual, dead_time);
    // In units of the configured capacity: what is learned about capacity must not look like demand.
    forward_.observe(sample.sampled, events_.usual_rps / workload_.capacity_rps, sample.is_censored, dead_time,
                     std::clamp(observation.utc_offset, -kGreatestOffset, kGreatestOffset));
    Candidates::Situation situation{.sampled = sample.sampled,
                                    .load = events_.usual_rps / plant.capacity_rps.value,
                                    .dead_time = dead_time,
                                    .min_replicas = std::min(workload_.min_replicas, 65535),
                                    .max_replicas = std::min(workload_.max_replicas, 65535),
                                    .event_factor = events_.factor,
                                    .least_load = events_.demand_rps / plant.capacity_rps.value};
    if (own_hpa_ != nullptr) situation.own_hpa_replicas = ask_own_hpa(observation, rps, plant);
    const double unit = workload_.capacity_rps / plant.capacity_rps.value;
    for (std::size_t l = 0; l < situation.forward.size(); ++l) situation.forward[l] = forward_.quantiles()[l] * unit;
    m.tournament.order(observation.now, m.candidates.decide(situation), context_now(), m.stride);
  }

  int ask_own_hpa(const Observation& observation, double rps, const plant::PlantEstimate& plant) {
    // Of a core where CPU is not shown.
    double cores_per_rps = 1.0 / plant.capacity_rps.value;
    const auto cores = screened_.observation.cpu_cores.value_if_known();
    const auto served = screened_.observation.served_rate_rps.value_if_known();
    if (screened_.cpu == Finding::good && screened_.served_rate == Finding::good && *served > 0.0 && *cores > 0.0)
      cores_per_rps = *cores / *served;
    return own_hpa_->decide({.now = observation.now,
                             .spec_replicas = observation.spec_replicas,
                             .demand_rps = rps,
                             .capacity_rps = plant.capacity_rps.value,
                             .cores_per_rps = cores_per_rps,
                             .readiness_lag = from_seconds(plant.readiness_lag_s.value)});
  }

  /// Demand is divided by what known events make of it, so that they teach nothing false about usual days. Around a
  /// change of the factor nobody knows which one a sample met, and then it is the one that makes the least news.
  void look_at_calendar(TimePoint sampled, double rps, Duration usual_interval, Duration dead_time) {
    const double before = memory_.samples > 1 ? events_.usual_rps : rps / calendar_.factor_at(sampled);
    events_ = {.usual_rps = rps};
    if (!calendar_.has_events()) return;
    const Duration blur = std::max(kAnnouncedTo, 2 * usual_interval);
    const Calendar::Outlook around = calendar_.outlook(sampled - blur, sampled + blur);
    events_.usual_rps = std::clamp(before, rps / around.greatest_factor, rps / around.least_factor);
    // What is ordered now has to last until the order on the next sample serves.
    const Duration until_next = std::max(usual_interval - workload_.period, Duration::zero());
    const Calendar::Outlook ahead = calendar_.outlook(sampled, sampled + dead_time + until_next);
    events_.factor = ahead.greatest_factor;
    // Users who stay a little longer are served.
    if (events_.usual_rps > 0.0) events_.factor = std::max(events_.factor, rps / events_.usual_rps);
    events_.demand_rps = ahead.demand_rps;
  }

  /// In M/D/c the tail of waiting falls by exp(-2 c (1 - utilization) t / service time) (Tijms (1994), Stochastic
  /// Models, section 4.5, for heavy traffic): the share that waits longer than the target leaves.
  double steepness(const plant::PlantEstimate& plant) const {
    const double service_s = std::max(plant.service_time_s.value, 1e-4);
    const double slack_s = std::max(to_seconds(settings_.latency_target) - service_s, 0.0);
    return std::clamp(2.0 * kPooledSlots * slack_s / service_s, 5.0, 300.0);
  }

  void look_at_lag(const plant::PlantEstimate& plant) {
    Memory& m = memory_;
    const double longest_s = to_seconds(plant_.readiness_lag().quantile(0.98));
    m.lag_shares.step_s = static_cast<float>(longest_s / static_cast<double>(LagShares::kPoints - 2));
    for (std::size_t i = 0; i < LagShares::kPoints; ++i)
      m.lag_shares.ready_by[i] = static_cast<float>(plant_.readiness_lag().ready_share(
          Duration::zero(), from_seconds(static_cast<double>(m.lag_shares.step_s) * static_cast<double>(i))));
    // So many orders lie within the lag, and a few before and after it are looked at.
    const double orders = longest_s / std::max(plant.sample_interval_s.value, 0.1);
    m.stride = std::max(1, static_cast<int>(std::ceil(orders / (Tournament::kSlots - 4))));
  }

  /// Direction of demand x distance to the greatest of the last minutes.
  int context_now() const {
    const double rise = memory_.log_load - memory_.log_load_2;
    const double moved = std::max(0.01, 0.7 * forward_.volatility());
    const int trend = rise < -moved ? 0 : rise <= moved ? 1 : 2;
    const double below = memory_.greatest_log_load - memory_.log_load;
    return trend * 3 + (below < 0.05 ? 0 : below < 0.35 ? 1 : 2);
  }

  /// What is served at least, when the rate cannot be believed, still holds the floor up.
  std::optional<double> demand_for_floor(double backlog_rps) const {
    const auto served = screened_.observation.served_rate_rps.value_if_known();
    if (!memory_.demand.has_sample()) return served;
    const double least = screened_.served_rate == Finding::good ? 0.0 : served.value_or(0.0);
    return std::max(memory_.demand.sample().rps, least) + backlog_rps;
  }

  PredictiveSettings settings_;
  Calendar calendar_;
  std::shared_ptr<const Tournament::Prior> prior_;  // of the fleet
  std::unique_ptr<OwnHpa> own_hpa_;                 // nullptr: none is named
  Parts without_;
  Workload workload_;
  plant::PlantModel plant_;
  SignalScreen screen_;
  SafetyGuard guard_;
  forecast::ForwardMaximum forward_;
  Memory memory_;
  Events events_;

  // Memory of one decision only.
  ScreenedObservation screened_;
  std::vector<plant::PodSight> pod_sights_;
};

}  // namespace

std::size_t predictive_state_bytes() { return sizeof(PredictivePolicy) + forecast::ForwardMaximum::state_bytes(); }

std::vector<SettingInfo> predictive_settings() { return described(PredictiveInput{}); }

Result<std::unique_ptr<Policy>> create_predictive(std::string_view text, const Workload& workload,
                                                  std::string_view where) {
  MPCA_TRY(PredictiveInput input, read_settings(PredictiveInput{}, text, where));
  input.settings.plant.capacity_rps = workload.capacity_rps;
  auto calendar = Calendar::parse(input.calendar);
  auto prior = read_prior(input.prior);
  Problems problems;
  const auto add = [&](std::string_view what, const auto& read) {
    if (read) return;
    for (const std::string_view line : split(read.error().message, '\n'))
      problems.add(cat(where, ": ", what, ": ", line));
  };
  add("calendar", calendar);
  add("prior", prior);
  auto without = parse_parts(input.without);
  add("without", without);
  Result<std::unique_ptr<OwnHpa>> own_hpa = nullptr;
  if (!input.own_hpa.empty()) own_hpa = OwnHpa::create(input.own_hpa, workload, "hpa");
  add("hpa", own_hpa);
  MPCA_TRY_VOID(problems.to_result());
  return std::make_unique<PredictivePolicy>(input.settings, workload, *std::move(calendar), *std::move(prior),
                                            *std::move(own_hpa), *without);
}

Result<std::vector<CandidateBooks>> predictive_books(std::string_view state) {
  MPCA_TRY(const StateReader reader, StateReader::open(state, "predictive", kStateVersion));
  MPCA_TRY(const Memory memory, load_memory(reader, {nullptr, Tournament::Members().set()}));
  std::vector<CandidateBooks> books;
  for (std::size_t c = 0; c < Candidates::kOwnHpa; ++c) {
    const Tournament::Totals totals = memory.tournament.totals_of(c);
    if (totals.demand > 0.0 && totals.cost > 0.0)
      books.push_back({Candidates::name(c), totals.cost / totals.demand, totals.late / totals.demand});
  }
  if (books.empty()) return fail(ErrorCode::not_enough_data, "no candidate has books yet");
  return books;
}

std::vector<std::string> predictive_sweep() {
  std::vector<std::string> texts;
  for (const double price : {1.0, 2.0, 3.0, 4.5, 6.0, 10.0, 17.0, 30.0, 50.0, 100.0, 170.0, 250.0})
    texts.push_back(cat("predictive:late-price=", price));
  return texts;
}

}  // namespace mpca::policy
