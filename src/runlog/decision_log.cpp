#include "runlog/decision_log.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/os/file.h"
#include "core/text.h"

namespace mpca::runlog {
namespace {

using nlohmann::json;
using policy::Decision;
using policy::Explanation;
using policy::Observation;
using policy::Quality;
using policy::Signal;

// Nothing of an older version has another meaning: 1 has no `pods`, 1 and 2 no `candidates` and no `band`.
constexpr int kOldestVersion = 1;

// Written by hand and not through a JSON tree: a run of a million decisions writes a million of these.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}

  void raw(std::string_view text) { out_ += text; }
  void integer(std::int64_t value) { number(value); }
  void real(double value) {
    // JSON has no NaN and no infinity; none should get here, and a null is refused on reading.
    if (std::isfinite(value)) {
      number(value);
    } else {
      out_ += "null";
    }
  }
  void text(std::string_view value) {
    out_ += '"';
    for (const char character : value) {
      if (character == '"' || character == '\\') {
        out_ += '\\';
        out_ += character;
      } else if (static_cast<unsigned char>(character) < 0x20) {
        constexpr char kHex[] = "0123456789abcdef";
        out_ += "\\u00";
        out_ += kHex[character >> 4];
        out_ += kHex[character & 15];
      } else {
        out_ += character;
      }
    }
    out_ += '"';
  }
  /// `,"name":`
  void key(std::string_view name) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
  }

 private:
  template <class Number>
  void number(Number value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    out_.append(buffer, end.ptr);
  }
  std::string& out_;
};

void write_signal(LineWriter& line, std::string_view name, const Signal& signal) {
  if (signal.quality == Quality::missing) return;
  line.key(name);
  line.raw("[");
  line.real(signal.value);
  line.raw(",");
  line.integer(signal.age.count());
  line.raw(signal.quality == Quality::fresh ? "]" : ",\"stale\"]");
}

/// `[id, started, Ready, changed, terminating]` each, then its CPU as a signal with its window, if it has one.
void write_pods(LineWriter& line, const std::vector<policy::PodObservation>& pods) {
  if (pods.empty()) return;
  line.key("pods");
  for (std::size_t i = 0; i < pods.size(); ++i) {
    const policy::PodObservation& pod = pods[i];
    line.raw(i == 0 ? "[[" : ",[");
    line.integer(pod.id);
    line.raw(",");
    line.integer(pod.started.time_since_epoch().count());
    line.raw(pod.is_ready ? ",true," : ",false,");
    line.integer(pod.ready_changed.time_since_epoch().count());
    line.raw(pod.is_terminating ? ",true" : ",false");
    if (pod.cpu_cores.quality != Quality::missing) {
      line.raw(",");
      line.real(pod.cpu_cores.value);
      line.raw(",");
      line.integer(pod.cpu_cores.age.count());
      line.raw(",");
      line.integer(pod.cpu_window.count());
      if (pod.cpu_cores.quality == Quality::stale) line.raw(",\"stale\"");
    }
    line.raw("]");
  }
  line.raw("]");
}

void write_if_changed(LineWriter& line, std::string_view name, const std::string& value, std::string& last) {
  if (value == last) return;
  line.key(name);
  line.text(value);
  last = value;
}

struct BadField : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A whole number that fits; nlohmann would cast 1e300 or 2^40 to an int without a word.
template <class Integer>
Integer whole(const json& value, const char* name) {
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<Integer>(number) && !(value.is_number_unsigned() && number < 0))
      return static_cast<Integer>(number);
  }
  throw BadField(cat(name, " must be a whole number in range, but is ",
                     value.dump(-1, ' ', false, json::error_handler_t::replace)));
}

// A field of the wrong type throws, inside nlohmann or in whole(); everything here runs inside catch_json().
template <class Function>
auto catch_json(Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const json::exception& error) {
    const std::string_view what = error.what();
    const std::size_t bracket = what.find("] ");
    return invalid(std::string(bracket == std::string_view::npos ? what : what.substr(bracket + 2)));
  } catch (const BadField& error) {
    return invalid(error.what());
  }
}

Signal read_signal(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  const json& fields = *found;
  const Quality quality = fields.size() > 2 && fields.at(2) == "stale" ? Quality::stale : Quality::fresh;
  return {fields.at(0).get<double>(), Duration(whole<std::int64_t>(fields.at(1), name)), quality};
}

Duration read_utc_offset(const json& value) {
  constexpr Duration kMost = std::chrono::hours(26);  // that any place on earth has ever had, and a bit
  const Duration offset(whole<std::int64_t>(value, "utc_offset_ns"));
  if (offset < -kMost || offset > kMost)
    throw BadField(cat("utc_offset_ns is ", offset.count(), "; must be within 26 h"));
  return offset;
}

Duration read_rate_window(const json& value) {
  const Duration window(whole<std::int64_t>(value, "rate_window_ns"));
  if (window < Duration::zero()) throw BadField(cat("rate_window_ns is ", window.count(), "; must be >= 0"));
  return window;
}

std::vector<policy::PodObservation> read_pods(const json& object) {
  std::vector<policy::PodObservation> pods;
  const auto found = object.find("pods");
  if (found == object.end()) return pods;
  for (const json& fields : *found) {
    policy::PodObservation& pod = pods.emplace_back();
    pod.id = whole<std::int64_t>(fields.at(0), "pods");
    pod.started = TimePoint(Duration(whole<std::int64_t>(fields.at(1), "pods")));
    pod.is_ready = fields.at(2).get<bool>();
    pod.ready_changed = TimePoint(Duration(whole<std::int64_t>(fields.at(3), "pods")));
    pod.is_terminating = fields.at(4).get<bool>();
    if (fields.size() <= 5) continue;
    const Quality quality = fields.size() > 8 && fields.at(8) == "stale" ? Quality::stale : Quality::fresh;
    pod.cpu_cores = {fields.at(5).get<double>(), Duration(whole<std::int64_t>(fields.at(6), "pods")), quality};
    pod.cpu_window = Duration(whole<std::int64_t>(fields.at(7), "pods"));
  }
  return pods;
}

std::string read_or_last(const json& object, const char* name, std::string& last) {
  if (const auto found = object.find(name); found != object.end()) last = found->get<std::string>();
  return last;
}

}  // namespace

std::string header_line(const DecisionLogHeader& header) {
  const policy::Workload& workload = header.workload;
  nlohmann::ordered_json object;
  object["format"] = "mpca-decision-log";
  object["version"] = kDecisionLogVersion;
  object["policy"] = header.policy;
  object["workload"] = {{"capacity_rps", workload.capacity_rps},
                        {"target_utilization", workload.target_utilization},
                        {"min_replicas", workload.min_replicas},
                        {"max_replicas", workload.max_replicas},
                        {"period_ns", workload.period.count()}};
  object["world"] = header.world;
  object["trace"] = header.trace;
  object["program"] = header.program;
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void DecisionLogFormatter::append(const DecisionRecord& record, std::string& out) {
  const Observation& observation = record.observation;
  const Explanation& explanation = record.decision.explanation;
  LineWriter line(out);
  line.raw("{\"now_ns\":");
  line.integer(observation.now.time_since_epoch().count());
  if (observation.utc_offset != Duration::zero()) {
    line.key("utc_offset_ns");
    line.integer(observation.utc_offset.count());
  }
  if (observation.rate_window != Duration::zero()) {
    line.key("rate_window_ns");
    line.integer(observation.rate_window.count());
  }
  line.key("spec");
  line.integer(observation.spec_replicas);
  line.key("ready");
  line.integer(observation.ready_replicas);
  if (!observation.starting_pod_ages.empty()) {
    line.key("starting_ns");
    for (std::size_t i = 0; i < observation.starting_pod_ages.size(); ++i) {
      line.raw(i == 0 ? "[" : ",");
      line.integer(observation.starting_pod_ages[i].count());
    }
    line.raw("]");
  }
  write_signal(line, "served_rps", observation.served_rate_rps);
  write_signal(line, "failed_rps", observation.failed_rate_rps);
  write_signal(line, "in_flight", observation.in_flight_requests);
  write_signal(line, "cpu_cores", observation.cpu_cores);
  write_pods(line, observation.pods);

  line.key("replicas");
  line.integer(record.decision.replicas);
  write_if_changed(line, "rule", explanation.rule, last_rule_);
  if (explanation.demand_rps) {
    line.key("demand_rps");
    line.real(*explanation.demand_rps);
  }
  write_if_changed(line, "demand_source", explanation.demand_source, last_source_);
  if (!explanation.forecast.empty()) {
    line.key("forecast");
    for (std::size_t i = 0; i < explanation.forecast.size(); ++i) {
      line.raw(i == 0 ? "[[" : ",[");
      line.integer(explanation.forecast[i].lead_time.count());
      line.raw(",");
      line.real(explanation.forecast[i].level);
      line.raw(",");
      line.real(explanation.forecast[i].demand_rps);
      line.raw("]");
    }
    line.raw("]");
  }
  if (!explanation.values.empty()) {
    line.key("values");
    for (std::size_t i = 0; i < explanation.values.size(); ++i) {
      line.raw(i == 0 ? "[[" : ",[");
      line.text(explanation.values[i].name);
      line.raw(",");
      line.real(explanation.values[i].value);
      line.raw("]");
    }
    line.raw("]");
  }
  if (!explanation.candidates.empty()) {
    line.key("candidates");
    for (std::size_t i = 0; i < explanation.candidates.size(); ++i) {
      const policy::CandidateVote& vote = explanation.candidates[i];
      line.raw(i == 0 ? "[[" : ",[");
      line.text(vote.name);
      for (const double number : {vote.weight, vote.replicas, vote.cost, vote.late_share}) {
        line.raw(",");
        line.real(number);
      }
      line.raw("]");
    }
    line.raw("]");
  }
  if (explanation.band) {
    line.key("band");
    line.raw("[");
    line.integer(explanation.band->raise_below);
    line.raw(",");
    line.integer(explanation.band->lower_above);
    line.raw("]");
  }
  if (explanation.recommendation) {
    line.key("recommendation");
    line.real(*explanation.recommendation);
  }
  if (!explanation.guards.empty()) {
    line.key("guards");
    for (std::size_t i = 0; i < explanation.guards.size(); ++i) {
      line.raw(i == 0 ? "[[" : ",[");
      line.text(explanation.guards[i].guard);
      line.raw(",");
      line.integer(explanation.guards[i].before);
      line.raw(",");
      line.integer(explanation.guards[i].after);
      line.raw("]");
    }
    line.raw("]");
  }
  write_if_changed(line, "status", explanation.status, last_status_);
  line.raw("}\n");
}

Result<DecisionLogHeader> DecisionLogParser::parse_header(std::string_view text) {
  return catch_json([&]() -> Result<DecisionLogHeader> {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object() || object.value("format", json()) != "mpca-decision-log") {
      return invalid("not a decision log: the first line must be its header with \"format\":\"mpca-decision-log\"");
    }
    const json& version = object.at("version");
    if (!version.is_number_integer() || version < kOldestVersion || version > kDecisionLogVersion) {
      return invalid(cat("decision log version ", version.dump(), "; this program reads versions ", kOldestVersion,
                         " to ", kDecisionLogVersion));
    }
    DecisionLogHeader header;
    header.policy = object.at("policy").get<std::string>();
    const json& workload = object.at("workload");
    header.workload.capacity_rps = workload.at("capacity_rps").get<double>();
    header.workload.target_utilization = workload.at("target_utilization").get<double>();
    header.workload.min_replicas = whole<int>(workload.at("min_replicas"), "min_replicas");
    header.workload.max_replicas = whole<int>(workload.at("max_replicas"), "max_replicas");
    header.workload.period = Duration(whole<std::int64_t>(workload.at("period_ns"), "period_ns"));
    header.world = object.at("world").get<std::string>();
    header.trace = object.at("trace").get<std::string>();
    header.program = object.at("program").get<std::string>();
    MPCA_TRY_VOID(policy::validate(header.workload));
    return header;
  });
}

Result<DecisionRecord> DecisionLogParser::parse_record(std::string_view text) {
  return catch_json([&]() -> Result<DecisionRecord> {
    const json object = json::parse(text, nullptr, false);
    if (!object.is_object()) return invalid("not a JSON object");
    DecisionRecord record;
    Observation& observation = record.observation;
    observation.now = TimePoint(Duration(whole<std::int64_t>(object.at("now_ns"), "now_ns")));
    if (object.contains("utc_offset_ns")) observation.utc_offset = read_utc_offset(object["utc_offset_ns"]);
    if (object.contains("rate_window_ns")) observation.rate_window = read_rate_window(object["rate_window_ns"]);
    observation.spec_replicas = whole<int>(object.at("spec"), "spec");
    observation.ready_replicas = whole<int>(object.at("ready"), "ready");
    if (const auto ages = object.find("starting_ns"); ages != object.end()) {
      for (const json& age : *ages) observation.starting_pod_ages.emplace_back(whole<std::int64_t>(age, "starting_ns"));
    }
    observation.served_rate_rps = read_signal(object, "served_rps");
    observation.failed_rate_rps = read_signal(object, "failed_rps");
    observation.in_flight_requests = read_signal(object, "in_flight");
    observation.cpu_cores = read_signal(object, "cpu_cores");
    observation.pods = read_pods(object);

    record.decision.replicas = whole<int>(object.at("replicas"), "replicas");
    Explanation& explanation = record.decision.explanation;
    explanation.rule = read_or_last(object, "rule", last_rule_);
    explanation.demand_source = read_or_last(object, "demand_source", last_source_);
    explanation.status = read_or_last(object, "status", last_status_);
    if (object.contains("demand_rps")) explanation.demand_rps = object["demand_rps"].get<double>();
    if (object.contains("recommendation")) explanation.recommendation = object["recommendation"].get<double>();
    if (const auto forecast = object.find("forecast"); forecast != object.end()) {
      for (const json& point : *forecast) {
        explanation.forecast.push_back({Duration(whole<std::int64_t>(point.at(0), "forecast")),
                                        point.at(1).get<double>(), point.at(2).get<double>()});
      }
    }
    if (const auto values = object.find("values"); values != object.end()) {
      for (const json& value : *values)
        explanation.values.push_back({value.at(0).get<std::string>(), value.at(1).get<double>()});
    }
    if (const auto candidates = object.find("candidates"); candidates != object.end()) {
      for (const json& vote : *candidates) {
        explanation.candidates.push_back({vote.at(0).get<std::string>(), vote.at(1).get<double>(),
                                          vote.at(2).get<double>(), vote.at(3).get<double>(),
                                          vote.at(4).get<double>()});
      }
    }
    if (const auto band = object.find("band"); band != object.end())
      explanation.band = {whole<int>(band->at(0), "band"), whole<int>(band->at(1), "band")};
    if (const auto guards = object.find("guards"); guards != object.end()) {
      for (const json& guard : *guards) {
        explanation.guards.push_back(
            {guard.at(0).get<std::string>(), whole<int>(guard.at(1), "guards"), whole<int>(guard.at(2), "guards")});
      }
    }
    return record;
  });
}

Result<DecisionLogHeader> read_decision_log(const std::string& path,
                                            const std::function<bool(const DecisionLogHeader&)>& on_header,
                                            const std::function<bool(const DecisionRecord&)>& on_record) {
  constexpr std::size_t kLongestLine = 1 << 20;
  DecisionLogParser parser;
  std::optional<DecisionLogHeader> header;
  std::string pending;
  std::int64_t line_number = 0;
  Result<void> state;
  const auto take_line = [&](std::string_view line) {
    ++line_number;
    const auto keep_error = [&](const Error& error) {
      state = std::unexpected(Error{error.code, cat(path, ": line ", line_number, ": ", error.message)});
      return false;
    };
    if (!header) {
      auto parsed = parser.parse_header(line);
      if (!parsed) return keep_error(parsed.error());
      header = *std::move(parsed);
      return on_header(*header);
    }
    const auto record = parser.parse_record(line);
    if (!record) return keep_error(record.error());
    return on_record(*record);
  };
  bool stopped = false;
  MPCA_TRY_VOID(os::read_in_pieces(path, [&](std::string_view piece) {
    while (!stopped) {
      const std::size_t end = piece.find('\n');
      pending += piece.substr(0, end);
      if (pending.size() > kLongestLine) {
        state = invalid(
            cat(path, ": line ", line_number + 1, ": longer than ", kLongestLine, " bytes; not a decision log"));
        stopped = true;
      }
      if (stopped || end == std::string_view::npos) break;
      stopped = !take_line(pending);
      pending.clear();
      piece.remove_prefix(end + 1);
    }
    return !stopped;
  }));
  if (!stopped && !pending.empty()) take_line(pending);
  if (!state) return std::unexpected(state.error());
  if (!header) return invalid(cat(path, ": empty; a decision log begins with a header line"));
  return *std::move(header);
}

}  // namespace mpca::runlog
