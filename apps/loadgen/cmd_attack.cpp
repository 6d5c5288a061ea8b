// `loadgen` without a word: sends load and reports.
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/os/file.h"
#include "core/os/real_clock.h"
#include "core/text.h"
#include "load/load_report.h"
#include "load/load_run.h"
#include "load/result_in_log.h"
#include "load/targets.h"
#include "loadgen/commands.h"
#include "loadgen/live_metrics.h"
#include "trace/phases.h"
#include "trace/trace_csv.h"

namespace mpca::app {
namespace {

constexpr int kInterrupted = 130;
constexpr int kClientLimited = 1;
constexpr int kNoAnswer = 1;
constexpr Duration kAskEvery = std::chrono::seconds(1);

struct AttackOptions {
  std::string url;
  std::string targets;
  double rate = 0.0;
  Duration duration{};
  std::string phases;
  std::vector<std::string> phase;
  std::string trace;
  double scale = 1.0;
  double speed = 1.0;
  std::string arrivals = "constant";
  int seed = 1;
  Duration timeout = load::LoadSettings{}.timeout;
  std::vector<std::string> headers;
  int max_connections = load::LoadSettings{}.max_connections;
  bool keep_alive = true;
  int threads = 1;
  std::string unix_socket;
  bool insecure = false;
  std::string cacert;
  std::string report = "text";
  std::string out = "-";
  std::string series;
  std::string histogram;
  bool strict = false;
  int metrics_port = 0;
  Duration wait{};
};

SettingsTable settings_of(AttackOptions& options) {
  const Range positive_time{.low = 0.0, .high = 1e9, .low_open = true};
  return {
      Setting("url", &options.url, "GET this; http:// or https://"),
      Setting("targets", &options.targets,
              "file of requests in vegeta's format, taken in turn, or drawn when any has weight=N after its URL"),
      Setting("rate", &options.rate, "rps", Range::between(0.0, 1e7), "requests per second; with --duration"),
      Setting("duration", &options.duration, "duration", Range::between(0.0, 1e9), "how long requests become due"),
      Setting("phases", &options.phases,
              "file phase_idx,duration,rate_rps: phases one after the other, each with a report"),
      Setting("phase", &options.phase,
              "one of such phases as DURATION@RATE (3m@20); may be repeated, instead of a file"),
      Setting("trace", &options.trace, "demand trace CSV: its rates, linear between the middles of its steps"),
      Setting("scale", &options.scale, "factor", Range{.low = 0.0, .high = 1e6, .low_open = true},
              "all rates times this"),
      Setting("speed", &options.speed, "factor", Range{.low = 0.0, .high = 1e6, .low_open = true},
              "all lengths divided by this, rates as they are"),
      Setting("arrivals", &options.arrivals, "evenly paced, or random as users come", {"constant", "poisson"}),
      Setting("seed", &options.seed, "", Range::at_least(0.0),
              "of random arrivals and of the choice among weighted targets"),
      Setting("timeout", &options.timeout, "duration", positive_time,
              "from the due time to the last byte of the answer"),
      Setting("header", &options.headers, "`Name: value` sent with every request; may be repeated"),
      Setting("max-connections", &options.max_connections, "connections", Range::between(1, 1e6),
              "open at once; requests beyond wait, which counts in their latency"),
      Setting("keep-alive", &options.keep_alive, "use a connection for more than one request"),
      Setting("threads", &options.threads, "threads", Range::between(1, 256),
              "each takes its share of the arrivals in turn"),
      Setting("unix-socket", &options.unix_socket, "connect to this path instead of to the URL's host"),
      Setting("insecure", &options.insecure, "accept any certificate"),
      Setting("cacert", &options.cacert, "PEM file of the authorities to trust instead of the system's"),
      Setting("report", &options.report,
              "vegeta's text or JSON, HdrHistogram's percentiles, or for `mpc-autoscaler experiment` the text and then "
              "all that was measured, in lines that it finds in a log",
              {"text", "json", "hdr", "log"}),
      Setting("out", &options.out, "where the report goes; - is the standard output"),
      Setting("series", &options.series, "CSV with a row per second"),
      Setting("histogram", &options.histogram, "results for `loadgen merge`"),
      Setting("metrics-port", &options.metrics_port, "port", Range::between(0, 65535),
              "serve Prometheus metrics on 127.0.0.1 at this port while running; 0: do not"),
      Setting("wait", &options.wait, "duration", Range::between(0.0, 86400.0),
              "before the load: ask each second until there is a good answer, at most so long; then give up with 1"),
      Setting("strict", &options.strict, "exit with 1 when the client itself could have coloured the result"),
  };
}

// Problems of a file's content, each line with its name before it.
void add_lines(Problems& problems, const std::string& where, const Error& error) {
  for (const std::string_view line : split(error.message, '\n')) problems.add(cat(where, ": ", line));
}

std::vector<load::Target> targets_of(const AttackOptions& options, Problems& problems) {
  if (options.url.empty() == options.targets.empty()) {
    problems.add("needs --url or --targets, one of them");
    return {};
  }
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string& text : options.headers) {
    if (auto header = load::parse_header(text)) {
      headers.push_back(std::move(*header));
    } else {
      problems.add(cat("--header ", header.error().message));
    }
  }
  std::vector<load::Target> targets;
  if (!options.url.empty()) {
    load::Target target;
    target.url = options.url;
    targets.push_back(std::move(target));
  } else if (const auto text = os::read_file(options.targets); !text) {
    problems.add(text.error().message);
  } else {
    const std::filesystem::path folder = std::filesystem::path(options.targets).parent_path();
    auto parsed = load::parse_targets(*text, [&](const std::string& path) {
      return os::read_file(path.starts_with('/') ? path : (folder / path).string());
    });
    if (!parsed) {
      add_lines(problems, options.targets, parsed.error());
    } else {
      targets = std::move(*parsed);
    }
  }
  for (load::Target& target : targets) {
    for (const auto& header : headers) target.headers.push_back(header);
  }
  return targets;
}

/// `3m@20`
Result<trace::Phase> parse_phase(const std::string& text) {
  const std::size_t at = text.find('@');
  const auto duration = parse_duration(text.substr(0, at));
  const double rate = at == std::string::npos ? -1.0 : parse_double(text.substr(at + 1)).value_or(-1.0);
  if (!duration || *duration <= Duration::zero() || !(rate >= 0.0 && rate <= 1e7)) {
    return invalid(cat("--phase is \"", text,
                       "\"; must be DURATION@RATE such as 3m@20, with a duration > 0 and a rate "
                       ">= 0 and <= 10000000"));
  }
  return trace::Phase{0, *duration, rate};
}

std::optional<load::ArrivalPlan> plan_of(const AttackOptions& options, Problems& problems) {
  const bool by_rate = options.rate > 0.0 || options.duration > Duration::zero();
  if (int{by_rate} + int{!options.phases.empty()} + int{!options.phase.empty()} + int{!options.trace.empty()} != 1) {
    problems.add("needs --rate with --duration, or --phases, --phase or --trace, one of them");
    return std::nullopt;
  }
  load::ArrivalPlan plan;
  if (by_rate) {
    if (options.rate <= 0.0) problems.add("--rate must be > 0 with --duration");
    if (options.duration <= Duration::zero()) problems.add("--duration must be > 0 with --rate");
    plan = load::plan_at_rate(options.rate, options.duration);
  } else if (!options.phase.empty()) {
    std::vector<trace::Phase> phases;
    for (const std::string& text : options.phase) {
      if (auto phase = parse_phase(text)) {
        phase->phase_idx = static_cast<int>(phases.size());
        phases.push_back(*phase);
      } else {
        problems.add(phase.error().message);
      }
    }
    plan = load::plan_from_phases(phases);
  } else {
    const std::string& path = options.phases.empty() ? options.trace : options.phases;
    const auto text = os::read_file(path);
    if (!text) {
      problems.add(text.error().message);
      return std::nullopt;
    }
    if (!options.phases.empty()) {
      const auto phases = trace::parse_phases_csv(*text);
      if (!phases) {
        add_lines(problems, path, phases.error());
        return std::nullopt;
      }
      plan = load::plan_from_phases(*phases);
    } else {
      const auto trace = trace::parse_trace_csv(*text, std::filesystem::path(path).stem().string());
      if (!trace) {
        add_lines(problems, path, trace.error());
        return std::nullopt;
      }
      plan = load::plan_from_trace(*trace);
    }
  }
  plan = load::sped_up(load::scaled(std::move(plan), options.scale), options.speed);
  plan.kind = options.arrivals == "poisson" ? load::ArrivalKind::poisson : load::ArrivalKind::constant;
  plan.seed = static_cast<std::uint64_t>(options.seed);
  return plan;
}

// As many connections as the system lets this process have.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A line that is drawn again each second.
class LiveLine {
 public:
  LiveLine(std::ostream& err, bool is_terminal, Duration length) : err_(err), is_on_(is_terminal), length_(length) {}
  ~LiveLine() {
    if (is_on_) err_ << "\r\033[K" << std::flush;
  }
  void show(const load::LiveInterval& live) {
    if (!is_on_) return;
    const load::IntervalResult& ended = live.ended;
    total_.add(ended.counts);
    err_ << "\r\033[K" << to_seconds(live.start) + 1 << " s of " << format_duration(length_) << ": due " << total_.due
         << ", succeeded " << total_.succeeded << ", failed " << total_.failed() << ", outstanding " << live.outstanding
         << "; p50 " << load::go_duration(rounded(ended.latency.quantile(0.5))) << ", p99 "
         << load::go_duration(rounded(ended.latency.quantile(0.99))) << std::flush;
  }

 private:
  static Duration rounded(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration) / 10 * 10;
  }
  std::ostream& err_;
  bool is_on_;
  Duration length_;
  load::Counts total_;
};

// An output file, begun before the run so that a bad path costs no run.
struct Output {
  std::string path;
  std::optional<os::AtomicFile> file;
};

Output begin_output(const std::string& path, Problems& problems) {
  Output output{path, std::nullopt};
  if (path.empty() || path == "-") return output;
  if (auto file = os::AtomicFile::create(path)) {
    output.file = std::move(*file);
  } else {
    problems.add(file.error().message);
  }
  return output;
}

Result<void> finish_output(Output& output, const std::string& text, Context& context) {
  if (output.path == "-") context.out << text;
  if (!output.file) return {};
  output.file->append(text);
  return output.file->commit();
}

/// Whether the target has given a good answer within `limit`. Pods' networks and names may come after their processes.
Result<bool> answers_within(Duration limit, const load::LoadSettings& settings, Context& context) {
  os::RealClock clock;
  const Duration end = os::monotonic_now() + limit;
  load::LoadSettings once = settings;
  once.threads = 1;
  while (!context.stop.stop_requested()) {
    once.timeout = std::clamp(end - os::monotonic_now(), Duration(kAskEvery), settings.timeout);
    MPCA_TRY(const load::LoadResult result,
             load::run_load(load::plan_at_rate(1.0, kAskEvery), once, context.stop, [](const load::LiveInterval&) {}));
    const load::Counts counts = result.total();
    if (counts.succeeded > 0) return true;
    if (os::monotonic_now() >= end) {
      std::string last;
      for (const auto& [status, count] : counts.by_status) last = cat("status ", status);
      for (const auto& [error, count] : counts.by_error) last = error;
      context.err << "no good answer within " << format_duration(limit) << ": " << last << '\n';
      return false;
    }
    clock.sleep_until(clock.now() + kAskEvery);
  }
  return false;
}

Result<int> attack(const AttackOptions& options, Context& context) {
  Problems problems;
  load::LoadSettings settings;
  settings.targets = targets_of(options, problems);
  const auto plan = plan_of(options, problems);
  settings.timeout = options.timeout;
  settings.max_connections = options.max_connections;
  settings.keep_alive = options.keep_alive;
  settings.verify_certificates = !options.insecure;
  settings.certificate_authority_file = options.cacert;
  settings.unix_socket = options.unix_socket;
  settings.threads = options.threads;
  Output report = begin_output(options.out, problems);
  Output series = begin_output(options.series, problems);
  Output histogram = begin_output(options.histogram, problems);
  MPCA_TRY_VOID(problems.to_result());

  std::unique_ptr<LiveMetrics> metrics;
  if (options.metrics_port > 0) {
    auto created = LiveMetrics::create(options.metrics_port);
    if (!created)
      return fail(created.error().code, cat("--metrics-port ", options.metrics_port, ": ", created.error().message));
    metrics = std::move(*created);
  }
  raise_file_limit();
  if (options.wait > Duration::zero()) {
    MPCA_TRY(const bool answers, answers_within(options.wait, settings, context));
    if (!answers) return context.stop.stop_requested() ? kInterrupted : kNoAnswer;
  }
  const auto run = [&] {
    LiveLine line(context.err, context.err_is_terminal, load::length_of(*plan));
    return load::run_load(*plan, settings, context.stop, [&](const load::LiveInterval& live) {
      line.show(live);
      if (metrics != nullptr) metrics->add(live);
    });
  };
  MPCA_TRY(const load::LoadResult result, run());

  const std::string text = options.report == "text"  ? load::text_report(result.phases)
                           : options.report == "log" ? load::text_report(result.phases) + load::result_lines(result)
                           : options.report == "json"
                               ? load::json_report(result.phases, result.started_at, &result.audit)
                               : load::hdr_report(result.phases);
  MPCA_TRY_VOID(finish_output(report, text, context));
  MPCA_TRY_VOID(finish_output(series, load::series_csv(result), context));
  MPCA_TRY_VOID(finish_output(histogram, load::results_text(result.phases), context));
  context.out.flush();
  const load::Counts total = result.total();
  context.err << "requests: " << total.due << " due = " << total.succeeded << " succeeded + " << total.failed()
              << " failed + " << total.cancelled << " cancelled\n"
              << load::audit_text(result);
  if (result.was_interrupted) return kInterrupted;
  return options.strict && result.audit.is_client_limited() ? kClientLimited : 0;
}

}  // namespace

Command attack_command() {
  Command command;
  command.sentence =
      "send HTTP requests when they are due, whatever the server does, and report latencies counted from the due time";
  command.examples = {"loadgen --url http://127.0.0.1:9090/work --rate 200 --duration 30s",
                      "loadgen --targets targets.txt --phases phases.csv --arrivals poisson --seed 7 --out report.txt"};
  return make_command<AttackOptions>(std::move(command), settings_of, attack);
}

}  // namespace mpca::app
