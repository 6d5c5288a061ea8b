#include "load/load_run.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "load/internal/worker.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;

constexpr int kMaxConnections = 1'000'000;
constexpr int kMaxThreads = 256;

// What a result may show of the client before it is called client-limited (docs/explanation/load-generator.md).
constexpr Duration kLateness = 1ms;          // p99.9, or a tenth of the median latency when that is more
constexpr double kBusyThread = 0.9;          // of a core
constexpr double kWaitedShare = 0.001;       // of the requests, for a connection
constexpr Duration kShortestJudged = 500ms;  // CPU of a shorter run says nothing

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

const std::string* header_of(const Target& target, std::string_view name) {
  for (const auto& [key, value] : target.headers) {
    if (equal_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

void check_target(const Target& target, const std::string& where, Problems& problems) {
  if (!is_token(target.method)) problems.add(cat(where, ": method \"", target.method, "\" is none"));
  if (!(target.weight >= 0.0) || !std::isfinite(target.weight)) {
    problems.add(cat(where, ": weight ", target.weight, "; must be >= 0"));
  }
  for (const auto& [name, value] : target.headers) {
    if (!is_token(name)) problems.add(cat(where, ": header name \"", name, "\" is none"));
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      problems.add(cat(where, ": header ", name, " has a line end in its value"));
    }
    if (equal_ignoring_case(name, "content-length") || equal_ignoring_case(name, "transfer-encoding")) {
      problems.add(cat(where, ": header ", name, " is set from the body; leave it out"));
    }
  }
}

Result<void> check(const LoadSettings& settings) {
  Problems problems;
  const auto wants = [&](bool is_right, std::string message) {
    if (!is_right) problems.add(std::move(message));
  };
  wants(!settings.targets.empty(), "targets: none; at least one is needed");
  wants(settings.timeout > 0s, cat("timeout is ", format_duration(settings.timeout), "; must be > 0"));
  wants(settings.interval >= 1ms, cat("interval is ", format_duration(settings.interval), "; must be >= 1ms"));
  wants(settings.resolve_every > 0s,
        cat("resolve-every is ", format_duration(settings.resolve_every), "; must be > 0"));
  wants(settings.threads >= 1 && settings.threads <= kMaxThreads,
        cat("threads is ", settings.threads, "; must be >= 1 and <= ", kMaxThreads));
  wants(settings.max_connections >= std::max(1, settings.threads) && settings.max_connections <= kMaxConnections,
        cat("max-connections is ", settings.max_connections, "; must be >= threads (", settings.threads,
            ") and <= ", kMaxConnections));
  wants(settings.unix_socket.size() <= kMaxUnixPathBytes,
        cat("unix-socket ", settings.unix_socket, ": a path of at most ", kMaxUnixPathBytes, " bytes is possible"));
  for (std::size_t i = 0; i < settings.targets.size(); ++i) {
    const std::string where = settings.targets.size() == 1 ? "target" : cat("target ", i + 1);
    if (const auto url = parse_url(settings.targets[i].url); !url) problems.add(cat(where, ": ", url.error().message));
    check_target(settings.targets[i], where, problems);
  }
  return problems.to_result();
}

std::string render(const Target& target, const Url& url, bool keep_alive) {
  std::string text = cat(target.method, " ", url.path, " HTTP/1.1\r\n");
  const std::string* host = header_of(target, "host");
  text += cat("Host: ", host == nullptr ? url.authority : *host, "\r\n");
  if (header_of(target, "user-agent") == nullptr) text += "User-Agent: loadgen\r\n";
  if (!keep_alive && header_of(target, "connection") == nullptr) text += "Connection: close\r\n";
  for (const auto& [name, value] : target.headers) {
    if (!equal_ignoring_case(name, "host")) text += cat(name, ": ", value, "\r\n");
  }
  const bool has_body_by_nature = target.method == "POST" || target.method == "PUT" || target.method == "PATCH";
  if (!target.body.empty() || has_body_by_nature) text += cat("Content-Length: ", target.body.size(), "\r\n");
  return text + "\r\n" + target.body;
}

PreparedRequest prepare(const Target& target, const LoadSettings& settings, std::vector<Origin>& origins) {
  const Url url = *parse_url(target.url);
  const Origin origin{url.is_https, url.host, url.port};
  const auto known = std::find(origins.begin(), origins.end(), origin);
  PreparedRequest request{.bytes = render(target, url, settings.keep_alive),
                          .body_bytes = target.body.size(),
                          .origin = static_cast<std::size_t>(known - origins.begin()),
                          .is_head = target.method == "HEAD"};
  if (known == origins.end()) origins.push_back(origin);
  for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    if (target.method == method) request.is_idempotent = true;
  }
  return request;
}

std::vector<double> cumulative_weights(const std::vector<Target>& targets) {
  std::vector<double> sums;
  double sum = 0.0;
  for (const Target& target : targets) sums.push_back(sum += target.weight);
  return sum > 0.0 ? sums : std::vector<double>{};
}

std::string in_words(Duration duration) {
  return format_duration(std::chrono::round<std::chrono::microseconds>(duration));
}

std::string percent(double fraction) { return cat(fixed(100.0 * fraction, 1), " %"); }

std::vector<std::string> findings_of(const LoadResult& result, const LoadSettings& settings) {
  std::vector<std::string> findings;
  const SelfAudit& audit = result.audit;
  LatencyHistogram latency;
  for (const PhaseResult& phase : result.phases) latency.merge(phase.latency);
  const Duration limit = std::max(kLateness, latency.quantile(0.5) / 10);
  if (const Duration late = audit.lateness.quantile(0.999); late > limit) {
    findings.push_back(cat("requests were sent late: p99.9 ", in_words(late), " (limit ", in_words(limit), ")"));
  }
  if (result.length >= kShortestJudged && audit.busiest_thread_cpu > kBusyThread) {
    findings.push_back(cat("a thread was busy ", percent(audit.busiest_thread_cpu), " of the time (limit ",
                           percent(kBusyThread), "); use more --threads or more machines"));
  }
  const Counts total = result.total();
  const std::uint64_t waited = audit.connection_wait.count();
  if (static_cast<double>(waited) > kWaitedShare * static_cast<double>(total.due)) {
    findings.push_back(cat(waited, " requests waited for one of ", settings.max_connections, " connections: p99 ",
                           in_words(audit.connection_wait.quantile(0.99)), " (--max-connections)"));
  }
  for (const Failure failure : {Failure::too_many_open_files, Failure::no_local_port}) {
    const auto found = total.by_error.find(words_of(failure));
    if (found != total.by_error.end()) findings.push_back(cat(found->second, " requests failed here: ", found->first));
  }
  return findings;
}

LoadResult combined(const ArrivalPlan& plan, const LoadSettings& settings, const std::vector<WorkerResult>& parts) {
  LoadResult result;
  result.phases.resize(static_cast<std::size_t>(phase_count(plan)));
  Duration start{};
  for (const RateSegment& segment : plan.segments) {
    PhaseResult& phase = result.phases[static_cast<std::size_t>(segment.phase)];
    if (phase.planned_length == Duration::zero()) phase.planned_start = start;
    phase.planned_length += segment.length;
    start += segment.length;
  }
  for (std::size_t i = 0; i < result.phases.size(); ++i) {
    PhaseResult& phase = result.phases[i];
    phase.phase = static_cast<int>(i);
    phase.first_due = Duration::max();
    for (const WorkerResult& part : parts) {
      const WorkerResult::Phase& share = part.phases[i];
      phase.counts.add(share.tally.counts());
      phase.latency.merge(share.tally.latency);
      phase.first_due = std::min(phase.first_due, share.first_due);
      phase.last_due = std::max(phase.last_due, share.last_due);
      phase.last_end = std::max(phase.last_end, share.last_end);
      phase.bytes_in += share.bytes_in;
      phase.bytes_out += share.bytes_out;
    }
    if (phase.counts.due == 0) phase.first_due = phase.last_due = phase.last_end = phase.planned_start;
  }
  for (const WorkerResult& part : parts) {
    if (part.intervals.size() > result.intervals.size()) result.intervals.resize(part.intervals.size());
    for (std::size_t i = 0; i < part.intervals.size(); ++i) {
      result.intervals[i].counts.add(part.intervals[i].counts());
      result.intervals[i].latency.merge(part.intervals[i].latency);
    }
    result.audit.lateness.merge(part.lateness);
    result.audit.connection_wait.merge(part.connection_wait);
    result.audit.busiest_thread_cpu = std::max(result.audit.busiest_thread_cpu, part.cpu_share);
    result.length = std::max(result.length, part.last_end);
    result.was_interrupted = result.was_interrupted || part.was_interrupted;
  }
  for (std::size_t i = 0; i < result.intervals.size(); ++i) {
    result.intervals[i].start = settings.interval * static_cast<std::int64_t>(i);
  }
  return result;
}

}  // namespace

std::uint64_t Counts::failed() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : by_status) {
    if (status < 200 || status >= 400) sum += count;
  }
  for (const auto& [error, count] : by_error) sum += count;
  return sum;
}

void Counts::add(const Counts& other) {
  due += other.due;
  succeeded += other.succeeded;
  cancelled += other.cancelled;
  for (const auto& [status, count] : other.by_status) by_status[status] += count;
  for (const auto& [error, count] : other.by_error) by_error[error] += count;
}

Counts LoadResult::total() const {
  Counts all;
  for (const PhaseResult& phase : phases) all.add(phase.counts);
  return all;
}

Result<LoadResult> run_load(const ArrivalPlan& plan, const LoadSettings& settings, const std::stop_token& stop,
                            const OnInterval& on_interval) {
  MPCA_TRY_VOID(check(settings));
  std::vector<Origin> origins;
  std::vector<PreparedRequest> requests;
  for (const Target& target : settings.targets) requests.push_back(prepare(target, settings, origins));
  std::unique_ptr<TlsContext> tls;
  if (std::any_of(origins.begin(), origins.end(), [](const Origin& origin) { return origin.is_https; })) {
    MPCA_TRY(tls, TlsContext::create(settings.verify_certificates, settings.certificate_authority_file));
  }
  std::vector<HostPort> hosts;
  for (const Origin& origin : origins) hosts.push_back({origin.host, origin.port});
  NameTable names = settings.unix_socket.empty()
                        ? NameTable(std::move(hosts), settings.resolve_every, stop)
                        : NameTable(std::vector<Address>(hosts.size(), unix_address(settings.unix_socket)));
  LiveCollector live(settings.threads, settings.interval, on_interval);
  Run run{.plan = plan,
          .settings = settings,
          .stop = stop,
          .origins = std::move(origins),
          .requests = std::move(requests),
          .cumulative_weights = cumulative_weights(settings.targets),
          .names = &names,
          .tls = tls.get(),
          .live = &live};
  run.unfinished = settings.threads;

  std::vector<WorkerResult> parts(static_cast<std::size_t>(settings.threads));
  const TimePoint started_at = os::RealClock().now();
  run.started = os::monotonic_now();
  {
    // A thread of its own even for one: the caller's may have been used, and its CPU time is not ours.
    std::vector<std::jthread> threads;
    for (int i = 0; i < settings.threads; ++i) {
      threads.emplace_back([&run, &parts, i] { parts[static_cast<std::size_t>(i)] = run_worker(run, i); });
    }
  }
  live.finish();
  LoadResult result = combined(plan, settings, parts);
  result.started_at = started_at;
  result.audit.findings = findings_of(result, settings);
  return result;
}

}  // namespace mpca::load
