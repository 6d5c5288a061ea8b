#include "control/load_reader.h"

#include <algorithm>

#include "control/prometheus_metrics.h"
#include "core/text.h"
#include "prom/lab_queries.h"

namespace mpca::control {
namespace {

// Half of the scrape interval that most clusters have, when no query tells the age.
constexpr Duration kAssumedAge = std::chrono::seconds(15);

Result<LoadQueries> queries_of(const LoadQuestion& question, const config::PrometheusSource& source) {
  MPCA_TRY(const prom::LabQueries lab, prom::lab_queries({.name_space = question.target.namespace_name,
                                                          .job = source.job.empty() ? question.target.name : source.job,
                                                          .rate_window = question.source.rate_window}));
  if (source.served_rate.empty()) return load_queries(lab);
  const auto query = [&](const std::string& promql) {
    return prom::InstantQuery{.promql = promql, .age_promql = {}, .count_promql = source.ready_pods};
  };
  return LoadQueries{.served_rate_rps = query(source.served_rate),
                     .cpu_cores = query(source.cpu_cores),
                     .in_flight_requests = query(source.in_flight),
                     .failed_rate_rps = query(source.failed_rate)};
}

LiveReading nothing(std::string trouble) {
  LiveReading reading;
  reading.trouble = std::move(trouble);
  return reading;
}

policy::Signal signal_of(const std::optional<prom::Measured>& measured, int ready_replicas, Duration stale_after) {
  if (!measured) return {};
  const bool is_whole = measured->pods >= ready_replicas && measured->oldest_age <= stale_after;
  return is_whole ? policy::Signal::fresh(measured->value, measured->age)
                  : policy::Signal::stale(measured->value, measured->oldest_age);
}

std::string address_of(const std::string& ip, int port) {
  return ip.find(':') == std::string::npos ? cat(ip, ":", port) : cat("[", ip, "]:", port);
}

}  // namespace

ClusterLoadReader::ClusterLoadReader(const PrometheusAccess& access, kube::Client& client, prom::Scraper& scraper,
                                     Clock& clock, RandomStream random)
    : access_(access), client_(client), scraper_(scraper), clock_(clock), random_(random) {}
ClusterLoadReader::~ClusterLoadReader() = default;

LiveReading ClusterLoadReader::read(const LoadQuestion& question) {
  if (question.source.prometheus) return ask(question, *question.source.prometheus);
  if (question.source.scrape) return scrape(question, *question.source.scrape);
  return nothing("the object names no source of its load");
}

LiveReading ClusterLoadReader::ask(const LoadQuestion& question, const config::PrometheusSource& source) {
  if (!source.url.empty() && std::ranges::find(access_.urls, source.url) == access_.urls.end())
    return nothing(cat("load.prometheus.url ", source.url, " is none of those that this controller asks (--prom-url)"));
  auto queries = queries_of(question, source);
  if (!queries) return nothing(queries.error().message);
  const std::string where = source.url.empty() ? cat(source.service_namespace, "/", source.service) : source.url;
  Prometheus& known = servers_[where];
  const TimePoint began = clock_.now();
  // A clock that was set back ends the pause.
  if (began >= known.gave_up && began - known.gave_up < known.pause)
    return nothing(cat("Prometheus ", where, " let others wait for nothing a moment ago and is not asked now"));
  if (!known.server) {
    auto reached = PrometheusServer::reach(
        {.url = source.url, .service_namespace = source.service_namespace, .service = source.service},
        access_.credentials, {.time_limit = std::chrono::seconds(8), .tries = 2}, client_, clock_, random_);
    if (!reached) return nothing(reached.error().message);
    known.server = *std::move(reached);
  }
  PrometheusMetrics metrics({.queries = *std::move(queries),
                             .rate_window = question.source.rate_window,
                             .stale_after = question.source.stale_after,
                             .assumed_age = kAssumedAge},
                            known.server->client());
  LiveReading reading = metrics.read(question.ready_replicas);
  known.gave_up = clock_.now();
  known.pause = metrics.was_silent() ? 2 * (known.gave_up - began) : Duration::zero();
  return reading;
}

LiveReading ClusterLoadReader::scrape(const LoadQuestion& question, const config::ScrapeSource& source) {
  prom::ScrapedWorkload workload{.names = {.requests = source.requests,
                                           .request_labels = source.request_labels,
                                           .status_label = source.status_label,
                                           .in_flight = source.in_flight,
                                           .cpu_seconds = source.cpu_seconds},
                                 .path = source.path,
                                 .rate_window = question.source.rate_window,
                                 .forget_after = 4 * question.period + std::chrono::minutes(1)};
  for (const PodAddress& pod : question.addresses)
    if (!pod.ip.empty()) workload.targets.push_back({.id = pod.id, .address = address_of(pod.ip, source.port)});
  scraper_.set_workload(question.key, workload);
  const prom::WorkloadReading read = scraper_.read(question.key);
  LiveReading reading;
  reading.rate_window = question.source.rate_window;
  const auto signal = [&](const std::optional<prom::Measured>& measured) {
    return signal_of(measured, question.ready_replicas, question.source.stale_after);
  };
  reading.served_rate_rps = signal(read.served_rate_rps);
  reading.failed_rate_rps = signal(read.failed_rate_rps);
  reading.in_flight_requests = signal(read.in_flight);
  reading.cpu_cores = signal(read.cpu_cores);
  if (reading.served_rate_rps.quality != policy::Quality::fresh)
    reading.trouble = cat(read.answering, " of ", question.ready_replicas, " ready pods answer with ", source.requests,
                          " at port ", source.port, source.path);
  return reading;
}

}  // namespace mpca::control
