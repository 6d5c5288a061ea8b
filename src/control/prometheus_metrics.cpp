#include "control/prometheus_metrics.h"

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

PrometheusMetrics::PrometheusMetrics(PrometheusMetricsSettings settings, prom::PrometheusClient& client)
    : settings_(std::move(settings)), client_(client) {}

LiveReading PrometheusMetrics::read(int ready_replicas) {
  LiveReading reading;
  reading.rate_window = settings_.rate_window;
  const prom::LabQueries& queries = settings_.queries;
  reading.served_rate_rps = ask(queries.request_rate_rps, "request rate", ready_replicas, reading.trouble);
  reading.cpu_cores = ask(queries.cpu_cores, "CPU", ready_replicas, reading.trouble);
  reading.in_flight_requests = ask(queries.in_flight_requests, "in flight", ready_replicas, reading.trouble);
  return reading;
}

policy::Signal PrometheusMetrics::ask(prom::InstantQuery query, std::string_view what, int ready_replicas,
                                      std::string& trouble) {
  query.max_age = settings_.stale_after;
  query.expected_pods = ready_replicas;
  const auto note = [&](std::string_view why) { trouble += cat(trouble.empty() ? "" : "; ", what, ": ", why); };
  return std::visit(
      Overloaded{[&](const prom::Values& values) {
                   return policy::Signal::fresh(sum_of(values.series), values.age.value_or(Duration::zero()));
                 },
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
                   return policy::Signal::stale(sum_of(answer.series), answer.age);
                 },
                 [&](const prom::Partial& answer) {
                   for (const std::string& reason : answer.reasons) note(reason);
                   return policy::Signal::stale(sum_of(answer.series), answer.age.value_or(Duration::zero()));
                 },
                 [&](const prom::Failed& answer) {
                   note(answer.error.message);
                   return policy::Signal{};
                 }},
      client_.instant(query));
}

}  // namespace mpca::control
