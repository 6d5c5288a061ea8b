#include "load/result_in_log.h"

#include <algorithm>
#include <optional>

#include "core/crc32c.h"
#include "core/text.h"
#include "load/load_report.h"
#include "net/json.h"

namespace mpca::load {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "mpca-load-result";
constexpr int kVersion = 1;
constexpr std::string_view kMark = "loadgen-result ";
constexpr std::size_t kPiece = 4096;  // containerd and CRI-O cut lines at 16 KiB
constexpr std::size_t kMostPieces = 1'000'000;

/// An interval in the words of a phase, whose format there is already.
std::vector<PhaseResult> as_phases(const std::vector<IntervalResult>& intervals) {
  std::vector<PhaseResult> phases;
  for (const IntervalResult& interval : intervals) {
    PhaseResult& phase = phases.emplace_back();
    phase.phase = static_cast<int>(phases.size()) - 1;
    phase.planned_start = interval.start;
    phase.counts = interval.counts;
    phase.latency = interval.latency;
  }
  return phases;
}

std::vector<IntervalResult> as_intervals(std::vector<PhaseResult> phases) {
  std::vector<IntervalResult> intervals;
  for (PhaseResult& phase : phases)
    intervals.push_back({phase.planned_start, std::move(phase.counts), std::move(phase.latency)});
  return intervals;
}

std::string document_of(const LoadResult& result) {
  const Json object = {
      {"format", kFormat},
      {"version", kVersion},
      {"started_at_ns", result.started_at.time_since_epoch().count()},
      {"length_ns", result.length.count()},
      {"was_interrupted", result.was_interrupted},
      {"phases", results_text(result.phases)},
      {"intervals", result.intervals.empty() ? std::string() : results_text(as_phases(result.intervals))},
      {"audit",
       {{"lateness", result.audit.lateness.to_text()},
        {"connection_wait", result.audit.connection_wait.to_text()},
        {"busiest_thread_cpu", result.audit.busiest_thread_cpu},
        {"findings", result.audit.findings}}}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<LatencyHistogram> histogram_at(const Json& object, const char* key) {
  auto histogram = LatencyHistogram::parse(object.at(key).get<std::string>());
  if (!histogram) return invalid(cat(key, ": ", histogram.error().message));
  return histogram;
}

Result<std::vector<PhaseResult>> results_at(const Json& object, const char* key) {
  const auto text = object.at(key).get<std::string>();
  if (text.empty()) return std::vector<PhaseResult>{};
  auto results = parse_results(text);
  if (!results) return invalid(cat(key, ": ", results.error().message));
  return results;
}

Result<LoadResult> parse_document(const std::string& text) {
  try {
    const Json object = net::parse_json<Json>(text);
    if (object.is_discarded()) return invalid("the log's result is not JSON");
    if (object.at("format").get<std::string>() != kFormat) return invalid("the log's result is of another format");
    if (const int version = object.at("version").get<int>(); version != kVersion)
      return invalid(cat("the log's result has version ", version, "; this program reads ", kVersion));
    LoadResult result;
    result.started_at = TimePoint(Duration(object.at("started_at_ns").get<std::int64_t>()));
    result.length = Duration(object.at("length_ns").get<std::int64_t>());
    object.at("was_interrupted").get_to(result.was_interrupted);
    MPCA_TRY(result.phases, results_at(object, "phases"));
    MPCA_TRY(std::vector<PhaseResult> intervals, results_at(object, "intervals"));
    result.intervals = as_intervals(std::move(intervals));
    const Json& audit = object.at("audit");
    MPCA_TRY(result.audit.lateness, histogram_at(audit, "lateness"));
    MPCA_TRY(result.audit.connection_wait, histogram_at(audit, "connection_wait"));
    audit.at("busiest_thread_cpu").get_to(result.audit.busiest_thread_cpu);
    audit.at("findings").get_to(result.audit.findings);
    return result;
  } catch (const std::exception& error) {
    return invalid(cat("the log's result cannot be read: ", error.what()));
  }
}

struct Head {
  std::uint32_t checksum = 0;
  std::size_t pieces = 0;
};

/// `head CHECKSUM PIECES`
std::optional<Head> parse_head(std::string_view line) {
  const std::vector<std::string_view> words = split(line, ' ');
  if (words.size() != 3 || words[0] != "head") return std::nullopt;
  const auto checksum = parse_int(words[1]), pieces = parse_int(words[2]);
  if (!checksum || !pieces || *checksum < 0 || *checksum > 0xffffffffLL || *pieces < 1 ||
      *pieces > static_cast<std::int64_t>(kMostPieces))
    return std::nullopt;
  return Head{static_cast<std::uint32_t>(*checksum), static_cast<std::size_t>(*pieces)};
}

}  // namespace

std::string result_lines(const LoadResult& result) {
  // JSON escapes line breaks, so the document is one line and can be cut anywhere.
  const std::string document = document_of(result);
  const std::size_t pieces = (document.size() + kPiece - 1) / kPiece;
  std::string lines = cat(kMark, "head ", crc32c(document), " ", pieces, "\n");
  for (std::size_t i = 0; i < pieces; ++i)
    lines += cat(kMark, i, " ", std::string_view(document).substr(i * kPiece, kPiece), "\n");
  return lines;
}

Result<LoadResult> parse_result_lines(std::string_view log) {
  std::optional<Head> head;
  std::string document;
  std::size_t next = 0;
  for (std::string_view line : split(log, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with(kMark)) continue;
    line.remove_prefix(kMark.size());
    if (const auto found = parse_head(line)) {
      head = found;
      document.clear();
      next = 0;
      continue;
    }
    const std::size_t space = line.find(' ');
    if (!head || space == std::string_view::npos || parse_int(line.substr(0, space)) != static_cast<std::int64_t>(next))
      continue;
    document += line.substr(space + 1);
    ++next;
  }
  if (!head) return fail(ErrorCode::not_found, "the log holds no result of loadgen");
  if (next != head->pieces)
    return invalid(cat("the log holds ", next, " of the ", head->pieces, " lines of the result"));
  if (crc32c(document) != head->checksum) return invalid("the result in the log is damaged: its checksum is another");
  return parse_document(document);
}

}  // namespace mpca::load
