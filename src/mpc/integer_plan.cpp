#include "mpc/integer_plan.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace mpca::mpc {
namespace {

constexpr int kMostReplicas = 1 << 24;                    // keeps every position of a slope in range, limits included
constexpr std::int64_t kFarAway = std::int64_t{1} << 61;  // farther than any offset, at most 2^24 per stage, reaches

// One instruction, where lround is a call; a value just below a half may come out one unit of 2^-20 higher.
// NOLINTNEXTLINE(bugprone-incorrect-roundings)
Cost to_cost(double value) { return static_cast<Cost>(value * kCostScale + 0.5); }

// weight × (replicas - ready)⁺ on whole ready: `weight_below` at `below` and `weight_above` at the number above it.
struct SplitLevel {
  std::int64_t below;
  Cost weight_below, weight_above;

  explicit SplitLevel(const ShortfallLevel& level) {
    const double replicas = std::max(level.replicas, 0.0);
    below = static_cast<std::int64_t>(replicas);
    weight_above = to_cost(level.weight * (replicas - static_cast<double>(below)));
    weight_below = to_cost(level.weight) - weight_above;
  }
};

// set(i, the best of get(j) for j = i - width … i), best first by `better`; `queue` has room for `count` indices.
template <class Better, class Get, class Set>
void for_window(int count, int width, Better better, Get get, Set set, int* queue) {
  int first = 0, last = 0;
  for (int i = 0; i < count; ++i) {
    while (last > first && !better(get(queue[last - 1]), get(i))) --last;
    queue[last++] = i;
    if (queue[first] < i - width) ++first;
    set(i, get(queue[first]));
  }
}

// ready_k for every stage.
void fill_ready(const IntegerPlanProblem& problem, std::span<const int> spec, std::vector<int>& ready, int* queue) {
  for_window(
      problem.stages, problem.dead_time_stages, std::less<>(), [&](int k) { return spec[static_cast<std::size_t>(k)]; },
      [&](int k, int least) { ready[static_cast<std::size_t>(k)] = least; }, queue);
  const auto history = static_cast<std::size_t>(std::min(problem.dead_time_stages, problem.stages));
  for (std::size_t k = 0; k < history; ++k) {
    ready[k] = std::min(ready[k], problem.spec_replicas);
    if (!problem.ready_if_kept.empty()) ready[k] = std::min(ready[k], problem.ready_if_kept[k]);
  }
}

// All terms but the shortfall's.
Cost cost_of_spec(const IntegerPlanProblem& problem, std::span<const int> spec) {
  Cost cost = 0;
  Cost before = problem.spec_replicas;
  for (std::size_t k = 0; k < spec.size(); ++k) {
    const Cost now = spec[k];
    cost += to_cost(problem.replica_price[k]) * now;
    if (now > before)
      cost += (to_cost(problem.start_price[k]) + to_cost(problem.rise_churn_price[k])) * (now - before);
    else if (now < before)
      cost += to_cost(problem.fall_churn_price[k]) * (before - now);
    before = now;
  }
  return cost;
}

class Checker {
 public:
  explicit Checker(const IntegerPlanProblem& problem) : problem_(problem) {}

  Result<void> check(std::span<const int> spec) {
    if (problem_.stages < 1) add("stages", problem_.stages, ">= 1");
    if (problem_.dead_time_stages < 0) add("dead_time_stages", problem_.dead_time_stages, ">= 0");
    MPCA_TRY_VOID(problems_.to_result());
    stages_ = static_cast<std::size_t>(problem_.stages);
    replicas("spec_replicas", problem_.spec_replicas);
    const std::size_t history = std::min(stages_, static_cast<std::size_t>(problem_.dead_time_stages));
    if (!problem_.ready_if_kept.empty()) size("ready_if_kept", problem_.ready_if_kept.size(), history);
    for (const int count : problem_.ready_if_kept) replicas("ready_if_kept", count);
    for (const int count : spec) replicas("spec_replicas of the plan", count);
    prices("replica_price", problem_.replica_price, 2);
    prices("start_price", problem_.start_price, 1);
    prices("rise_churn_price", problem_.rise_churn_price, 1);
    prices("fall_churn_price", problem_.fall_churn_price, 1);
    limits("max_rise", problem_.max_rise);
    limits("max_fall", problem_.max_fall);
    bounds();
    levels();
    if (problems_.empty() && !(price_sum_ * kCostScale * most_ < 0x1p62))
      problems_.add(cat("all prices and weights add up to ", price_sum_, " and replicas or levels reach ", most_,
                        "; their product must be below 2^42, so take a larger unit of money"));
    return problems_.to_result();
  }

 private:
  void add(std::string_view name, double value, std::string_view accepted) {
    problems_.add(cat(name, " is ", value, "; must be ", accepted));
  }
  void add(std::string_view name, std::size_t stage, double value, std::string_view accepted) {
    problems_.add(cat(name, " of stage ", stage, " is ", value, "; must be ", accepted));
  }
  bool size(std::string_view name, std::size_t got, std::size_t want) {
    if (got != want) problems_.add(cat(name, " has ", got, " values; must have ", want));
    return got == want;
  }
  void replicas(std::string_view name, int count) {
    if (count < 0 || count > kMostReplicas) add(name, count, "from 0 to 2^24");
    most_ = std::max(most_, static_cast<double>(count));
  }
  void prices(std::string_view name, const PerStage<double>& course, double times) {
    if (course.is_constant()) {
      if (!(course[0] >= 0 && std::isfinite(course[0]))) add(name, course[0], "finite and >= 0");
      price_sum_ += times * course[0] * static_cast<double>(stages_);
      return;
    }
    if (!size(name, course.size(), stages_)) return;
    double sum = 0;
    for (std::size_t k = 0; k < stages_; ++k) {
      if (!(course[k] >= 0 && std::isfinite(course[k]))) add(name, k, course[k], "finite and >= 0");
      sum += course[k];
    }
    price_sum_ += times * sum;
  }
  void limits(std::string_view name, const PerStage<int>& course) {
    if (!course.is_constant() && !size(name, course.size(), stages_)) return;
    for (std::size_t k = 0; k < (course.is_constant() ? 1 : stages_); ++k)
      if (course[k] < 0) add(name, k, course[k], ">= 0");
  }
  void bounds() {
    const auto& low = problem_.min_replicas;
    const auto& high = problem_.max_replicas;
    if (!low.is_constant() && !size("min_replicas", low.size(), stages_)) return;
    if (!high.is_constant() && !size("max_replicas", high.size(), stages_)) return;
    for (std::size_t k = 0; k < (low.is_constant() && high.is_constant() ? 1 : stages_); ++k) {
      if (low[k] < 0) add("min_replicas", k, low[k], ">= 0");
      if (high[k] < low[k]) add("max_replicas", k, high[k], cat(">= min_replicas, which is ", low[k]));
      if (high[k] > kMostReplicas) add("max_replicas", k, high[k], "at most 2^24");
      most_ = std::max(most_, static_cast<double>(high[k]));
    }
  }
  void levels() {
    const auto offsets = problem_.level_offsets;
    if (offsets.empty() && problem_.levels.empty()) return;
    if (!size("level_offsets", offsets.size(), stages_ + 1)) return;
    if (offsets.front() != 0 || offsets.back() != problem_.levels.size() || offsets.back() >= 1U << 30U ||
        !std::is_sorted(offsets.begin(), offsets.end())) {
      problems_.add("level_offsets must rise from 0 to the number of levels, which must be below 2^30");
      return;
    }
    bool good = true;
    double sum = 0, highest = 0;
    for (const auto& [replicas, weight] : problem_.levels) {
      good &= (replicas <= kMostReplicas) & (weight >= 0);
      sum += weight;
      highest = std::max(highest, replicas);
    }
    if (!good || !std::isfinite(sum)) name_bad_levels();
    price_sum_ += sum;
    most_ = std::max(most_, std::ceil(highest));
  }

  void name_bad_levels() {
    for (std::size_t k = 0; k < stages_; ++k)
      for (std::uint32_t i = problem_.level_offsets[k]; i < problem_.level_offsets[k + 1]; ++i) {
        const auto [replicas, weight] = problem_.levels[i];
        if (!(weight >= 0 && std::isfinite(weight))) add("the weight of a level", k, weight, "finite and >= 0");
        if (!(replicas <= kMostReplicas)) add("a level", k, replicas, "at most 2^24 replicas");
      }
  }

  const IntegerPlanProblem& problem_;
  Problems problems_;
  std::size_t stages_ = 0;
  double price_sum_ = 0, most_ = 1;
};

}  // namespace

void IntegerPlanner::reserve(int stages, std::size_t levels) {
  const auto count = static_cast<std::size_t>(std::max(stages, 1));
  if (stages_.size() < count + 1) stages_.resize(count + 1);
  for (std::vector<int>* values : {&chain_, &spec_, &ready_, &window_}) values->reserve(count);
  if (bands_.size() < count) bands_.resize(count);
  if (stage_kinks_.size() < 2 * levels + 2) stage_kinks_.resize(2 * levels + 2);
  // Every kink of a stage, each stage splits at most three, and both stacks have a bottom.
  if (slopes_.size() < 2 * levels + 3 * count + 2) slopes_.resize(2 * levels + 3 * count + 2);
}

Result<IntegerPlan> IntegerPlanner::solve(const IntegerPlanProblem& problem) {
  MPCA_TRY_VOID(Checker(problem).check({}));
  reserve(problem.stages, problem.levels.size());
  const auto count = static_cast<std::size_t>(problem.stages);
  for (std::vector<int>* values : {&chain_, &spec_, &ready_, &window_}) values->resize(count);
  build(problem);
  find_reachable(problem);
  go_back(problem.dead_time_stages);
  go_forward(problem);

  const bool can_rise = problem.stages > problem.dead_time_stages;
  const int hold_low = can_rise ? bands_[static_cast<std::size_t>(problem.dead_time_stages)].low : floor_;
  Cost cost = unavoidable_ + cost_of_spec(problem, spec_);
  for (std::size_t k = 0; k < count; ++k)
    for (std::uint32_t i = stages_[k + 1].kinks_begin; i > stages_[k].kinks_begin && stage_kinks_[i - 1].at > ready_[k];
         --i)
      cost += stage_kinks_[i - 1].jump * (stage_kinks_[i - 1].at - ready_[k]);
  return IntegerPlan{.spec_replicas = spec_,
                     .ready_replicas = ready_,
                     .chain_replicas = chain_,
                     .hold_low = hold_low,
                     .hold_high = std::max(bands_[0].high, hold_low),
                     .cost = cost,
                     .widened_limits = widened_};
}

// One stage's levels as kinks from `begin` on; returns the end.
std::uint32_t IntegerPlanner::add_kinks(std::span<const ShortfallLevel> levels, std::uint32_t begin) {
  // Without branches that depend on the data as long as the levels ascend: one kink is open at `below`, one above it.
  std::uint32_t end = begin;
  std::int64_t below = 0;
  Cost at_below = 0, at_above = 0;
  bool ascending = true;
  for (const ShortfallLevel& level : levels) {
    const SplitLevel next(level);
    const std::int64_t step = next.below - below;
    ascending &= step >= 0;
    stage_kinks_[end] = {below, at_below};
    end += (step > 0) & (at_below != 0);
    stage_kinks_[end] = {below + 1, at_above};
    end += (step > 1) & (at_above != 0);
    at_below = next.weight_below + (step == 0 ? at_below : step == 1 ? at_above : 0);
    at_above = next.weight_above + (step == 0 ? at_above : 0);
    below = next.below;
  }
  if (!ascending) return add_unordered_kinks(levels, begin);
  if (at_below != 0) stage_kinks_[end++] = {below, at_below};
  if (at_above != 0) stage_kinks_[end++] = {below + 1, at_above};
  return end;
}

std::uint32_t IntegerPlanner::add_unordered_kinks(std::span<const ShortfallLevel> levels, std::uint32_t begin) {
  std::uint32_t end = begin;
  const auto insert = [&](std::int64_t at, Cost jump) {
    std::uint32_t place = end++;
    for (; place > begin && stage_kinks_[place - 1].at > at; --place) stage_kinks_[place] = stage_kinks_[place - 1];
    stage_kinks_[place] = {at, jump};
  };
  for (const ShortfallLevel& level : levels) {
    const SplitLevel split(level);
    insert(split.below, split.weight_below);
    insert(split.below + 1, split.weight_above);
  }
  return end;
}

void IntegerPlanner::build(const IntegerPlanProblem& problem) {
  const auto count = static_cast<std::size_t>(problem.stages);
  const auto dead_time = static_cast<std::size_t>(problem.dead_time_stages);
  std::uint32_t end = 0;
  unavoidable_ = 0;
  Cost warm_up = 0;  // r of the last d stages
  for (std::size_t k = 0; k < count; ++k) {
    Stage& stage = stages_[k];
    stage.running = to_cost(problem.replica_price[k]);
    stage.fall = to_cost(problem.fall_churn_price[k]);
    stage.max_fall = std::min(problem.max_fall[k], kMostReplicas);
    stage.rise = 0;
    stage.max_rise = 0;
    if (k >= dead_time) {
      const std::size_t asked = k - dead_time;
      stage.rise = to_cost(problem.start_price[asked]) + to_cost(problem.rise_churn_price[asked]) + warm_up;
      stage.max_rise = std::min(problem.max_rise[asked], kMostReplicas);
      warm_up -= stages_[asked].running;
    }
    warm_up += stage.running;

    const std::uint32_t begin = end;
    stage.kinks_begin = begin;
    if (problem.levels.empty()) continue;
    end = add_kinks(
        problem.levels.subspan(problem.level_offsets[k], problem.level_offsets[k + 1] - problem.level_offsets[k]),
        begin);
    // What is above the pods that can be ready by then is missed in any case, and keeping more helps nothing.
    if (k >= dead_time) continue;
    const int ready = problem.ready_if_kept.empty() ? problem.spec_replicas
                                                    : std::min(problem.spec_replicas, problem.ready_if_kept[k]);
    Cost beyond = 0;
    for (; end > begin && stage_kinks_[end - 1].at >= ready; --end) {
      unavoidable_ += stage_kinks_[end - 1].jump * (stage_kinks_[end - 1].at - ready);
      beyond += stage_kinks_[end - 1].jump;
    }
    if (beyond > 0) stage_kinks_[end++] = {ready, beyond};
  }
  stages_[count].kinks_begin = end;
}

// What the chain can be at each stage, from the present on; limits that miss the bounds are widened up to them.
void IntegerPlanner::find_reachable(const IntegerPlanProblem& problem) {
  const auto count = static_cast<std::size_t>(problem.stages);
  const auto dead_time = static_cast<std::size_t>(problem.dead_time_stages);
  // A pod that is ready at k was there since k - d, so the lowest maximum since then holds.
  if (!problem.max_replicas.is_constant())
    for_window(
        problem.stages, problem.dead_time_stages, std::less<>(),
        [&](int k) { return problem.max_replicas[static_cast<std::size_t>(k)]; },
        [&](int k, int least) { spec_[static_cast<std::size_t>(k)] = least; }, window_.data());
  widened_ = 0;
  floor_ = kMostReplicas;
  int low = problem.spec_replicas, high = low;
  for (std::size_t k = 0; k < count; ++k) {
    Stage& stage = stages_[k];
    const int most = problem.max_replicas.is_constant() ? problem.max_replicas[k] : spec_[k];
    const int least = std::min(problem.min_replicas[k], most);
    floor_ = std::min(floor_, least);
    if (low - stage.max_fall > most) {
      stage.max_fall = low - most;
      ++widened_;
    }
    if (k >= dead_time && high + stage.max_rise < least) {
      stage.max_rise = least - high;
      ++widened_;
    }
    const int attainable = high + stage.max_rise;
    high = std::min(attainable, most);
    low = std::max(low - stage.max_fall, std::min(least, attainable));
    stage.low = low;
    stage.high = high;
  }
}

// Adds `count` kinks to the stack with that top; `nearest` of them is nearest to the gap, the others and the stack
// follow in the direction `Away`. Returns the new top. Which of two kinks comes first is not to be predicted, so it is
// no branch.
template <int Away>
IntegerPlanner::Kink* IntegerPlanner::merge(Kink* top, const Kink* nearest, std::ptrdiff_t count, std::int64_t offset) {
  Kink* const new_top = top - Away * count;
  Kink* out = new_top;
  while (count > 0) {
    const std::int64_t at = nearest->at - offset;
    const bool from_stack = Away < 0 ? top->at > at : top->at < at;
    const Cost jump = from_stack ? top->jump : nearest->jump;
    *out = {from_stack ? top->at : at, jump};
    out += Away;
    top += from_stack ? Away : 0;
    nearest += from_stack ? 0 : Away;
    count -= from_stack ? 0 : 1;
  }
  return new_top;
}

void IntegerPlanner::go_back(int dead_time) {
  const std::size_t count = chain_.size();
  // Two stacks around a gap: kinks left of the centre with its neighbour on top, and kinks right of it. Each stack is
  // shifted as a whole, by its offset. `slope` is the slope at the centre.
  Kink* const left_bottom = slopes_.data();
  Kink* const right_bottom = slopes_.data() + slopes_.size() - 1;
  *left_bottom = {-kFarAway, 0};
  *right_bottom = {kFarAway, 0};
  Kink* left = left_bottom;  // the tops
  Kink* right = right_bottom;
  std::int64_t left_offset = 0, right_offset = 0;
  std::int64_t centre = 0;
  Cost slope = 0;

  const auto left_at = [&] { return left->at + left_offset; };
  const auto right_at = [&] { return right->at + right_offset; };
  const auto push_left = [&](std::int64_t at, Cost jump) {
    if (jump == 0) return;
    at -= left_offset;
    if (left->at == at)
      left->jump += jump;
    else
      *++left = {at, jump};
  };
  const auto push_right = [&](std::int64_t at, Cost jump) {
    if (jump == 0) return;
    at -= right_offset;
    if (right->at == at)
      right->jump += jump;
    else
      *--right = {at, jump};
  };

  for (std::size_t k = count; k-- > 0;) {
    const Stage& stage = stages_[k];
    int low_before = stages_[0].low, high_before = low_before;
    if (k > 0) {  // what has a way on from k - 1
      Stage& before = stages_[k - 1];
      low_before = before.low = std::max(before.low, stage.low - stage.max_rise);
      high_before = before.high = std::min(before.high, stage.high + stage.max_fall);
    }

    // G = f_k + W.
    slope += stage.running;
    const Kink* begin = stage_kinks_.data() + stage.kinks_begin;
    const Kink* end = stage_kinks_.data() + stages_[k + 1].kinks_begin;
    while (end > begin && end[-1].at >= stage.high) slope -= (--end)->jump;
    while (begin < end && begin->at <= stage.low) ++begin;
    const Kink* middle = end;
    while (middle > begin && middle[-1].at > centre) slope -= (--middle)->jump;
    left = merge<-1>(left, middle - 1, middle - begin, left_offset);
    right = merge<+1>(right, middle, end - middle, right_offset);

    // L, and W left of it.
    const bool may_rise = k >= static_cast<std::size_t>(dead_time);
    HoldBand& band = bands_[k];
    band.low = stage.low;
    if (may_rise) {
      while (slope < -stage.rise && right_at() < stage.high) {
        const Kink kink = *right++;
        slope += kink.jump;
        push_left(kink.at + right_offset, kink.jump);
      }
      if (slope < -stage.rise) {  // everywhere: rise to the top
        band.low = stage.high;
        left_offset -= stage.max_rise;
        push_left(stage.high - stage.max_rise, -stage.rise - slope);
        slope = -stage.rise;
        right = right_bottom;
      } else {
        while (left_at() > stage.low && slope - left->jump >= -stage.rise) {
          const Kink kink = *left--;
          slope -= kink.jump;
          push_right(kink.at + left_offset, kink.jump);
        }
        if (left_at() > stage.low) {
          band.low = static_cast<int>(left_at());
          left->jump -= slope + stage.rise;
          left_offset -= stage.max_rise;
        } else {
          left = left_bottom;
        }
        push_left(band.low, slope + stage.rise);
      }
    }

    // R, and W right of it.
    Cost beyond = 0;  // the jump from -> fall to what follows R
    if (slope > stage.fall) {
      for (;;) {
        if (!may_rise && left_at() <= stage.low) {
          band.high = stage.low;
          beyond = slope - stage.fall;
          left = left_bottom;
          break;
        }
        const std::int64_t at = left_at();
        const Cost jump = (left--)->jump;
        if (slope - jump <= stage.fall) {
          band.high = static_cast<int>(at);
          beyond = slope - stage.fall;
          push_left(at, jump - beyond);
          break;
        }
        slope -= jump;
        push_right(at, jump);
      }
    } else {
      for (;;) {
        if (right_at() >= stage.high) {
          band.high = stage.high;
          right = right_bottom;
          push_left(stage.high, stage.fall - slope);
          break;
        }
        const std::int64_t at = right_at();
        const Cost jump = (right++)->jump;
        if (slope + jump > stage.fall) {
          band.high = static_cast<int>(at);
          beyond = slope + jump - stage.fall;
          push_left(at, stage.fall - slope);
          break;
        }
        slope += jump;
        push_left(at, jump);
      }
    }
    right_offset += stage.max_fall;
    push_right(static_cast<std::int64_t>(band.high) + stage.max_fall, beyond);
    slope = stage.fall;
    centre = band.high;

    // Nothing matters that is out of reach one stage before; the centre stays within.
    while (left_at() >= high_before) slope -= (left--)->jump;
    while (right_at() <= low_before) slope += (right++)->jump;
    centre = std::clamp<std::int64_t>(centre, low_before, high_before);
    if (left_at() <= low_before) left = left_bottom;
    if (right_at() >= high_before) right = right_bottom;
  }
}

void IntegerPlanner::go_forward(const IntegerPlanProblem& problem) {
  const std::size_t count = chain_.size();
  int chain = problem.spec_replicas;
  for (std::size_t k = 0; k < count; ++k) {
    const HoldBand band = bands_[k];
    if (chain < band.low)
      chain = std::min(band.low, chain + stages_[k].max_rise);
    else if (chain > band.high)
      chain = std::max(band.high, chain - stages_[k].max_fall);
    chain_[k] = chain;
  }
  // To be ready at k they are asked for at k - d; a gap too short for that is never made.
  const auto mirrored = [&](int i) { return count - 1 - static_cast<std::size_t>(i); };
  for_window(
      problem.stages, problem.dead_time_stages, std::greater<>(), [&](int i) { return chain_[mirrored(i)]; },
      [&](int i, int most) { spec_[mirrored(i)] = most; }, window_.data());
  // Where nothing that is asked for can be ready within the horizon, the minimum is all that asks for more.
  if (problem.stages <= problem.dead_time_stages)
    for (int& replicas : spec_) replicas = std::max(replicas, floor_);
  fill_ready(problem, spec_, ready_, window_.data());
}

Result<Cost> plan_cost(const IntegerPlanProblem& problem, std::span<const int> spec_replicas) {
  MPCA_TRY_VOID(Checker(problem).check(spec_replicas));
  const auto count = static_cast<std::size_t>(problem.stages);
  if (spec_replicas.size() != count)
    return invalid(cat("the plan has ", spec_replicas.size(), " specs; must have ", count));
  std::vector<int> ready(count), queue(count);
  fill_ready(problem, spec_replicas, ready, queue.data());
  Cost cost = cost_of_spec(problem, spec_replicas);
  if (problem.levels.empty()) return cost;
  for (std::size_t k = 0; k < count; ++k)
    for (std::uint32_t i = problem.level_offsets[k]; i < problem.level_offsets[k + 1]; ++i) {
      const SplitLevel split(problem.levels[i]);
      cost += split.weight_below * std::max<std::int64_t>(split.below - ready[k], 0) +
              split.weight_above * std::max<std::int64_t>(split.below + 1 - ready[k], 0);
    }
  return cost;
}

}  // namespace mpca::mpc
