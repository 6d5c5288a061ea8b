#include "study/tune.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <span>

#include "core/os/parallel.h"
#include "core/text.h"
#include "policy/policy.h"
#include "policy/run_policy.h"
#include "study/foresight.h"
#include "study/play.h"

namespace mpca::study {
namespace {

using report::TuneReport;
using report::TuneRule;
using report::TuneVerdict;

constexpr std::string_view kToday = "today";
constexpr std::string_view kHpa = "hpa";
constexpr std::string_view kReactive = "reactive";
constexpr std::string_view kPredictive = "predictive";

constexpr double kNoticeablyFewer = 0.8;  // violations, where nothing keeps the wished share
constexpr double kShortestSeconds = 7200.0;
constexpr double kDeadTimesPerBlock = 10.0;

using KeyValues = std::vector<std::pair<std::string, std::string>>;

KeyValues settings_in(std::string_view policy_text) {
  KeyValues values;
  const std::size_t colon = policy_text.find(':');
  if (colon == std::string_view::npos) return values;
  for (const std::string_view part : split(policy_text.substr(colon + 1), ',')) {
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos)
      values.emplace_back(trim(part.substr(0, equals)), trim(part.substr(equals + 1)));
  }
  return values;
}

std::string value_in(const KeyValues& values, std::string_view key) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& each) { return each.first == key; });
  return found == values.end() ? std::string() : found->second;
}

bool is_kind(std::string_view policy_text, std::string_view kind) {
  return trim(policy_text.substr(0, policy_text.find(':'))) == kind;
}

/// The present object with target and scale-down window varied, if there is one. The window is the object's own field
/// and not the controller's flag: that is what a user can set.
std::vector<std::string> hpa_members(const std::string& present) {
  constexpr int kFirstUtilization = 30, kLastUtilization = 90, kStep = 5;
  constexpr int kWindowSeconds[] = {0, 60, 120, 300, 600, 1200};
  std::string kept;
  double request_cores = 1.0;
  bool has_target = true;
  if (is_kind(present, kHpa)) {
    for (const auto& [key, value] : settings_in(present)) {
      if (key == "target" || key == "stabilization" || key == "down-window") continue;
      if (key == "cpu-request") request_cores = parse_double(value).value_or(1.0);
      const bool is_cpu = key == "metrics" && value.starts_with("cpu") && value.find(';') == std::string::npos &&
                          (value == "cpu" || value.ends_with('%'));
      if (is_cpu) continue;
      if (key == "metrics") has_target = false;
      kept += cat(",", key, "=", value);
    }
  }
  std::vector<std::string> members;
  for (int utilization = kFirstUtilization; utilization <= kLastUtilization; utilization += kStep) {
    for (const int window_s : kWindowSeconds) {
      // Targets are percentages of the request: half a core requested of one used is twice the percentage.
      const long target = std::clamp(std::lround(utilization / request_cores), 1L, 10'000L);
      members.push_back(has_target ? cat("hpa:target=", target, ",down-window=", window_s, "s", kept)
                                   : cat("hpa:down-window=", window_s, "s", kept));
    }
    if (!has_target) break;
  }
  return members;
}

std::optional<report::HpaFields> hpa_fields(std::string_view policy_text) {
  if (!is_kind(policy_text, kHpa)) return std::nullopt;
  const KeyValues values = settings_in(policy_text);
  const auto window = parse_duration(value_in(values, "down-window"));
  if (!window) return std::nullopt;
  report::HpaFields fields;
  fields.scale_down_window_s = static_cast<int>(to_seconds(*window));
  if (const auto target = parse_int(value_in(values, "target"))) fields.average_utilization = static_cast<int>(*target);
  return fields;
}

/// From a change of demand until pods that answer it serve: it is scraped, seen at the next period, and they start.
double dead_time_s(const Preset& preset) {
  const auto lag = DurationDistribution::parse(preset.pods.readiness_lag);
  return to_seconds(lag->mean() + preset.workload.period + preset.metrics.scrape_interval);
}

/// Every policy that is played once, with all seeds.
class Player {
 public:
  Player(const TuneSettings& settings, const Play& play)
      : settings_(settings), play_(play), make_world_(settings.preset, "fluid") {
    for (int seed = 1; seed <= settings.seeds; ++seed)
      arrivals_.push_back(arrivals_of(play, settings.preset, static_cast<std::uint64_t>(seed)));
  }

  /// Candidates in the order of `policies`.
  Result<std::vector<Candidate>> play_all(const std::vector<std::string>& policies, const std::stop_token& stop,
                                          const std::function<void(const Progress&)>& on_progress) const {
    const auto seeds = static_cast<int>(arrivals_.size());
    const int count = static_cast<int>(policies.size()) * seeds;
    std::vector<Result<std::vector<BlockAccount>>> runs(static_cast<std::size_t>(count));
    std::mutex mutex;  // guards done and the listener
    int done = 0;
    const int ran = os::parallel_for(count, settings_.jobs, stop, [&](int index) {
      const auto policy = static_cast<std::size_t>(index / seeds);
      runs[static_cast<std::size_t>(index)] =
          play_one(policies[policy], arrivals_[static_cast<std::size_t>(index % seeds)], stop);
      const std::scoped_lock lock(mutex);
      on_progress({.done = static_cast<double>(++done) / count});
    });
    for (int i = 0; i < ran; ++i) {
      const auto& run = runs[static_cast<std::size_t>(i)];
      if (!run) return std::unexpected(run.error());
    }
    if (ran < count) return fail(ErrorCode::interrupted, "interrupted: nothing was written");
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < policies.size(); ++i) {
      Candidate& candidate = candidates.emplace_back();
      candidate.policy = policies[i];
      candidate.blocks.resize(static_cast<std::size_t>(settings_.folds));
      for (std::size_t seed = 0; seed < arrivals_.size(); ++seed) {
        const std::vector<BlockAccount>& run = *runs[i * arrivals_.size() + seed];
        for (std::size_t block = 0; block < run.size(); ++block) candidate.blocks[block] += run[block];
      }
    }
    return candidates;
  }

 private:
  Result<std::vector<BlockAccount>> play_one(const std::string& text,
                                             const std::shared_ptr<const sim::Arrivals>& arrivals,
                                             const std::stop_token& stop) const {
    std::unique_ptr<policy::Policy> policy;
    if (is_clairvoyant(text)) {
      MPCA_TRY(std::vector<int> plan, clairvoyant_plan(text, play_, settings_.preset, make_world_.waiting()));
      policy = follow_plan(std::move(plan));
    } else {
      MPCA_TRY(policy, policy::create_policy(text, settings_.preset.workload, "--present"));
    }
    const auto world = make_world_(arrivals, initial_replicas(play_, settings_.preset));
    BlockMeter meter(play_.played.seconds, settings_.folds);
    sim::DatedWorld dated(*world, settings_.clock);
    const bool finished = run_policy(
        dated, *policy, stop, [&](const auto&, const auto&, const auto&) { meter.period_ended(world->truth()); });
    if (!finished) return fail(ErrorCode::interrupted, "interrupted: nothing was written");
    return meter.finish(world->truth());
  }

  const TuneSettings& settings_;
  const Play& play_;
  WorldMaker make_world_;
  std::vector<std::shared_ptr<const sim::Arrivals>> arrivals_;
};

report::TuneFigures figures_of(const BlockAccount& account, const Wish& wish) {
  report::TuneFigures figures;
  if (account.requests > 0.0) {
    figures.bill = bill(account, wish) / account.requests;
    figures.relative_cost = account.replica_seconds * wish.capacity_rps / account.requests;
  }
  if (account.seconds > 0.0) {
    figures.mean_replicas = account.replica_seconds / account.seconds;
    figures.churn_per_hour = account.churn / (account.seconds / 3600.0);
  }
  figures.violation_ratio = account.violation_ratio();
  return figures;
}

TuneRule rule_of(const std::string& kind, std::span<const Candidate> candidates, const HeldOut& held_out,
                 std::span<const BlockAccount> today, const Wish& wish) {
  TuneRule rule;
  rule.kind = kind;
  rule.policy = candidates[held_out.on_all].policy;
  rule.settings = static_cast<int>(candidates.size());
  const BlockAccount sum = sum_of(held_out.blocks);
  rule.figures = figures_of(sum, wish);
  rule.keeps = is_kept(sum, wish);
  rule.saving = saving_of(held_out.blocks, today, wish);
  for (std::size_t i = 0; i < held_out.blocks.size(); ++i) {
    if (held_out.chosen[i] == held_out.on_all) ++rule.same_choice;
    const double billed_today = bill(today[i], wish);
    const BlockAccount& block = held_out.blocks[i];
    rule.blocks.push_back(
        {.policy = candidates[held_out.chosen[i]].policy,
         .bill = figures_of(block, wish).bill,
         .violation_ratio = block.violation_ratio(),
         .saving = billed_today > 0.0 ? std::optional(1.0 - bill(block, wish) / billed_today) : std::nullopt});
  }
  rule.hpa = hpa_fields(rule.policy);
  return rule;
}

/// The floor, with all of history known: its best member; for a share, what lies on the line between two of them.
std::optional<report::TuneFigures> foresight_of(std::span<const Candidate> candidates, const Wish& wish) {
  if (candidates.empty()) return std::nullopt;
  if (!wish.is_share())
    return figures_of(sum_of(candidates[best_without(candidates, std::nullopt, wish)].blocks), wish);
  std::vector<Point> points;
  std::vector<report::TuneFigures> figures;
  for (const Candidate& candidate : candidates) {
    figures.push_back(figures_of(sum_of(candidate.blocks), wish));
    points.push_back({figures.back().violation_ratio, figures.back().relative_cost});
  }
  const std::vector<std::size_t> hull = lower_hull(points);
  const auto cost = hull_at(points, hull, wish.late_share);
  if (!cost) return std::nullopt;
  report::TuneFigures at_share = figures[hull.front()];
  for (const std::size_t i : hull) {
    if (points[i].x <= wish.late_share) at_share = figures[i];
  }
  at_share.mean_replicas *= *cost / at_share.relative_cost;
  at_share.bill = at_share.relative_cost = *cost;
  return at_share;
}

/// Of rule `g` against the simpler `w`.
bool replaces(const TuneRule& g, const TuneRule& w, const report::Interval& saving, const Wish& wish) {
  if (wish.is_share()) {
    if (g.keeps != w.keeps) return g.keeps;
    if (!g.keeps) return g.figures.violation_ratio < kNoticeablyFewer * w.figures.violation_ratio;
  }
  return saving.value >= report::kWorthIt && saving.low.value_or(0.0) > 0.0;
}

TuneVerdict verdict_for(std::string_view kind) {
  if (kind == kPredictive) return TuneVerdict::use_predictive;
  if (kind == kReactive) return TuneVerdict::use_reactive;
  if (kind == kHpa) return TuneVerdict::use_hpa;
  return TuneVerdict::keep_present;
}

}  // namespace

std::vector<Family> families_to_tune(const std::string& present, const Wish& wish, const std::string& calendar) {
  const std::string knob = wish.is_share() ? cat("late-share=", wish.late_share) : cat("late-price=", wish.late_price);
  Family predictive{.name = std::string(kPredictive), .members = {}};
  std::string events = calendar;
  if (events.empty() && is_kind(present, kPredictive)) events = value_in(settings_in(present), "calendar");
  const std::string known = events.empty() ? std::string() : cat(",calendar=", events);
  for (const char* band : {"0.03", "0.08", "0"})
    predictive.members.push_back(cat("predictive:", knob, ",dead-band=", band, known));
  return {{.name = std::string(kHpa), .members = hpa_members(present)},
          {.name = std::string(kReactive), .members = policy::expand_sweep("reactive:sweep")},
          std::move(predictive)};
}

double shortest_history_s(const Preset& preset, int folds) {
  return std::max(kShortestSeconds, kDeadTimesPerBlock * folds * dead_time_s(preset));
}

void decide(TuneReport& report, const std::vector<std::vector<BlockAccount>>& blocks, const Wish& wish) {
  report.chosen = report.best_simple = 0;
  for (std::size_t i = 1; i < report.rules.size(); ++i) {
    const report::Interval saving = saving_of(blocks[i], blocks[report.chosen], wish);
    const bool is_predictive = report.rules[i].kind == kPredictive;
    if (is_predictive) report.predictive_saving = saving;
    if (replaces(report.rules[i], report.rules[report.chosen], saving, wish)) report.chosen = i;
    if (!is_predictive) report.best_simple = report.chosen;
  }
  report.verdict = verdict_for(report.rules[report.chosen].kind);
}

Result<TuneReport> tune(const TuneSettings& settings, const std::stop_token& stop,
                        const std::function<void(const Progress&)>& on_progress) {
  MPCA_CHECK(settings.folds >= kFewestFolds && settings.folds <= kMostFolds, "folds in their range");
  MPCA_CHECK(settings.seeds >= 1, "a seed");
  Wish wish = settings.wish;
  wish.capacity_rps = settings.preset.workload.capacity_rps;
  MPCA_TRY_VOID(policy::create_policy(settings.present, settings.preset.workload, "--present"));
  MPCA_TRY(const Play play, prepare(settings.input.trace, settings.input.file, settings.preset));

  TuneReport report;
  report.trace = play.played;
  report.preset = settings.preset.name;
  report.present = settings.present;
  report.late_price = wish.is_share() ? 0.0 : wish.late_price;
  report.late_share = wish.late_share;
  report.folds = settings.folds;
  report.seeds = settings.seeds;
  report.recorded_seconds = static_cast<double>(settings.input.trace.demand_rps.size()) * play.played.played_step_s;
  report.needed_seconds = shortest_history_s(settings.preset, settings.folds);
  report.configuration = preset_rows(settings.preset);
  for (auto& row : clock_rows(settings.clock)) report.configuration.push_back(std::move(row));
  report.command = settings.command;
  report.version = settings.program;
  if (play.played.seconds < report.needed_seconds) return report;

  std::vector<Family> families = settings.families;
  if (families.empty()) families = families_to_tune(settings.present, wish, settings.calendar);
  families.insert(families.begin(), {.name = std::string(kToday), .members = {settings.present}});
  families.push_back({.name = std::string(kClairvoyant),
                      .members = wish.is_share()
                                     ? clairvoyant_family(settings.preset)
                                     : clairvoyant_members(settings.preset, std::span(&wish.late_price, 1))});
  std::vector<std::string> policies;
  for (const Family& family : families) policies.insert(policies.end(), family.members.begin(), family.members.end());
  const Player player(settings, play);
  MPCA_TRY(const std::vector<Candidate> played, player.play_all(policies, stop, on_progress));

  std::vector<std::vector<BlockAccount>> blocks;
  std::size_t first = 0;
  for (const Family& family : families) {
    const std::span<const Candidate> candidates = std::span(played).subspan(first, family.members.size());
    first += family.members.size();
    if (family.name == kClairvoyant) {
      report.foresight = foresight_of(candidates, wish);
      continue;
    }
    const HeldOut held_out = cross_validate(candidates, wish);
    blocks.push_back(held_out.blocks);
    report.rules.push_back(rule_of(family.name, candidates, held_out, blocks.front(), wish));
  }
  const double today = report.rules.front().figures.bill;
  if (report.foresight && today > 0.0) report.foresight_saving = 1.0 - report.foresight->bill / today;
  decide(report, blocks, wish);
  return report;
}

}  // namespace mpca::study
