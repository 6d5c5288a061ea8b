#include "workload/toy_load.h"

#include <deque>
#include <exception>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/os/parallel.h"
#include "core/os/real_clock.h"
#include "core/random.h"
#include "core/text.h"
#include "net/http_server.h"
#include "workload/admission_queue.h"
#include "workload/cpu_burner.h"
#include "workload/routes.h"
#include "workload/toy_load_metrics.h"
#include "workload/work_request.h"

namespace mpca::workload {
namespace {

using net::HttpAnswer;
using net::HttpRequest;
using net::Responder;

constexpr int kClientGone = 499;  // nginx's number for it: no answer was sent

/// What is needed to answer a request later, and to count it.
struct Asked {
  Responder responder;
  Route route = Route::other;
  int method = kGet;
  Duration start{};
};

/// A request to /work that waits or is worked on.
struct Job {
  enum class Phase { waiting, starting, burning, sleeping, jittering };
  Asked asked;
  WorkRequest work;
  Phase phase = Phase::waiting;
  Duration phase_start{};
  Duration phase_end{};
  net::HttpServer::TimerId timer = 0;
};

using JobId = AdmissionQueue::Id;

}  // namespace

struct ToyLoad::Impl {
  Impl(const ToyLoadSettings& the_settings, std::uint64_t seed, JsonLog& the_log);

  void on_request(const HttpRequest& request, const Responder& responder);
  void route(const HttpRequest& request, const Asked& asked);
  void finish(const Asked& asked, const HttpAnswer& answer, std::string_view id = {});
  void count(const Asked& asked, int status, std::string_view id);

  void on_work(std::string_view query, const Asked& asked);
  void begin_work(JobId id);
  void begin_burn(JobId id);
  void begin_sleep(JobId id);
  void begin_jitter(JobId id);
  void end_work(JobId id);
  void answer_work(const Asked& asked, const WorkRequest& work);
  void give_up(JobId id);
  void start_next(std::optional<JobId> id);
  void wait_until(JobId id, Job& job, Duration time, void (Impl::*then)(JobId));
  void show_queue();
  void begin_shutdown();
  Job* find(JobId id) {
    const auto found = jobs.find(id);
    return found == jobs.end() ? nullptr : &found->second;
  }

  ToyLoadSettings settings;
  JsonLog& log;
  ToyLoadMetrics metrics;
  RandomStream errors;
  RandomStream jitters;
  Duration ready_lag;
  AdmissionQueue admission;
  std::unordered_map<JobId, Job> jobs;
  std::deque<JobId> starting;
  bool is_starting = false;
  JobId last_job = 0;
  bool ready = false;
  bool stopping = false;
  std::string root_json;
  std::optional<net::HttpServer> server;
  CpuBurner burner{os::hardware_jobs()};  // ends before the server that its burns post to
};

ToyLoad::Impl::Impl(const ToyLoadSettings& the_settings, std::uint64_t seed, JsonLog& the_log)
    : settings(the_settings),
      log(the_log),
      metrics(the_settings.metrics_path),
      errors(seed, "errors"),
      jitters(seed, "jitter"),
      admission(the_settings.admission_limits()) {
  RandomStream lags(seed, "readiness lag");
  ready_lag = settings.ready_lag.sample(lags);
  root_json = cat("{\"service\":", json_text(settings.app_name),
                  ",\"status\":\"ok\",\"docs\":\"docs/reference/toy-load.md\",\"work\":\"/work?cpu_ms=20&jitter_ms=5\","
                  "\"metrics\":",
                  json_text(settings.metrics_path), "}");
}

// ---- routes ----

void ToyLoad::Impl::on_request(const HttpRequest& request, const Responder& responder) {
  const Asked asked{.responder = responder,
                    .route = route_of(request.path, settings.metrics_path),
                    .method = method_index(request.method),
                    .start = os::monotonic_now()};
  try {
    route(request, asked);
  } catch (const std::exception& error) {
    // What the reference lab calls a panic: one request fails, the server goes on.
    metrics.count_panic(asked.route);
    log.error("request failed", {{"path", request.path}, {"error", error.what()}});
    finish(asked, {.status = 500, .body = "internal server error"});
  }
}

void ToyLoad::Impl::route(const HttpRequest& request, const Asked& asked) {
  if (asked.method != kGet) {
    finish(asked, {.status = 405, .body = "method not allowed", .header_lines = "Allow: GET\r\n"});
    return;
  }
  switch (asked.route) {
    case Route::work:
      on_work(request.query, asked);
      return;
    case Route::healthz:
      finish(asked, {.body = "ok"});
      return;
    case Route::readyz:
      finish(asked, ready && !stopping ? HttpAnswer{.body = "ok"} : HttpAnswer{.status = 503, .body = "not ready"});
      return;
    case Route::metrics:
      finish(asked, {.body = metrics.exposition(), .content_type = "text/plain; version=0.0.4; charset=utf-8"});
      return;
    case Route::root:
      finish(asked, {.body = root_json, .content_type = "application/json"});
      return;
    case Route::other:
      finish(asked, {.status = 404, .body = "not found"});
      return;
  }
}

void ToyLoad::Impl::finish(const Asked& asked, const HttpAnswer& answer, std::string_view id) {
  // Counted first: who reads the answer and asks for the metrics finds itself there.
  count(asked, answer.status, id);
  asked.responder.answer(answer);
}

void ToyLoad::Impl::count(const Asked& asked, int status, std::string_view id) {
  const Duration took = os::monotonic_now() - asked.start;
  metrics.count_request(asked.method, asked.route, status, took);
  if (!log.logs_debug()) return;
  log.debug("request", {{"method", kMethodLabels[asked.method]},
                        {"path", label_of(asked.route, settings.metrics_path)},
                        {"code", status},
                        {"duration_s", to_seconds(took)},
                        {"id", id}});
}

// ---- work ----

void ToyLoad::Impl::on_work(std::string_view query, const Asked& asked) {
  const auto work = parse_work_query(query, static_cast<std::size_t>(settings.max_query_id_bytes));
  if (!work) {
    metrics.count_error(Route::work, "bad_request");
    finish(asked, {.status = 400, .body = work.error().message});
    return;
  }
  const JobId id = ++last_job;
  switch (admission.arrive(id)) {
    case AdmissionQueue::Admission::refused:
      metrics.count_error(Route::work, "queue_full");
      finish(asked, {.status = 503, .body = "queue full", .header_lines = "Retry-After: 1\r\n"}, work->id);
      return;
    case AdmissionQueue::Admission::starts:
      if (work->cpu_ms == 0 && work->sleep_ms == 0 && work->jitter_ms == 0) {
        if (settings.concurrency > 0) metrics.observe_queue_wait({});
        start_next(admission.finish());
        answer_work(asked, *work);
        return;
      }
      jobs.emplace(id, Job{.asked = asked, .work = *work});
      start_next(id);
      break;
    case AdmissionQueue::Admission::waits:
      jobs.emplace(id, Job{.asked = asked, .work = *work});
      break;
  }
  show_queue();
  if (find(id) != nullptr) asked.responder.on_gone([this, id] { give_up(id); });
}

/// Begins the work of `id`, and of those that get their turn by what ends at once: a loop, not a recursion as deep as
/// the queue is long.
void ToyLoad::Impl::start_next(std::optional<JobId> id) {
  if (!id) return;
  if (Job* const job = find(*id)) job->phase = Job::Phase::starting;
  starting.push_back(*id);
  if (is_starting) return;
  is_starting = true;
  while (!starting.empty()) {
    const JobId next = starting.front();
    starting.pop_front();
    begin_work(next);
  }
  is_starting = false;
}

void ToyLoad::Impl::begin_work(JobId id) {
  Job* const job = find(id);
  if (job == nullptr) return;  // its client has gone
  const Duration now = os::monotonic_now();
  if (settings.concurrency > 0) metrics.observe_queue_wait(now - job->asked.start);
  job->phase_end = now;
  begin_burn(id);
}

void ToyLoad::Impl::begin_burn(JobId id) {
  Job& job = jobs.at(id);
  if (job.work.cpu_ms == 0) {
    begin_sleep(id);
    return;
  }
  job.phase = Job::Phase::burning;
  job.phase_start = job.phase_end;
  burner.burn(id, job.phase_start + std::chrono::milliseconds(job.work.cpu_ms), [this, id] {
    server->post([this, id] {
      Job* const burned = find(id);
      if (burned == nullptr) return;
      burned->phase_end = os::monotonic_now();
      metrics.observe_cpu(burned->phase_end - burned->phase_start);
      begin_sleep(id);
    });
  });
}

void ToyLoad::Impl::begin_sleep(JobId id) {
  Job& job = jobs.at(id);
  if (job.work.sleep_ms == 0) {
    begin_jitter(id);
    return;
  }
  job.phase = Job::Phase::sleeping;
  wait_until(id, job, job.phase_end + std::chrono::milliseconds(job.work.sleep_ms), &Impl::begin_jitter);
}

void ToyLoad::Impl::begin_jitter(JobId id) {
  Job& job = jobs.at(id);
  if (job.work.jitter_ms == 0) {
    end_work(id);
    return;
  }
  job.phase = Job::Phase::jittering;
  const auto drawn_ms = static_cast<std::int64_t>(jitters.below(static_cast<std::uint64_t>(job.work.jitter_ms)));
  wait_until(id, job, job.phase_end + std::chrono::milliseconds(drawn_ms), &Impl::end_work);
}

/// One phase of sleeping. The next phase begins when this one should have ended, so lateness does not add up.
void ToyLoad::Impl::wait_until(JobId id, Job& job, Duration time, void (Impl::*then)(JobId)) {
  job.phase_start = job.phase_end;
  job.phase_end = time;
  job.timer = server->call_at(time, [this, id, then] {
    Job& woken = jobs.at(id);
    woken.timer = 0;
    const Duration slept = os::monotonic_now() - woken.phase_start;
    if (woken.phase == Job::Phase::sleeping)
      metrics.observe_sleep(slept);
    else
      metrics.observe_jitter(slept);
    (this->*then)(id);
  });
}

void ToyLoad::Impl::end_work(JobId id) {
  const auto found = jobs.find(id);
  const Job job = std::move(found->second);
  jobs.erase(found);
  const std::optional<JobId> next = admission.finish();
  show_queue();
  answer_work(job.asked, job.work);
  start_next(next);
}

void ToyLoad::Impl::answer_work(const Asked& asked, const WorkRequest& work) {
  if (work.err_rate > 0.0 && errors.uniform() < work.err_rate) {
    metrics.count_error(Route::work, "err_rate");
    finish(asked, {.status = 500, .body = "error"}, work.id);
    return;
  }
  if (work.payload_bytes > 0) {
    finish(asked, {.fill_bytes = work.payload_bytes}, work.id);
    return;
  }
  std::string body = "work: cpu_ms=";
  body += std::to_string(work.cpu_ms);
  body += " sleep_ms=";
  body += std::to_string(work.sleep_ms);
  body += " jitter_ms=";
  body += std::to_string(work.jitter_ms);
  finish(asked, {.body = body}, work.id);
}

/// The client has gone: its work ends here, and who waits gets its place.
void ToyLoad::Impl::give_up(JobId id) {
  const auto found = jobs.find(id);
  if (found == jobs.end()) return;
  const Job job = std::move(found->second);
  jobs.erase(found);
  std::optional<JobId> next;
  if (job.phase == Job::Phase::waiting) {
    admission.give_up(id);
  } else {
    if (job.timer != 0) server->cancel(job.timer);
    if (job.phase == Job::Phase::burning) burner.cancel(id);
    next = admission.finish();
  }
  show_queue();
  count(job.asked, kClientGone, job.work.id);
  start_next(next);
}

void ToyLoad::Impl::show_queue() {
  metrics.set_in_flight(admission.busy() + static_cast<int>(admission.waiting()));
  metrics.set_busy_slots(admission.busy());
  metrics.set_queue_length(admission.waiting());
}

// ---- life ----

void ToyLoad::Impl::begin_shutdown() {
  stopping = true;
  log.info("shutting down", {{"in_flight", jobs.size()}, {"timeout", format_duration(settings.shutdown_timeout)}});
  server->drain(settings.shutdown_timeout);
}

Result<ToyLoad> ToyLoad::create(const ToyLoadSettings& settings, std::uint64_t seed, JsonLog& log) {
  net::HttpServerSettings http;
  http.host = settings.host;
  http.port = settings.port;
  http.inherited_listener = settings.inherited_listener;
  http.max_header_bytes = static_cast<std::size_t>(settings.max_header_bytes);
  http.read_header_timeout = settings.read_header_timeout;
  http.read_timeout = settings.read_timeout;
  http.write_timeout = settings.write_timeout;
  http.idle_timeout = settings.idle_timeout;
  auto impl = std::make_unique<Impl>(settings, seed, log);
  MPCA_TRY(impl->server,
           net::HttpServer::create(http, [state = impl.get()](const auto& request, const auto& responder) {
             state->on_request(request, responder);
           }));
  return ToyLoad(std::move(impl));
}

ToyLoad::ToyLoad(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ToyLoad::ToyLoad(ToyLoad&&) noexcept = default;
ToyLoad& ToyLoad::operator=(ToyLoad&&) noexcept = default;
ToyLoad::~ToyLoad() = default;

int ToyLoad::port() const { return impl_->server->port(); }

int ToyLoad::run(const std::stop_token& stop) {
  Impl& state = *impl_;
  const auto become_ready = [&state] {
    state.ready = true;
    state.log.info("ready");
  };
  state.log.info("listening", {{"port", port()}, {"ready_after_s", to_seconds(state.ready_lag)}});
  if (state.ready_lag <= Duration::zero())
    become_ready();
  else
    state.server->call_at(os::monotonic_now() + state.ready_lag, become_ready);
  int cut_off = 0;
  {
    const std::stop_callback on_stop(stop, [&state] { state.server->post([&state] { state.begin_shutdown(); }); });
    cut_off = state.server->run();
  }
  if (cut_off > 0)
    state.log.warn("shutdown timed out", {{"cut_off", cut_off}});
  else
    state.log.info("stopped");
  return cut_off;
}

}  // namespace mpca::workload
