#include "control/prometheus_metrics.h"

#include <algorithm>

#include "core/text.h"

namespace mpca::control {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

double sum_of(const std::vector<prom::Series>& series) {
  double sum = 0.0;
  for (const prom::Series& each : series) sum += each.points.back().value;
  return sum;
}

}  // namespace

LoadQueries load_queries(const prom::LabQueries& queries) {
  return {.served_rate_rps = queries.request_rate_rps,
          .cpu_cores = queries.cpu_cores,
          .in_flight_requests = queries.in_flight_requests};
}

PrometheusMetrics::PrometheusMetrics(PrometheusMetricsSettings settings, prom::PrometheusClient& client)
    : settings_(std::move(settings)), client_(client) {}

LiveReading PrometheusMetrics::read(int ready_replicas) {
  LiveReading reading;
  reading.rate_window = settings_.rate_window;
  const LoadQueries& queries = settings_.queries;
  std::optional<Behind> behind;
  is_silent_ = false;
  was_answered_ = false;
  const auto ask_for = [&](const prom::InstantQuery& query, std::string_view what) {
    return ask(query, what, ready_replicas, behind, reading.trouble);
  };
  reading.served_rate_rps = ask_for(queries.served_rate_rps, "request rate");
  reading.cpu_cores = ask_for(queries.cpu_cores, "CPU");
  reading.in_flight_requests = ask_for(queries.in_flight_requests, "in flight");
  reading.failed_rate_rps = ask_for(queries.failed_rate_rps, "failed requests");
  reading.was_answered = was_answered_;
  return reading;
}

policy::Signal PrometheusMetrics::ask(prom::InstantQuery query, std::string_view what, int ready_replicas,
                                      std::optional<Behind>& behind, std::string& trouble) {
  if (query.promql.empty() || is_silent_) return {};
  if (behind) {
    query.age_promql.clear();
    query.count_promql.clear();
  }
  query.max_age = settings_.stale_after;
  query.expected_pods = query.count_promql.empty() ? 0 : ready_replicas;
  const auto note = [&](std::string_view why) { trouble += cat(trouble.empty() ? "" : "; ", what, ": ", why); };
  const auto signal = [&](const std::vector<prom::Series>& series, std::optional<Duration> age, bool is_stale) {
    // A sum of nothing is not zero: what warns that it could not ask everybody may have no series at all.
    if (series.empty()) return policy::Signal{};
    if (!behind) behind = {.age = age.value_or(settings_.assumed_age), .is_stale = is_stale};
    const double sum = sum_of(series);
    return behind->is_stale || is_stale ? policy::Signal::stale(sum, behind->age)
                                        : policy::Signal::fresh(sum, behind->age);
  };
  const prom::Answer answered = client_.instant(query);
  if (!std::holds_alternative<prom::Failed>(answered)) was_answered_ = true;
  return std::visit(Overloaded{[&](const prom::Values& values) { return signal(values.series, values.age, false); },
                               [&](const prom::Empty&) {
                                 note("no series");
                                 return policy::Signal{};
                               },
                               [&](const prom::NotFinite& answer) {
                                 note(cat("is ", answer.text));
                                 return policy::Signal{};
                               },
                               [&](const prom::Stale& answer) {
                                 note(cat("is ", format_duration(answer.age), " old"));
                                 return signal(answer.series, answer.age, true);
                               },
                               [&](const prom::Partial& answer) {
                                 for (const std::string& reason : answer.reasons) note(reason);
                                 return signal(answer.series, answer.age, true);
                               },
                               [&](const prom::Failed& answer) {
                                 note(answer.error.message);
                                 is_silent_ = answer.kind == prom::FailureKind::no_answer;
                                 return policy::Signal{};
                               }},
                    answered);
}

}  // namespace mpca::control
