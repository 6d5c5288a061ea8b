#include "study/foresight.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "mpc/clairvoyant.h"

namespace mpca::study {
namespace {

struct Member {
  double price = 10.0;
  int stages = 3;  // dead time in control periods
};

SettingsTable settings_of(Member& member) {
  return {{"price", &member.price, "", Range::above(0), "P of the bill that it minimises"},
          {"stages", &member.stages, "", Range::at_least(0), "control periods from asking to Ready"}};
}

constexpr double kPrices[] = {0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 100, 300, 1000, 10000};
/// Of lognormal lags, in standard deviations of the log: half, 84 % and 97.7 % of the pods are Ready by then.
constexpr double kLagDeviations[] = {0.0, 1.0, 2.0};

class PlanFollower final : public policy::Policy {
 public:
  explicit PlanFollower(std::vector<int> plan) : plan_(std::move(plan)) {}

  policy::Decision decide(const policy::Observation&) override {
    policy::Decision decision{.replicas = plan_[std::min(next_, plan_.size() - 1)], .explanation = {}};
    decision.explanation.rule = "a plan made before";
    ++next_;
    return decision;
  }
  std::string save_state() const override { return cat(next_); }
  Result<void> load_state(std::string_view) override { return invalid("a followed plan has no state of its own"); }

 private:
  std::vector<int> plan_;
  std::size_t next_ = 0;
};

/// Late requests out of all at a constant rate with n replicas, for n = 0, 1, …; until it is negligible.
std::vector<double> late_ratios(double rate_rps, const Preset& preset, const sim::WaitingTimes& waiting) {
  constexpr double kNegligible = 1e-7;
  const double patience_s = to_seconds(preset.fluid.latency_target - preset.fluid.service_time);
  std::vector<double> ratios;
  for (int n = 0;; ++n) {
    const double capacity = n * preset.workload.capacity_rps;
    const int servers = std::min(n * preset.fluid.slots, waiting.servers());
    ratios.push_back(capacity <= rate_rps ? 1.0 : waiting.tail(servers, rate_rps / capacity, patience_s));
    if (ratios.back() < kNegligible || n >= preset.workload.max_replicas) return ratios;
  }
}

/// The lower convex hull of `values` over 0, 1, …, as shortfall levels whose weights are `scale` times its slopes.
void add_convex_levels(const std::vector<double>& values, double scale, std::vector<mpc::ShortfallLevel>& levels) {
  std::vector<std::size_t> hull;
  const auto slope = [&](std::size_t from, std::size_t to) {
    return (values[to] - values[from]) / static_cast<double>(to - from);
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    while (hull.size() > 1 && slope(hull[hull.size() - 2], hull.back()) >= slope(hull.back(), i)) hull.pop_back();
    hull.push_back(i);
  }
  // g(n) = Σ w_j (x_j - n)⁺ has slope -(w_j + w_{j+1} + …) left of x_j: going left, each piece adds what is steeper.
  double steeper = 0.0;
  for (std::size_t j = hull.size(); j-- > 1;) {
    const double fall = std::max(-slope(hull[j - 1], hull[j]), steeper);
    if (fall > steeper) levels.push_back({static_cast<double>(hull[j]), scale * (fall - steeper)});
    steeper = fall;
  }
}

}  // namespace

bool is_clairvoyant(std::string_view text) { return trim(text.substr(0, text.find(':'))) == kClairvoyant; }

std::vector<std::string> clairvoyant_family(const Preset& preset) { return clairvoyant_members(preset, kPrices); }

std::vector<std::string> clairvoyant_members(const Preset& preset, std::span<const double> prices) {
  const auto lag = DurationDistribution::parse(preset.pods.readiness_lag);
  const double mean_s = to_seconds(lag->mean());
  const double cv = lag->coefficient_of_variation();
  const double variance = std::log1p(cv * cv);
  std::vector<int> dead_times;
  for (const double deviations : kLagDeviations) {
    const double quantile_s = mean_s * std::exp(-variance / 2.0 + deviations * std::sqrt(variance));
    const int stages = static_cast<int>(std::ceil(quantile_s / to_seconds(preset.workload.period) - 1e-9));
    if (dead_times.empty() || dead_times.back() != stages) dead_times.push_back(stages);
  }
  std::vector<std::string> family;
  for (const double price : prices) {
    for (const int stages : dead_times) family.push_back(cat(kClairvoyant, ":price=", price, ",stages=", stages));
  }
  return family;
}

Result<std::vector<int>> clairvoyant_plan(std::string_view text, const Play& play, const Preset& preset,
                                          const sim::WaitingTimes& waiting) {
  Member member;
  const std::size_t colon = text.find(':');
  const std::string_view settings = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  MPCA_TRY_VOID(set_from_text(settings_of(member), settings, cat("--policy ", kClairvoyant)));

  const auto period_s = static_cast<std::size_t>(preset.workload.period / std::chrono::seconds(1));
  const std::size_t stages = (play.rate_rps.size() + period_s - 1) / period_s;
  std::vector<mpc::ShortfallLevel> levels;
  std::vector<std::uint32_t> offsets = {0};
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const auto first = play.rate_rps.begin() + static_cast<std::ptrdiff_t>(stage * period_s);
    const auto last =
        play.rate_rps.begin() + static_cast<std::ptrdiff_t>(std::min((stage + 1) * period_s, play.rate_rps.size()));
    // Within a stage the rate moves on a line or jumps: its ends and its middle stand for it.
    std::vector<double> late;
    const double samples[] = {*first, *(first + (last - first) / 2), *(last - 1)};
    double requests = 0.0;
    for (const double rate : samples) {
      if (rate <= 0.0) continue;
      const std::vector<double> ratios = late_ratios(rate, preset, waiting);
      if (late.size() < ratios.size()) late.resize(ratios.size(), 0.0);
      const double weight = rate * static_cast<double>(last - first) / 3.0;
      for (std::size_t n = 0; n < ratios.size(); ++n) late[n] += weight * ratios[n];
      requests += weight;
    }
    // A replica-second costs `capacity` on the bill's scale, where everything is divided by the requests.
    if (requests > 0.0) add_convex_levels(late, member.price / preset.workload.capacity_rps, levels);
    offsets.push_back(static_cast<std::uint32_t>(levels.size()));
  }

  mpc::IntegerPlanProblem problem;
  problem.stages = static_cast<int>(stages);
  problem.dead_time_stages = member.stages;
  problem.spec_replicas = initial_replicas(play, preset);
  problem.replica_price = to_seconds(preset.workload.period);
  problem.levels = levels;
  problem.level_offsets = offsets;
  problem.min_replicas = preset.workload.min_replicas;
  problem.max_replicas = preset.workload.max_replicas;
  // What is asked for in the last stages serves nobody within the run; the plan knows that and stops, as it may.
  MPCA_TRY(mpc::ClairvoyantPlan plan, mpc::clairvoyant_plan(problem));
  return std::move(plan.spec_replicas);
}

std::unique_ptr<policy::Policy> follow_plan(std::vector<int> plan) {
  return std::make_unique<PlanFollower>(std::move(plan));
}

}  // namespace mpca::study
