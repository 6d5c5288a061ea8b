#include "forecast/forward_maximum.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/state_numbers.h"
#include "forecast/internal/cycle.h"
#include "forecast/internal/least_squares.h"
#include "forecast/internal/profile.h"
#include "forecast/internal/short_log.h"
#include "forecast/residual_histogram.h"

namespace mpca::forecast {
namespace {

constexpr std::size_t kLevels = kForwardLevels.size();
constexpr int kRecent = 240;  // samples that are remembered
constexpr int kOpen = 10;  // forecasts whose maximum is not known yet; with more samples in a horizon, not all open one
constexpr int kContexts = 27;
constexpr double kContextWeight = 40.0;  // observations at which a context counts as much as the general histogram
constexpr double kPriorWeight = 20.0;    // observations
constexpr int kPriorScales = 6;          // Laplace, of scale 0.01, 0.02, …, 0.32
constexpr double kLossMemory = 3000.0;   // observations
constexpr double kMixingRate = 50.0;     // weight = exp(-rate x relative excess of the loss)
constexpr double kGreatestLog = 30.0;    // demand beyond 1e13 counts as that
constexpr double kGreatestRise = 1e4;    // of a memory that is to be believed
constexpr double kSecondsPerDay = 86400.0;
constexpr double kSecondsPerWeek = 7 * kSecondsPerDay;

// The damped trend.
constexpr double kLevelGain = 0.5, kTrendGain = 0.1, kDamping = 0.9;

// What the regression is on. Those with a name are guesses of experts as well.
enum Feature : std::size_t { kDayRise = 7, kWeekRise, kCycleRise, kMax20Rise = 12, kMax80Rise, kFeatures };

// An expert is a guess and the histogram of what it missed. Those with a context set use the guess and the general
// histogram of an earlier one.
enum Expert : std::size_t {
  kPersistence,
  kTrend,
  kDay,
  kWeek,
  kMax20,
  kMax80,
  kMax240,
  kMaxOrDay,
  kCycle,
  kRegression,
  kGuesses,  // here end the experts with a histogram of their own
  kRegressionByTrend = kGuesses,
  kRegressionByGuess,
  kExperts
};
constexpr std::size_t kContextSets = kExperts - kGuesses;
constexpr std::string_view kNames[kExperts] = {
    "persistence",  "damped trend",    "time of day", "time of week", "recent maximum",      "maximum of an hour",
    "long maximum", "recent or usual", "cycle",       "regression",   "regression by trend", "regression by its guess"};
constexpr Expert guess_of(std::size_t expert) { return expert < kGuesses ? static_cast<Expert>(expert) : kRegression; }

using Masses = std::array<float, ResidualBins::kBins>;
struct Tables {
  std::array<Masses, kPriorScales> prior{};
  std::array<double, ResidualBins::kBins + 1> edges{};
  Tables() {
    for (int i = 0; i <= ResidualBins::kBins; ++i) edges[static_cast<std::size_t>(i)] = ResidualBins::edge(i);
    for (std::size_t s = 0; s < prior.size(); ++s) {
      const double scale = 0.01 * static_cast<double>(1U << s);
      double below = 0.0;
      for (std::size_t i = 0; i < prior[s].size(); ++i) {
        const double x = edges[i + 1];
        const bool is_last = i + 1 == prior[s].size();
        const double through = is_last ? 1.0 : x < 0.0 ? 0.5 * std::exp(x / scale) : 1.0 - 0.5 * std::exp(-x / scale);
        prior[s][i] = static_cast<float>(through - below);
        below = through;
      }
    }
  }
};
const Tables& tables() {
  static const Tables kTables;
  return kTables;
}

/// Quantiles of a residual at all levels, in one pass over the bins: the general histogram with its prior, and a
/// context's by its weight.
ForwardQuantiles residual_quantiles(const ResidualHistogram& general, const SmallResidualHistogram* context,
                                    const Masses& prior) {
  const double context_weight = context == nullptr ? 0.0 : context->weight();
  const double share = context_weight / (context_weight + kContextWeight);
  const double scale = (1.0 - share) / (general.weight() + kPriorWeight);
  const double general_scale = scale / ResidualHistogram::kUnit;
  const double prior_scale = scale * kPriorWeight;
  const double context_scale = share > 0.0 ? share / context_weight : 0.0;
  const auto& edges = tables().edges;
  ForwardQuantiles quantiles;
  double below = 0.0;
  std::size_t level = 0;
  for (std::size_t i = 0; i < prior.size() && level < kLevels; ++i) {
    double mass = general_scale * general.counts()[i] + prior_scale * static_cast<double>(prior[i]);
    if (share > 0.0) mass += context_scale * context->counts()[i];
    for (; level < kLevels && below + mass >= kForwardLevels[level]; ++level)
      quantiles[level] = edges[i] + (edges[i + 1] - edges[i]) * (kForwardLevels[level] - below) / mass;
    below += mass;
  }
  for (; level < kLevels; ++level) quantiles[level] = edges.back();
  return quantiles;
}

int third(double value, double low, double high) { return value < low ? 0 : value < high ? 1 : 2; }

bool is_log_demand(double x) { return x >= 0.0 && x <= kGreatestLog; }

/// A forecast that waits for what comes.
struct OpenForecast {
  TimePoint ends;
  float log_demand = 0.0F;
  float greatest = 0.0F;
  std::array<float, kFeatures> features{};
  float trend_rise = 0.0F, max240_rise = 0.0F, regressed_rise = 0.0F;  // guesses that are no features
  std::array<std::uint8_t, kContextSets> contexts{};
  bool has_any = false;
  bool is_censored = false;

  double rise_guessed_by(std::size_t expert) const {
    switch (guess_of(expert)) {
      case kTrend:
        return static_cast<double>(trend_rise);
      case kDay:
        return feature(kDayRise);
      case kWeek:
        return feature(kWeekRise);
      case kMax20:
        return feature(kMax20Rise);
      case kMax80:
        return feature(kMax80Rise);
      case kMax240:
        return static_cast<double>(max240_rise);
      case kMaxOrDay:
        return std::max(feature(kMax20Rise), feature(kDayRise));
      case kCycle:
        return feature(kCycleRise);
      case kRegression:
        return static_cast<double>(regressed_rise);
      default:
        return 0.0;
    }
  }

  template <class Visit>
  void visit(Visit&& visit) {
    visit(ends);
    visit(log_demand);
    visit(greatest);
    visit(features);
    visit(trend_rise);
    visit(max240_rise);
    visit(regressed_rise);
    visit(contexts);
    visit(has_any);
    visit(is_censored);
  }
  bool is_valid() const {
    const auto is_moderate = [](float x) { return std::abs(static_cast<double>(x)) <= kGreatestRise; };
    return is_log_demand(log_demand) && is_log_demand(greatest) &&
           std::all_of(features.begin(), features.end(), is_moderate) && is_moderate(trend_rise) &&
           is_moderate(max240_rise) && is_moderate(regressed_rise) &&
           std::all_of(contexts.begin(), contexts.end(), [](int i) { return i < kContexts; });
  }

 private:
  double feature(Feature which) const { return static_cast<double>(features[which]); }
};

/// What is usual on the days of one class.
struct DayClass {
  std::uint32_t id = 0;
  internal::Profile<96> day;
  template <class Visit>
  void visit(Visit&& visit) {
    visit(id);
    visit(day);
  }
};

LocalDate date_of(double local_s) {
  return LocalDate(std::chrono::days(static_cast<std::int64_t>(std::floor(local_s / kSecondsPerDay))));
}

/// Into those of the same identity.
Result<void> load_day_classes(std::span<const double> numbers, std::vector<DayClass>& day_classes) {
  StateNumbers one;
  DayClass saved;
  saved.visit(one);
  const std::size_t each = one.numbers().size();
  const std::size_t count = numbers.size() / each;
  for (std::size_t i = 0; i < count; ++i) {
    StateNumbersReader source(numbers.subspan(i * each, each));
    saved.visit(source);
    if (!source.is_good() || !saved.day.is_valid())
      return invalid("forward_maximum_days are not those of this version");
    for (DayClass& day_class : day_classes)
      if (day_class.id == saved.id) day_class.day = saved.day;
  }
  if (count * each != numbers.size()) return invalid("forward_maximum_days are not those of this version");
  return {};
}

}  // namespace

struct ForwardMaximum::State {
  std::array<std::uint16_t, kRecent> recent{};  // log demand
  int count = 0, head = 0;
  TimePoint last_sampled;
  double interval_s = 0.0;  // between samples, smoothed
  double slow_mean = 0.0;
  double volatility = 0.03, slow_volatility = 0.03;
  double level = 0.0, trend = 0.0;
  internal::Profile<96> day;
  internal::Profile<168> week;
  internal::Cycle cycle;
  internal::LeastSquares<kFeatures> regression;
  std::array<OpenForecast, kOpen> open{};
  int open_count = 0, open_first = 0, until_open = 0;
  std::array<ResidualHistogram, kGuesses> general{};
  std::array<std::array<SmallResidualHistogram, kContexts>, kContextSets> by_context{};
  std::array<std::array<float, kLevels>, kExperts> loss{};
  double losses = 0.0;  // observations they rest on
  ForwardQuantiles answer{};
  std::array<std::uint8_t, kLevels> leading{};
  SpecialDays special_days;
  std::vector<DayClass> day_classes;  // saved on a line of its own

  template <class Visit>
  void visit(Visit&& visit) {
    visit(recent);
    visit(count);
    visit(head);
    visit(last_sampled);
    visit(interval_s);
    visit(slow_mean);
    visit(volatility);
    visit(slow_volatility);
    visit(level);
    visit(trend);
    visit(day);
    visit(week);
    visit(cycle);
    visit(regression);
    visit(open);
    visit(open_count);
    visit(open_first);
    visit(until_open);
    visit(by_context);
    visit(loss);
    visit(losses);
    visit(answer);
    visit(leading);
  }
  bool is_valid() const {
    const auto is_loss = [](const auto& losses_of) {
      return std::all_of(losses_of.begin(), losses_of.end(), [](float x) { return x >= 0.0F && x <= 100.0F; });
    };
    return count >= 0 && count <= kRecent && head >= 0 && head < kRecent &&
           std::all_of(
               recent.begin(), recent.end(),
               [](std::uint16_t x) { return is_log_demand(internal::from_short_log(x)); }) &&
           interval_s >= 0.0 && interval_s < 9e9 && std::abs(seconds_since_epoch(last_sampled)) < 3e9 &&
           is_log_demand(slow_mean) && is_log_demand(volatility) && is_log_demand(slow_volatility) &&
           std::abs(level) <= kGreatestRise && std::abs(trend) <= kGreatestRise && day.is_valid() && week.is_valid() &&
           cycle.is_valid() && regression.is_valid() && open_count >= 0 && open_count <= kOpen && open_first >= 0 &&
           open_first < kOpen && until_open >= 0 &&
           std::all_of(
               open.begin(), open.end(), [](const OpenForecast& forecast) { return forecast.is_valid(); }) &&
           std::all_of(loss.begin(), loss.end(), is_loss) && losses >= 0.0 && losses <= kLossMemory &&
           answer.front() >= 0.0 && answer.back() <= std::exp(kGreatestLog) &&
           std::is_sorted(answer.begin(), answer.end()) &&
           std::all_of(leading.begin(), leading.end(), [](int i) { return i < static_cast<int>(kExperts); });
  }

  double back(int samples) const {
    return internal::from_short_log(
        recent[static_cast<std::size_t>((head - std::min(samples, count - 1) + kRecent) % kRecent)]);
  }
  double max_of(int samples) const {
    std::uint16_t greatest = 0;
    for (int i = 0, at = head; i < std::min(samples, count); ++i, at = at == 0 ? kRecent - 1 : at - 1)
      greatest = std::max(greatest, recent[static_cast<std::size_t>(at)]);
    return internal::from_short_log(greatest);
  }
  const Masses& prior() const {
    const long scale = std::lround(std::log2(std::max(volatility, 0.01) / 0.01));
    return tables().prior[static_cast<std::size_t>(std::clamp(scale, 0L, kPriorScales - 1L))];
  }
  ForwardQuantiles expert_quantiles(std::size_t expert, const OpenForecast& at, const Masses& scale) const {
    const SmallResidualHistogram* context =
        expert < kGuesses ? nullptr : &by_context[expert - kGuesses][at.contexts[expert - kGuesses]];
    return residual_quantiles(general[guess_of(expert)], context, scale);
  }

  void set_special_days(const SpecialDays& days) {
    special_days = days;
    day_classes.assign(days.classes.size(), {});
    for (std::size_t c = 0; c < day_classes.size(); ++c) day_classes[c].id = days.classes[c];
  }
  /// The same time of day, on the nearest day of that weekday.
  static double as_weekday(double local_s, std::chrono::weekday weekday) {
    const std::chrono::weekday own(date_of(local_s));
    return local_s + kSecondsPerDay * static_cast<double>((weekday - own).count());
  }
  /// At a local time; nullopt: not known.
  template <class Profile>
  std::optional<double> usual(const Profile& profile, double period_s, double local_s) const {
    const SpecialDay* special = special_days.find(date_of(local_s));
    if (special == nullptr) return profile.at(local_s / period_s);
    if (special->weekday) return profile.at(as_weekday(local_s, *special->weekday) / period_s);
    return day_classes[special->day_class].day.at(local_s / kSecondsPerDay);
  }

  void take(TimePoint sampled, double log_demand, bool is_censored, double offset_s);
  void learn_usual(double local_s, double log_demand);
  void settle(TimePoint sampled, double log_demand, bool is_censored);
  void learn(const OpenForecast& forecast);
  OpenForecast guess(double log_demand, Duration horizon, double offset_s) const;
  void answer_from(const OpenForecast& now);
};

/// The new sample, into everything that describes the present.
void ForwardMaximum::State::take(TimePoint sampled, double log_demand, bool is_censored, double offset_s) {
  if (count == 0) {
    slow_mean = level = log_demand;
  } else {
    const double elapsed_s = to_seconds(sampled - last_sampled);
    if (interval_s == 0.0) interval_s = elapsed_s;
    // After a gap, what was open has missed its maximum.
    if (elapsed_s > 4.0 * interval_s) open_count = 0;
    interval_s += 0.05 * (std::min(elapsed_s, 4.0 * interval_s) - interval_s);
    const double change = std::abs(log_demand - back(0));
    volatility += 0.1 * (change - volatility);
    slow_volatility += 0.01 * (change - slow_volatility);
  }
  last_sampled = sampled;
  head = (head + 1) % kRecent;
  recent[static_cast<std::size_t>(head)] = internal::to_short_log(log_demand);
  count = std::min(count + 1, kRecent);
  slow_mean += (log_demand - slow_mean) / 500.0;
  const double expected = level + kDamping * trend;
  trend = kDamping * trend + kTrendGain * (log_demand - expected);
  level = expected + kLevelGain * (log_demand - expected);
  if (is_censored) return;
  const double now_s = seconds_since_epoch(sampled);
  cycle.observe(now_s, log_demand);
  learn_usual(now_s + offset_s, log_demand);
}

void ForwardMaximum::State::learn_usual(double local_s, double log_demand) {
  const auto phase = [](double time_s, double period_s) { return time_s / period_s - std::floor(time_s / period_s); };
  const SpecialDay* special = special_days.find(date_of(local_s));
  const bool has_class = special != nullptr && !special->weekday;
  for (std::size_t c = 0; c < day_classes.size(); ++c) {
    if (has_class && special->day_class == c) {
      day_classes[c].day.observe(phase(local_s, kSecondsPerDay), log_demand);
    } else {
      day_classes[c].day.finish();
    }
  }
  if (has_class) return;
  day.observe(phase(local_s, kSecondsPerDay), log_demand);
  week.observe(phase(special == nullptr ? local_s : as_weekday(local_s, *special->weekday), kSecondsPerWeek),
               log_demand);
}

/// The forecasts whose maximum is known now.
void ForwardMaximum::State::settle(TimePoint sampled, double log_demand, bool is_censored) {
  for (int i = 0; i < open_count; ++i) {
    OpenForecast& forecast = open[static_cast<std::size_t>((open_first + i) % kOpen)];
    if (sampled > forecast.ends) continue;
    const auto number = static_cast<float>(log_demand);
    forecast.greatest = forecast.has_any ? std::max(forecast.greatest, number) : number;
    forecast.has_any = true;
    forecast.is_censored |= is_censored;
  }
  while (open_count > 0) {
    const OpenForecast& forecast = open[static_cast<std::size_t>(open_first)];
    if (sampled + from_seconds(0.5 * interval_s) < forecast.ends) break;
    if (forecast.has_any && !forecast.is_censored) learn(forecast);
    open_first = (open_first + 1) % kOpen;
    --open_count;
  }
}

void ForwardMaximum::State::learn(const OpenForecast& forecast) {
  const double rise = static_cast<double>(forecast.greatest) - static_cast<double>(forecast.log_demand);
  const Masses& scale = prior();
  losses = std::min(losses + 1.0, kLossMemory);
  for (std::size_t e = 0; e < kExperts; ++e) {
    const ForwardQuantiles quantiles = expert_quantiles(e, forecast, scale);
    const double residual = rise - forecast.rise_guessed_by(e);
    for (std::size_t l = 0; l < kLevels; ++l) {
      const double error = residual - quantiles[l];
      const double pinball = error > 0.0 ? kForwardLevels[l] * error : (kForwardLevels[l] - 1.0) * error;
      loss[e][l] += static_cast<float>((pinball - static_cast<double>(loss[e][l])) / losses);
    }
  }
  for (std::size_t e = 0; e < kExperts; ++e) {
    const int bin = ResidualBins::bin_of(rise - forecast.rise_guessed_by(e));
    if (e < kGuesses) {
      general[e].add(bin);
    } else {
      by_context[e - kGuesses][forecast.contexts[e - kGuesses]].add(bin);
    }
  }
  decltype(regression)::Vector features;
  std::copy(forecast.features.begin(), forecast.features.end(), features.begin());
  regression.learn(features, rise);
}

OpenForecast ForwardMaximum::State::guess(double log_demand, Duration horizon, double offset_s) const {
  const double z = back(0);
  const double max20 = max_of(20), max80 = max_of(80);
  const double now_s = seconds_since_epoch(last_sampled), horizon_s = to_seconds(horizon);
  OpenForecast now;
  now.ends = last_sampled + horizon;
  now.log_demand = static_cast<float>(log_demand);

  const double local_s = now_s + offset_s;
  const auto usual_rise = [&](const auto& profile, double period_s) {
    constexpr int kPoints = 4;
    const auto here = usual(profile, period_s, local_s);
    double greatest = -1e9;
    for (int i = 0; i <= kPoints; ++i) {
      const auto there = usual(profile, period_s, local_s + horizon_s * i / kPoints);
      if (!here || !there) return 0.0;
      greatest = std::max(greatest, *there - *here);
    }
    return greatest;
  };
  const double day_rise = usual_rise(day, kSecondsPerDay), week_rise = usual_rise(week, kSecondsPerWeek);
  const double cycle_rise = cycle.rise(now_s, 0.0, horizon_s);
  const decltype(regression)::Vector features = {z - back(1),  z - back(2),     z - back(4), z - back(8), z - back(16),
                                                 z - back(40), z - slow_mean,   day_rise,    week_rise,   cycle_rise,
                                                 volatility,   slow_volatility, max20 - z,   max80 - z};
  for (std::size_t f = 0; f < kFeatures; ++f) now.features[f] = static_cast<float>(features[f]);
  const double regressed = std::clamp(regression.predict(features), -ResidualBins::kReach, ResidualBins::kReach);
  const double steps = std::max(horizon_s / std::max(interval_s, 1e-3), 1.0);
  const double damped_steps = kDamping * (1.0 - std::pow(kDamping, steps)) / (1.0 - kDamping);
  now.trend_rise = static_cast<float>(level - log_demand + std::max(trend * damped_steps, 0.0));
  now.max240_rise = static_cast<float>(max_of(kRecent) - z);
  now.regressed_rise = static_cast<float>(regressed);

  const double moved = std::max(0.01, 0.7 * volatility);
  const int rising = third(z - back(2), -moved, moved);
  const int far = third(max20 - z, 0.03, 0.3);
  const int high = third(z - slow_mean, -0.5, 0.0);
  const double usual_change = std::max(slow_volatility, 0.005);
  const auto context = [](int a, int b, int c) { return static_cast<std::uint8_t>((a * 3 + b) * 3 + c); };
  now.contexts[kRegressionByTrend - kGuesses] = context(rising, third(volatility, 0.02, 0.06), far);
  now.contexts[kRegressionByGuess - kGuesses] =
      context(third(regressed / usual_change, 0.5, 1.5), third(volatility / usual_change, 0.7, 1.4), high);
  return now;
}

void ForwardMaximum::State::answer_from(const OpenForecast& now) {
  std::array<ForwardQuantiles, kExperts> quantiles;
  const Masses& scale = prior();
  for (std::size_t e = 0; e < kExperts; ++e) quantiles[e] = expert_quantiles(e, now, scale);
  double least = 0.0;
  for (std::size_t l = 0; l < kLevels; ++l) {
    std::size_t best = 0;
    for (std::size_t e = 1; e < kExperts; ++e)
      if (loss[e][l] < loss[best][l]) best = e;
    const double best_loss = static_cast<double>(loss[best][l]);
    double weights = 0.0, sum = 0.0;
    for (std::size_t e = 0; e < kExperts; ++e) {
      const double excess = (static_cast<double>(loss[e][l]) - best_loss) / (best_loss + 1e-6);
      const double weight = std::exp(-kMixingRate * excess);
      weights += weight;
      sum += weight * (now.rise_guessed_by(e) + quantiles[e][l]);
    }
    leading[l] = static_cast<std::uint8_t>(best);
    least = std::max(least, std::expm1(std::min(static_cast<double>(now.log_demand) + sum / weights, kGreatestLog)));
    answer[l] = least;
  }
}

ForwardMaximum::ForwardMaximum(const SpecialDays& special_days) : state_(std::make_unique<State>()) {
  MPCA_CHECK(special_days.classes.size() <= SpecialDays::kMostClasses, "no more classes of days than that");
  for (const SpecialDay& day : special_days.days)
    MPCA_CHECK(day.weekday || day.day_class < special_days.classes.size(), "the class of a special day exists");
  state_->set_special_days(special_days);
}
ForwardMaximum::ForwardMaximum(ForwardMaximum&&) noexcept = default;
ForwardMaximum& ForwardMaximum::operator=(ForwardMaximum&&) noexcept = default;
ForwardMaximum::~ForwardMaximum() = default;

void ForwardMaximum::observe(TimePoint sampled, double demand, bool is_censored, Duration horizon,
                             Duration utc_offset) {
  State& s = *state_;
  if (!std::isfinite(demand) || (s.count > 0 && sampled <= s.last_sampled)) return;
  const double log_demand = std::min(std::log1p(std::max(demand, 0.0)), kGreatestLog);
  const double offset_s = to_seconds(utc_offset);
  s.take(sampled, log_demand, is_censored, offset_s);
  s.settle(sampled, log_demand, is_censored);
  OpenForecast now = s.guess(log_demand, horizon, offset_s);
  now.is_censored = is_censored;
  s.answer_from(now);
  // No more than kOpen forecasts wait: with many samples in a horizon only every n-th is followed.
  if (--s.until_open > 0 && s.open_count > 0) return;
  const double samples = s.interval_s > 0.0 ? to_seconds(horizon) / s.interval_s : 0.0;
  s.until_open = static_cast<int>(std::min(samples / (kOpen - 1), 1e6)) + 1;
  if (s.open_count == kOpen) {
    s.open_first = (s.open_first + 1) % kOpen;
    --s.open_count;
  }
  s.open[static_cast<std::size_t>((s.open_first + s.open_count) % kOpen)] = now;
  ++s.open_count;
}

const ForwardQuantiles& ForwardMaximum::quantiles() const { return state_->answer; }
double ForwardMaximum::volatility() const { return state_->volatility; }
Duration ForwardMaximum::cycle_length() const {
  return from_seconds(state_->cycle.length() * internal::Cycle::kBinSeconds);
}
std::string_view ForwardMaximum::leading_expert(std::size_t level_index) const {
  return kNames[state_->leading[level_index]];
}
std::size_t ForwardMaximum::state_bytes() { return sizeof(State); }

void ForwardMaximum::save(StateWriter& writer) const {
  StateNumbers numbers;
  state_->visit(numbers);
  writer.put("forward_maximum", numbers.numbers());
  std::vector<double> counts;
  for (const ResidualHistogram& histogram : state_->general)
    counts.insert(counts.end(), histogram.counts().begin(), histogram.counts().end());
  writer.put("forward_maximum_residuals", counts);
  StateNumbers days;
  for (DayClass& day_class : state_->day_classes) day_class.visit(days);
  if (!days.numbers().empty()) writer.put("forward_maximum_days", days.numbers());
}

Result<void> ForwardMaximum::load(const StateReader& reader) {
  MPCA_TRY(const std::vector<double> numbers, reader.numbers("forward_maximum"));
  MPCA_TRY(const std::vector<double> counts, reader.numbers("forward_maximum_residuals"));
  auto loaded = std::make_unique<State>();
  StateNumbersReader source(numbers);
  loaded->visit(source);
  if (!source.is_good() || !loaded->is_valid()) return invalid("forward_maximum is not a memory of this version");
  StateNumbersReader count_source(counts);
  bool is_possible = true;
  for (ResidualHistogram& histogram : loaded->general) {
    std::array<std::uint16_t, ResidualBins::kBins> bins{};
    count_source(bins);
    is_possible = histogram.set_counts(bins) && is_possible;
  }
  if (!count_source.is_good() || !is_possible)
    return invalid("forward_maximum_residuals are not counts of this version");
  loaded->set_special_days(state_->special_days);
  if (reader.has("forward_maximum_days")) {
    MPCA_TRY(const std::vector<double> days, reader.numbers("forward_maximum_days"));
    MPCA_TRY_VOID(load_day_classes(days, loaded->day_classes));
  }
  state_ = std::move(loaded);
  return {};
}

}  // namespace mpca::forecast
