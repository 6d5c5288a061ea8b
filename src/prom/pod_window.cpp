#include "prom/pod_window.h"

#include <algorithm>
#include <cmath>

namespace mpca::prom {
namespace {

bool has_labels(const Sample& sample, const std::vector<std::pair<std::string, std::string>>& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& one) { return label(sample, one.first) == one.second; });
}

bool is_served(const MetricNames& names, const Sample& sample) {
  if (names.status_label.empty()) return true;
  const std::string_view status = label(sample, names.status_label);
  return std::ranges::any_of(names.served_statuses, [&](const auto& one) { return status.starts_with(one); });
}

void add(std::optional<double>& sum, double value) { sum = sum.value_or(0.0) + value; }

void add(std::optional<PageFigures::Counter>& counter, const Sample& sample) {
  if (!counter) counter.emplace();
  counter->push_back({series_of(sample), sample.value});
}

/// As PageFigures has it.
void finish(std::optional<PageFigures::Counter>& counter) {
  if (!counter) return;
  const bool had_none = counter->empty();
  std::erase_if(*counter, [](const SeriesValue& one) { return !std::isfinite(one.value) || one.value < 0.0; });
  std::ranges::stable_sort(*counter, {}, &SeriesValue::series);
  const auto twice = std::ranges::unique(*counter, {}, &SeriesValue::series);
  counter->erase(twice.begin(), twice.end());
  if (counter->size() > kMostSeries || (counter->empty() && !had_none)) counter.reset();
}

void drop_if_not_finite(std::optional<double>& value) {
  if (value && !std::isfinite(*value)) value.reset();
}

/// `at` of a sum: the newest sample of any pod counts as its age, the oldest shows who has been silent.
void add(std::optional<Measured>& sum, const std::optional<Measured>& one, bool is_there) {
  if (!one) return;
  if (!sum) sum = Measured{.value = 0.0, .age = one->age, .oldest_age = one->age, .pods = 0};
  sum->value += one->value;
  sum->age = std::min(sum->age, one->age);
  if (!is_there) return;
  sum->oldest_age = sum->pods == 0 ? one->age : std::max(sum->oldest_age, one->age);
  ++sum->pods;
}

}  // namespace

PageFigures figures_of(const MetricNames& names, std::span<const Sample> page) {
  PageFigures figures;
  for (const Sample& sample : page) {
    if (sample.name == names.requests && has_labels(sample, names.request_labels))
      add(is_served(names, sample) ? figures.served : figures.failed, sample);
    if (sample.name.empty()) continue;
    if (sample.name == names.failures) add(figures.failed, sample);
    if (sample.name == names.cpu_seconds) add(figures.cpu_s, sample);
    if (sample.name == names.in_flight) add(figures.in_flight, sample.value);
    if (sample.name == names.waiting) add(figures.waiting, sample.value);
  }
  if (!names.status_label.empty() && names.failures.empty() && (figures.served || figures.failed)) {
    for (auto* counter : {&figures.served, &figures.failed})
      *counter = std::move(*counter).value_or(PageFigures::Counter{});
  }
  for (auto* counter : {&figures.served, &figures.failed, &figures.cpu_s}) finish(*counter);
  for (auto* gauge : {&figures.in_flight, &figures.waiting}) drop_if_not_finite(*gauge);
  return figures;
}

PodWindow::PodWindow(Duration rate_window, Duration interval)
    : rate_window_(rate_window), capacity_(static_cast<std::size_t>(rate_window / interval) + 3) {}

void PodWindow::set_pods(std::span<const std::int64_t> ids) {
  const std::set<std::int64_t> there(ids.begin(), ids.end());
  for (auto& [id, pod] : pods_) {
    pod.is_gone = !there.contains(id);
    if (!pod.is_gone) continue;
    // A gauge of a pod that is not there any more says nothing about now.
    pod.in_flight = pod.waiting = std::nullopt;
    pod.is_answering = false;
  }
  for (const std::int64_t id : there) pods_.try_emplace(id, rate_window_);
}

void PodWindow::answered(std::int64_t id, TimePoint at, const PageFigures& figures) {
  const auto found = pods_.find(id);
  if (found == pods_.end() || found->second.is_gone) return;
  Pod& pod = found->second;
  if (pod.last_answer && at <= *pod.last_answer) return;
  pod.is_answering = true;
  pod.last_answer = at;
  pod.in_flight = figures.in_flight;
  pod.waiting = figures.waiting;
  const std::optional<PageFigures::Counter>* const shown[kCounters] = {&figures.served, &figures.failed,
                                                                       &figures.cpu_s};
  const PageFigures::Counter none;
  for (int counter = 0; counter < kCounters; ++counter) {
    const bool is_shown = shown[counter]->has_value();
    if (!is_shown && pod.has_shown[counter]) continue;
    if (is_shown) is_known_[counter] = pod.has_shown[counter] = true;
    keep(pod.counters[counter], {at, pod.totals[counter].advance(at, is_shown ? **shown[counter] : none)});
  }
}

void PodWindow::missed(std::int64_t id) {
  const auto found = pods_.find(id);
  if (found == pods_.end()) return;
  found->second.is_answering = false;
  found->second.in_flight = found->second.waiting = std::nullopt;
}

void PodWindow::keep(std::vector<CounterSample>& samples, CounterSample sample) const {
  const TimePoint from = sample.time - rate_window_;
  std::erase_if(samples, [&](const CounterSample& old) { return old.time < from; });
  if (samples.size() < capacity_) {
    if (samples.capacity() < capacity_) samples.reserve(capacity_);
    samples.push_back(sample);
  } else {
    samples.back() = sample;
  }
}

void PodWindow::forget(TimePoint now) {
  const TimePoint from = now - rate_window_;
  std::erase_if(pods_, [&](const auto& entry) {
    const Pod& pod = entry.second;
    return pod.is_gone && (!pod.last_answer || *pod.last_answer < from);
  });
}

std::optional<Measured> PodWindow::rate_of(const Pod& pod, Counter counter, TimePoint now) const {
  const auto& samples = pod.counters[counter];
  if (!is_known_[counter] || samples.empty()) return std::nullopt;
  const TimePoint newest = samples.back().time;
  const Duration age = now - newest;
  if (age > rate_window_) return std::nullopt;
  // Silence is no decline of the load; leaving is.
  const bool is_silent = !pod.is_answering && !pod.is_gone;
  const auto per_s = rate(samples, is_silent ? newest : now, rate_window_);
  if (!per_s) return std::nullopt;
  return Measured{.value = *per_s, .age = age, .oldest_age = age, .pods = 1};
}

WorkloadReading PodWindow::read(TimePoint now) {
  forget(now);
  WorkloadReading sum;
  for (const auto& [id, pod] : pods_) {
    if (pod.last_answer) {
      const Duration age = now - *pod.last_answer;
      sum.age = std::min(age, sum.age.value_or(age));
    }
    const auto gauge = [&](std::optional<double> value) -> std::optional<Measured> {
      if (!value) return std::nullopt;
      const Duration age = now - *pod.last_answer;
      return Measured{.value = *value, .age = age, .oldest_age = age, .pods = 1};
    };
    const PodReading reading{.id = id,
                             .is_answering = pod.is_answering,
                             .served_rate_rps = rate_of(pod, kServed, now),
                             .failed_rate_rps = rate_of(pod, kFailed, now),
                             .cpu_cores = rate_of(pod, kCpu, now),
                             .in_flight = gauge(pod.in_flight),
                             .waiting = gauge(pod.waiting)};
    add(sum.served_rate_rps, reading.served_rate_rps, !pod.is_gone);
    add(sum.failed_rate_rps, reading.failed_rate_rps, !pod.is_gone);
    add(sum.cpu_cores, reading.cpu_cores, !pod.is_gone);
    add(sum.in_flight, reading.in_flight, !pod.is_gone);
    add(sum.waiting, reading.waiting, !pod.is_gone);
    if (pod.is_gone) continue;
    ++sum.pods;
    if (pod.is_answering) ++sum.answering;
    sum.by_pod.push_back(reading);
  }
  return sum;
}

std::size_t PodWindow::kept_samples() const {
  std::size_t count = 0;
  for (const auto& [id, pod] : pods_)
    for (const auto& samples : pod.counters) count += samples.size();
  return count;
}

std::size_t PodWindow::kept_series() const {
  std::size_t count = 0;
  for (const auto& [id, pod] : pods_)
    for (const SeriesTotal& total : pod.totals) count += total.kept_series();
  return count;
}

}  // namespace mpca::prom
