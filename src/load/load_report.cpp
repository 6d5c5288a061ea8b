#include "load/load_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/text.h"
#include "trace/timestamps.h"

namespace mpca::load {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

// vegeta's Metrics of one phase.
struct Metrics {
  std::uint64_t requests = 0;  // that ended by themselves
  Duration attack{};           // from the first due to the last
  Duration wait{};             // from there to the last end
  double rate_rps = 0.0;
  double throughput_rps = 0.0;
  double success = 0.0;  // fraction
  double bytes_in_mean = 0.0;
  double bytes_out_mean = 0.0;
};

Metrics metrics_of(const PhaseResult& phase) {
  Metrics metrics;
  metrics.requests = phase.counts.due - phase.counts.cancelled;
  metrics.attack = phase.last_due - phase.first_due;
  metrics.wait = std::max(Duration::zero(), phase.last_end - phase.last_due);
  const auto requests = static_cast<double>(metrics.requests);
  const auto succeeded = static_cast<double>(phase.counts.succeeded);
  metrics.rate_rps = requests;
  metrics.throughput_rps = succeeded;
  if (metrics.attack > Duration::zero()) {
    metrics.rate_rps /= to_seconds(metrics.attack);
    metrics.throughput_rps /= to_seconds(metrics.attack + metrics.wait);
  }
  if (metrics.requests > 0) {
    metrics.success = succeeded / requests;
    metrics.bytes_in_mean = static_cast<double>(phase.bytes_in) / requests;
    metrics.bytes_out_mean = static_cast<double>(phase.bytes_out) / requests;
  }
  return metrics;
}

// vegeta rounds to the next smaller unit: 10.094965987s is 10.095s.
Duration rounded(Duration duration) {
  constexpr std::array kUnits = {Duration(1h), Duration(1min), Duration(1s), Duration(1ms), Duration(1us), Duration(1)};
  for (std::size_t i = 0; i + 1 < kUnits.size(); ++i) {
    if (duration < kUnits[i]) continue;
    const Duration unit = kUnits[i + 1];
    return (duration + unit / 2) / unit * unit;
  }
  return duration;
}

std::string go_rounded(Duration duration) { return go_duration(rounded(duration)); }

// Status 0 stands for no complete answer, as vegeta has it.
std::map<int, std::uint64_t> status_codes(const Counts& counts) {
  std::map<int, std::uint64_t> codes = counts.by_status;
  for (const auto& [error, count] : counts.by_error) codes[0] += count;
  return codes;
}

constexpr std::pair<int, const char*> kReasons[] = {{400, "Bad Request"},
                                                    {401, "Unauthorized"},
                                                    {403, "Forbidden"},
                                                    {404, "Not Found"},
                                                    {405, "Method Not Allowed"},
                                                    {408, "Request Timeout"},
                                                    {413, "Request Entity Too Large"},
                                                    {429, "Too Many Requests"},
                                                    {500, "Internal Server Error"},
                                                    {501, "Not Implemented"},
                                                    {502, "Bad Gateway"},
                                                    {503, "Service Unavailable"},
                                                    {504, "Gateway Timeout"}};

// vegeta's error set has a text per kind of failure; an answer outside 2xx and 3xx is its status line.
std::vector<std::string> error_set(const Counts& counts) {
  std::vector<std::string> errors;
  for (const auto& [status, count] : counts.by_status) {
    if (status >= 200 && status < 400) continue;
    const auto known = std::find_if(std::begin(kReasons), std::end(kReasons),
                                    [&](const auto& reason) { return reason.first == status; });
    errors.push_back(known == std::end(kReasons) ? std::to_string(status) : cat(status, " ", known->second));
  }
  for (const auto& [error, count] : counts.by_error) errors.push_back(error);
  return errors;
}

std::string in_ms(Duration duration) { return fixed(1e3 * to_seconds(duration), 3); }

}  // namespace

std::string go_duration(Duration duration) {
  const std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  if (ns < 1'000) return cat(ns, "ns");
  const auto in_units = [](std::int64_t value, std::int64_t unit) {
    std::string text = std::to_string(value / unit);
    std::string rest = std::to_string(unit + value % unit).substr(1);
    rest.erase(rest.find_last_not_of('0') + 1);
    return rest.empty() ? text : text + "." + rest;
  };
  if (ns < 1'000'000) return in_units(ns, 1'000) + "\u00b5s";
  if (ns < 1'000'000'000) return in_units(ns, 1'000'000) + "ms";
  const std::int64_t minutes = ns / 60'000'000'000;
  const std::string seconds = in_units(ns % 60'000'000'000, 1'000'000'000) + "s";
  if (minutes == 0) return seconds;
  if (minutes < 60) return cat(minutes, "m", seconds);
  return cat(minutes / 60, "h", minutes % 60, "m", seconds);
}

std::string text_report(const std::vector<PhaseResult>& phases) {
  std::string text;
  for (const PhaseResult& phase : phases) {
    const Metrics metrics = metrics_of(phase);
    const LatencyHistogram& latency = phase.latency;
    if (!text.empty()) text += "\n";
    text += cat("Requests      [total, rate, throughput]         ", metrics.requests, ", ", fixed(metrics.rate_rps, 2),
                ", ", fixed(metrics.throughput_rps, 2), "\n");
    text += cat("Duration      [total, attack, wait]             ", go_rounded(metrics.attack + metrics.wait), ", ",
                go_rounded(metrics.attack), ", ", go_rounded(metrics.wait), "\n");
    text += cat("Latencies     [min, mean, 50, 90, 95, 99, max]  ", go_rounded(latency.min()), ", ",
                go_rounded(latency.mean()), ", ", go_rounded(latency.quantile(0.50)), ", ",
                go_rounded(latency.quantile(0.90)), ", ", go_rounded(latency.quantile(0.95)), ", ",
                go_rounded(latency.quantile(0.99)), ", ", go_rounded(latency.max()), "\n");
    text += cat("Bytes In      [total, mean]                     ", phase.bytes_in, ", ",
                fixed(metrics.bytes_in_mean, 2), "\n");
    text += cat("Bytes Out     [total, mean]                     ", phase.bytes_out, ", ",
                fixed(metrics.bytes_out_mean, 2), "\n");
    text += cat("Success       [ratio]                           ", fixed(100.0 * metrics.success, 2), "%\n");
    text += "Status Codes  [code:count]                      ";
    for (const auto& [status, count] : status_codes(phase.counts)) text += cat(status, ":", count, "  ");
    text += "\nError Set:\n";
    for (const std::string& error : error_set(phase.counts)) text += error + "\n";
  }
  return text;
}

std::string json_report(const std::vector<PhaseResult>& phases, TimePoint started_at, const SelfAudit* audit) {
  std::string text;
  for (const PhaseResult& phase : phases) {
    const Metrics metrics = metrics_of(phase);
    const LatencyHistogram& latency = phase.latency;
    const auto at = [&](double level) { return latency.quantile(level).count(); };
    Json all;
    const double total_ns = static_cast<double>(latency.mean().count()) * static_cast<double>(latency.count());
    all["latencies"] = {{"total", std::llround(std::min(total_ns, 9.2e18))},
                        {"mean", latency.mean().count()},
                        {"50th", at(0.50)},
                        {"90th", at(0.90)},
                        {"95th", at(0.95)},
                        {"99th", at(0.99)},
                        {"max", latency.max().count()},
                        {"min", latency.min().count()}};
    all["bytes_in"] = {{"total", phase.bytes_in}, {"mean", metrics.bytes_in_mean}};
    all["bytes_out"] = {{"total", phase.bytes_out}, {"mean", metrics.bytes_out_mean}};
    all["earliest"] = trace::format_rfc3339(started_at + phase.first_due);
    all["latest"] = trace::format_rfc3339(started_at + phase.last_due);
    all["end"] = trace::format_rfc3339(started_at + std::max(phase.last_end, phase.last_due));
    all["duration"] = metrics.attack.count();
    all["wait"] = metrics.wait.count();
    all["requests"] = metrics.requests;
    all["rate"] = metrics.rate_rps;
    all["throughput"] = metrics.throughput_rps;
    all["success"] = metrics.success;
    all["status_codes"] = Json::object();
    for (const auto& [status, count] : status_codes(phase.counts)) all["status_codes"][std::to_string(status)] = count;
    all["errors"] = error_set(phase.counts);
    all["phase"] = phase.phase + 1;
    Json& own = all["loadgen"];
    own = {{"due", phase.counts.due},
           {"succeeded", phase.counts.succeeded},
           {"failed", phase.counts.failed()},
           {"cancelled", phase.counts.cancelled},
           {"errors", Json::object()}};
    for (const auto& [error, count] : phase.counts.by_error) own["errors"][error] = count;
    if (audit != nullptr) {
      own["lateness_ns"] = {{"p50", audit->lateness.quantile(0.5).count()},
                            {"p99_9", audit->lateness.quantile(0.999).count()},
                            {"max", audit->lateness.max().count()}};
      own["connection_waits"] = audit->connection_wait.count();
      own["busiest_thread_cpu"] = audit->busiest_thread_cpu;
      own["client_limited"] = audit->is_client_limited();
      own["findings"] = audit->findings;
    }
    text += all.dump() + "\n";
  }
  return text;
}

std::string hdr_report(const std::vector<PhaseResult>& phases) {
  LatencyHistogram all;
  for (const PhaseResult& phase : phases) all.merge(phase.latency);
  const auto padded = [](const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
  };
  std::string text = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  const auto buckets = all.buckets();
  const auto count = static_cast<double>(all.count());
  // HdrHistogram's steps: five to each halving of what is left above.
  constexpr double kStepsPerHalving = 5.0;
  std::uint64_t seen = 0;
  double level = 0.0;
  for (const auto& bucket : buckets) {
    seen += bucket.count;
    const double reached = static_cast<double>(seen) / count;
    if (reached < level) continue;
    const bool is_last = seen == all.count();
    const std::string value = padded(in_ms(std::min(bucket.high, all.max())), 12);
    const double shown = is_last ? 1.0 : level;
    text += cat(value, " ", fixed(shown, 12), " ", padded(std::to_string(seen), 10));
    text += is_last ? "\n" : cat(" ", padded(fixed(1.0 / (1.0 - shown), 2), 14), "\n");
    while (!is_last && level <= reached) {
      const double halvings = std::floor(std::log2(1.0 / (1.0 - level))) + 1.0;
      level += 1.0 / (kStepsPerHalving * std::exp2(halvings));
    }
  }
  text += cat("#[Mean    = ", padded(in_ms(all.mean()), 12),
              ", StdDeviation   = ", padded(in_ms(all.standard_deviation()), 12), "]\n");
  text += cat("#[Max     = ", padded(in_ms(all.max()), 12),
              ", Total count    = ", padded(std::to_string(all.count()), 12), "]\n");
  return text;
}

std::string series_csv(const LoadResult& result) {
  std::string text = "start_s,due,succeeded,failed,cancelled,p50_ms,p95_ms,p99_ms,max_ms\n";
  for (const IntervalResult& interval : result.intervals) {
    const Counts& counts = interval.counts;
    text += cat(to_seconds(interval.start), ",", counts.due, ",", counts.succeeded, ",", counts.failed(), ",",
                counts.cancelled);
    for (const double level : {0.50, 0.95, 0.99, 1.0}) {
      text += cat(",", interval.latency.count() == 0 ? "" : in_ms(interval.latency.quantile(level)));
    }
    text += "\n";
  }
  return text;
}

std::string audit_text(const LoadResult& result) {
  const SelfAudit& audit = result.audit;
  std::string text = cat("client: sent late by p50 ", go_rounded(audit.lateness.quantile(0.5)), ", p99.9 ",
                         go_rounded(audit.lateness.quantile(0.999)), ", max ", go_rounded(audit.lateness.max()),
                         "; busiest thread ", fixed(100.0 * audit.busiest_thread_cpu, 0), " % of a core; ",
                         audit.connection_wait.count(), " requests waited for a connection\n");
  for (const std::string& finding : audit.findings) text += cat("client-limited: ", finding, "\n");
  return text;
}

namespace {

constexpr std::string_view kResultsFormat = "loadgen-results 1";
constexpr std::int64_t kLargestNumber = 1'000'000'000'000'000'000;  // sums of a few stay within 64 bits

}  // namespace

std::string results_text(const std::vector<PhaseResult>& phases) {
  std::string text = cat(kResultsFormat, "\n");
  for (const PhaseResult& phase : phases) {
    text += cat("phase ", phase.phase, "\nplanned_ns ", phase.planned_start.count(), " ", phase.planned_length.count(),
                "\ntimes_ns ", phase.first_due.count(), " ", phase.last_due.count(), " ", phase.last_end.count(),
                "\nbytes ", phase.bytes_in, " ", phase.bytes_out, "\ndue ", phase.counts.due, "\ncancelled ",
                phase.counts.cancelled, "\n");
    for (const auto& [status, count] : phase.counts.by_status) text += cat("status ", count, " ", status, "\n");
    for (const auto& [error, count] : phase.counts.by_error) text += cat("error ", count, " ", error, "\n");
    text += phase.latency.to_text() + "end\n";
  }
  return text;
}

namespace {

// Reads the lines of results_text().
class ResultsParser {
 public:
  explicit ResultsParser(std::string_view text) : lines_(split(text, '\n')) {}

  Result<std::vector<PhaseResult>> parse() {
    if (take() != kResultsFormat) return refuse(cat("must be \"", kResultsFormat, "\""));
    std::vector<PhaseResult> phases;
    while (next_ < lines_.size() && !lines_[next_].empty()) {
      MPCA_TRY(PhaseResult phase, parse_phase());
      if (phase.phase != static_cast<int>(phases.size())) return refuse("phases must be numbered 0, 1, 2, …");
      phases.push_back(std::move(phase));
    }
    if (phases.empty()) return refuse("no phase");
    return phases;
  }

 private:
  std::string_view take() {
    std::string_view line = next_ < lines_.size() ? lines_[next_] : std::string_view();
    ++next_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  std::unexpected<Error> refuse(std::string_view what) const { return invalid(cat("line ", next_, ": ", what)); }

  // `name N N N`
  template <std::size_t Count>
  std::optional<std::array<std::int64_t, Count>> numbers(std::string_view name) {
    const std::vector<std::string_view> words = split(take(), ' ');
    if (words.size() != Count + 1 || words[0] != name) return std::nullopt;
    std::array<std::int64_t, Count> all{};
    for (std::size_t i = 0; i < Count; ++i) {
      const auto number = parse_int(words[i + 1]);
      if (!number || *number < 0 || *number > kLargestNumber) return std::nullopt;
      all[i] = *number;
    }
    return all;
  }

  Result<PhaseResult> parse_phase() {
    PhaseResult phase;
    const auto index = numbers<1>("phase");
    if (!index || (*index)[0] > 1'000'000) return refuse("must be `phase N`");
    phase.phase = static_cast<int>((*index)[0]);
    const auto planned = numbers<2>("planned_ns");
    if (!planned) return refuse("must be `planned_ns START LENGTH`");
    phase.planned_start = Duration((*planned)[0]);
    phase.planned_length = Duration((*planned)[1]);
    const auto times = numbers<3>("times_ns");
    if (!times || (*times)[0] > (*times)[1])
      return refuse("must be `times_ns FIRST_DUE LAST_DUE LAST_END` in this order");
    phase.first_due = Duration((*times)[0]);
    phase.last_due = Duration((*times)[1]);
    phase.last_end = Duration((*times)[2]);
    const auto bytes = numbers<2>("bytes");
    if (!bytes) return refuse("must be `bytes IN OUT`");
    phase.bytes_in = static_cast<std::uint64_t>((*bytes)[0]);
    phase.bytes_out = static_cast<std::uint64_t>((*bytes)[1]);
    const auto due = numbers<1>("due");
    if (!due) return refuse("must be `due N`");
    phase.counts.due = static_cast<std::uint64_t>((*due)[0]);
    const auto cancelled = numbers<1>("cancelled");
    if (!cancelled) return refuse("must be `cancelled N`");
    phase.counts.cancelled = static_cast<std::uint64_t>((*cancelled)[0]);
    MPCA_TRY_VOID(parse_outcomes(phase.counts));
    if (phase.counts.due != phase.counts.succeeded + phase.counts.failed() + phase.counts.cancelled) {
      return refuse("due is not the sum of what became of the requests");
    }
    MPCA_TRY_VOID(parse_histogram(phase));
    return phase;
  }

  Result<void> parse_outcomes(Counts& counts) {
    while (next_ < lines_.size() && (lines_[next_].starts_with("status ") || lines_[next_].starts_with("error "))) {
      const std::string_view line = take();
      const std::size_t first = line.find(' ');
      const std::size_t second = line.find(' ', first + 1);
      const auto count =
          second == std::string_view::npos ? std::nullopt : parse_int(line.substr(first, second - first));
      if (!count || *count <= 0 || *count > kLargestNumber || second + 1 >= line.size())
        return refuse("must be `status COUNT CODE` or `error COUNT TEXT`");
      const std::string_view what = line.substr(second + 1);
      const auto number = static_cast<std::uint64_t>(*count);
      if (line.starts_with("error ")) {
        counts.by_error[std::string(what)] += number;
        continue;
      }
      const auto status = parse_int(what);
      if (!status || *status < 100 || *status > 999) return refuse("a status must be >= 100 and <= 999");
      counts.by_status[static_cast<int>(*status)] += number;
      if (*status >= 200 && *status < 400) counts.succeeded += number;
    }
    return {};
  }

  Result<void> parse_histogram(PhaseResult& phase) {
    const std::size_t first = next_;
    std::string text;
    while (next_ < lines_.size() && lines_[next_] != "end" && lines_[next_] != "end\r") text += cat(take(), "\n");
    const std::size_t after = next_;
    if (take() != "end\r" && after >= lines_.size()) return refuse("the phase has no `end`");
    auto histogram = LatencyHistogram::parse(text);
    if (!histogram) return invalid(cat("in the histogram from line ", first + 1, " on: ", histogram.error().message));
    if (histogram->count() != phase.counts.due - phase.counts.cancelled) {
      return refuse("the histogram has another number of requests");
    }
    phase.latency = std::move(*histogram);
    return {};
  }

  std::vector<std::string_view> lines_;
  std::size_t next_ = 0;
};

}  // namespace

Result<std::vector<PhaseResult>> parse_results(std::string_view text) { return ResultsParser(text).parse(); }

void merge_results(std::vector<PhaseResult>& into, const std::vector<PhaseResult>& other) {
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (i == into.size()) {
      into.push_back(other[i]);
      continue;
    }
    PhaseResult& phase = into[i];
    const bool is_empty = phase.counts.due == 0;
    if (other[i].counts.due > 0) {
      phase.first_due = is_empty ? other[i].first_due : std::min(phase.first_due, other[i].first_due);
      phase.last_due = is_empty ? other[i].last_due : std::max(phase.last_due, other[i].last_due);
      phase.last_end = is_empty ? other[i].last_end : std::max(phase.last_end, other[i].last_end);
    }
    phase.planned_length = std::max(phase.planned_length, other[i].planned_length);
    phase.counts.add(other[i].counts);
    phase.latency.merge(other[i].latency);
    phase.bytes_in += other[i].bytes_in;
    phase.bytes_out += other[i].bytes_out;
  }
}

}  // namespace mpca::load
