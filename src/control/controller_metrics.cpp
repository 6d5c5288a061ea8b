#include "control/controller_metrics.h"

#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <thread>

#include "core/text.h"
#include "net/http_server.h"
#include "prom/process_collector.h"

namespace mpca::control {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

const prometheus::Histogram::BucketBoundaries kBuckets = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03,
                                                          0.1,    0.3,    1.0,   3.0,   10.0, 30.0};

/// Families made anew at each scrape, from what the controller says now.
class Families {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  void counter(const char* name, const char* help, const Labels& labels, double value) {
    metric(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void gauge(const char* name, const char* help, const Labels& labels, double value) {
    metric(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  std::vector<MetricFamily> take() && { return std::move(families_); }

 private:
  prometheus::ClientMetric& metric(const char* name, const char* help, MetricType type, const Labels& labels) {
    auto [place, is_new] = places_.try_emplace(name, families_.size());
    if (is_new) families_.push_back({name, help, type, {}});
    prometheus::ClientMetric& made = families_[place->second].metric.emplace_back();
    for (const auto& [key, value] : labels) made.label.push_back({key, value});
    return made;
  }
  std::map<std::string, std::size_t> places_;
  std::vector<MetricFamily> families_;
};

void add(const SessionSummary& summary, Families& families) {
  const Families::Labels labels = {{"namespace", summary.namespace_name}, {"name", summary.name}};
  families.gauge("mpca_desired_replicas", "Replicas that were decided last.", labels, summary.desired_replicas);
  families.gauge("mpca_current_replicas", "Replicas that the target asks for.", labels, summary.current_replicas);
  families.gauge("mpca_ready_replicas", "Replicas of the target that are ready.", labels, summary.ready_replicas);
  families.gauge("mpca_acting", "1 when decisions are carried out.", labels, summary.is_acting ? 1 : 0);
  if (summary.demand_rps)
    families.gauge("mpca_demand_rps", "Requests per second that users send, as estimated.", labels,
                   *summary.demand_rps);
  if (!summary.shadow) return;
  const config::ShadowStatus& shadow = *summary.shadow;
  families.counter("mpca_shadow_replica_hours_total", "Replica hours paid by whoever is in charge.", labels,
                   shadow.replica_hours);
  families.counter("mpca_shadow_would_be_replica_hours_total", "Replica hours that would have been paid.", labels,
                   shadow.would_be_replica_hours);
  families.gauge("mpca_shadow_late_share", "Share of demand beyond what was ready.", labels, shadow.late_share);
  families.gauge("mpca_shadow_would_be_late_share", "Share of demand beyond what would have been ready.", labels,
                 shadow.would_be_late_share);
}

void add(const ControllerFigures& figures, Families& families) {
  constexpr const char* kPeriods = "mpca_periods_total";
  constexpr const char* kHelp = "Periods by what came of them.";
  families.counter(kPeriods, kHelp, {{"result", "decided"}}, static_cast<double>(figures.decided));
  families.counter(kPeriods, kHelp, {{"result", "no_decision"}}, static_cast<double>(figures.without_decision));
  families.counter(kPeriods, kHelp, {{"result", "skipped"}}, static_cast<double>(figures.skipped));
  families.gauge("mpca_leading", "1 when this process holds the lease.", {}, figures.is_leading ? 1 : 0);
  families.gauge("mpca_overdue_seconds", "How long the period that is due longest has waited.", {},
                 to_seconds(figures.overdue));
}

void add(const runlog::FlightRecorder::Figures& figures, Families& families) {
  families.counter("mpca_recorder_records_total", "Decisions that were recorded.", {},
                   static_cast<double>(figures.recorded));
  families.counter("mpca_recorder_dropped_total", "Decisions that could not be recorded.", {},
                   static_cast<double>(figures.dropped));
  families.gauge("mpca_recorder_bytes", "Bytes of the recorder's segments.", {}, static_cast<double>(figures.bytes));
}

}  // namespace

struct ControllerMetrics::Impl {
  prometheus::Registry registry;
  std::shared_ptr<prometheus::Collectable> process = prom::make_process_collector();
  prometheus::Family<prometheus::Histogram>& stages = prometheus::BuildHistogram()
                                                          .Name("mpca_stage_duration_seconds")
                                                          .Help("Time of a period by what it went into.")
                                                          .Register(registry);
  std::map<Stage, prometheus::Histogram*> by_stage;
};

ControllerMetrics::ControllerMetrics() : impl_(std::make_unique<Impl>()) {
  for (const Stage stage : kStages)
    impl_->by_stage[stage] = &impl_->stages.Add({{"stage", std::string(name_of(stage))}}, kBuckets);
}
ControllerMetrics::~ControllerMetrics() = default;

void ControllerMetrics::took(Stage stage, Duration time) { impl_->by_stage.at(stage)->Observe(to_seconds(time)); }

std::string ControllerMetrics::text(const Controller& controller, const runlog::FlightRecorder* recorder) const {
  Families families;
  const ControllerFigures figures = controller.figures();
  add(figures, families);
  std::map<std::string, int> by_mode;
  // Who has led before knows what was, and whoever leads now tells what is.
  if (figures.is_leading) {
    for (const SessionSummary& summary : controller.summaries()) {
      add(summary, families);
      ++by_mode[std::string(name_of(summary.mode))];
    }
  }
  for (const auto& [mode, count] : by_mode)
    families.gauge("mpca_objects", "PredictiveAutoscalers by their mode.", {{"mode", mode}}, count);
  if (recorder != nullptr) add(recorder->figures(), families);
  std::vector<MetricFamily> all = std::move(families).take();
  for (MetricFamily& family : impl_->registry.Collect()) all.push_back(std::move(family));
  for (MetricFamily& family : impl_->process->Collect()) all.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(all);
}

std::optional<std::string> stuck(const ControllerFigures& figures) {
  if (figures.longest_running > kStuckAfter)
    return cat("a period has been running for ", format_duration(figures.longest_running));
  // A long queue alone is no reason: when the API server is slow, another process would have the same queue.
  const Duration idle = std::min(figures.overdue, figures.since_last_end);
  if (idle > kStuckAfter) return cat("periods are due, and none has ended for ", format_duration(idle));
  return std::nullopt;
}

// ---- the server ----

struct ControllerServer::Impl {
  std::optional<net::HttpServer> server;
  std::jthread thread{};
  ~Impl() {
    if (!thread.joinable()) return;
    server->post([this] { server->stop(); });
    thread.join();
  }
};

ControllerServer::ControllerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControllerServer::ControllerServer(ControllerServer&&) noexcept = default;
ControllerServer& ControllerServer::operator=(ControllerServer&&) noexcept = default;
ControllerServer::~ControllerServer() = default;
int ControllerServer::port() const { return impl_->server->port(); }

Result<ControllerServer> ControllerServer::start(const std::string& address, Pages pages) {
  const std::size_t colon = address.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_int(address.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535)
    return invalid(cat("\"", address, "\" is no address; must be HOST:PORT or :PORT"));
  const auto state = [](const std::optional<std::string>& why_not, const net::Responder& responder) {
    const std::string body = why_not ? *why_not + "\n" : "ok\n";
    responder.answer({.status = why_not ? 503 : 200, .body = body});
  };
  auto impl = std::make_unique<Impl>();
  MPCA_TRY(impl->server,
           net::HttpServer::create(
               {.host = address.substr(0, colon), .port = static_cast<int>(*port)},
               [pages = std::move(pages), state](const net::HttpRequest& request, const net::Responder& responder) {
                 if (request.path == "/metrics") {
                   const std::string text = pages.metrics();
                   responder.answer({.body = text, .content_type = "text/plain; version=0.0.4"});
                 } else if (request.path == "/healthz" || request.path == "/livez") {
                   state(pages.health(), responder);
                 } else if (request.path == "/readyz") {
                   state(pages.readiness(), responder);
                 } else {
                   responder.answer({.status = 404, .body = "try /metrics, /healthz or /readyz\n"});
                 }
               }));
  impl->thread = std::jthread([server = &*impl->server] { server->run(); });
  return ControllerServer(std::move(impl));
}

}  // namespace mpca::control
