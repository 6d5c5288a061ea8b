#include "loadgen/live_metrics.h"

#include <mutex>
#include <thread>

#include "core/text.h"
#include "net/http_server.h"

namespace mpca::app {
namespace {

std::string exposition(const load::Counts& total, const LatencyHistogram& latency, std::uint64_t outstanding) {
  std::string text =
      cat("# HELP loadgen_requests_due_total Requests that became due.\n# TYPE loadgen_requests_due_total counter\n",
          "loadgen_requests_due_total ", total.due, "\n",
          "# HELP loadgen_responses_total Complete answers, by status.\n# TYPE loadgen_responses_total counter\n");
  for (const auto& [status, count] : total.by_status)
    text += cat("loadgen_responses_total{code=\"", status, "\"} ", count, "\n");
  text += "# HELP loadgen_errors_total Requests without a complete answer.\n# TYPE loadgen_errors_total counter\n";
  for (const auto& [error, count] : total.by_error)
    text += cat("loadgen_errors_total{reason=\"", error, "\"} ", count, "\n");
  text +=
      cat("# HELP loadgen_outstanding Requests that were due and have not ended.\n# TYPE loadgen_outstanding gauge\n",
          "loadgen_outstanding ", outstanding, "\n",
          "# HELP loadgen_latency_seconds From the due time to the end, of all requests so far.\n",
          "# TYPE loadgen_latency_seconds summary\n");
  for (const double level : {0.5, 0.9, 0.95, 0.99, 0.999}) {
    text += cat("loadgen_latency_seconds{quantile=\"", level, "\"} ", to_seconds(latency.quantile(level)), "\n");
  }
  return text + cat("loadgen_latency_seconds_sum ", to_seconds(latency.mean()) * static_cast<double>(latency.count()),
                    "\nloadgen_latency_seconds_count ", latency.count(), "\n");
}

}  // namespace

struct LiveMetrics::Impl {
  explicit Impl(net::HttpServer&& its_server) : server(std::move(its_server)) {}
  std::mutex mutex;  // of the three below
  load::Counts total;
  LatencyHistogram latency;
  std::uint64_t outstanding = 0;
  net::HttpServer server;
  std::jthread thread;
};

LiveMetrics::LiveMetrics(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LiveMetrics::~LiveMetrics() {
  impl_->server.post([&server = impl_->server] { server.stop(); });
}

Result<std::unique_ptr<LiveMetrics>> LiveMetrics::create(int port) {
  // The handler needs the place of the numbers, which needs the server: the pointer is set before run() begins.
  auto place = std::make_shared<Impl*>(nullptr);
  auto server = net::HttpServer::create(
      {.host = "127.0.0.1", .port = port}, [place](const net::HttpRequest& request, const net::Responder& responder) {
        if (request.path != "/metrics") {
          responder.answer({.status = 404, .body = "see /metrics\n"});
          return;
        }
        Impl& impl = **place;
        const std::scoped_lock lock(impl.mutex);
        const std::string text = exposition(impl.total, impl.latency, impl.outstanding);
        responder.answer({.body = text, .content_type = "text/plain; version=0.0.4; charset=utf-8"});
      });
  if (!server) return std::unexpected(server.error());
  auto impl = std::make_unique<Impl>(std::move(*server));
  *place = impl.get();
  impl->thread = std::jthread([&its_server = impl->server] { its_server.run(); });
  return std::unique_ptr<LiveMetrics>(new LiveMetrics(std::move(impl)));
}

void LiveMetrics::add(const load::LiveInterval& live) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->total.add(live.ended.counts);
  impl_->latency.merge(live.ended.latency);
  impl_->outstanding = live.outstanding;
}

}  // namespace mpca::app
