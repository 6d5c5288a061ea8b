#include "prom/answer.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "net/json.h"

namespace mpca::prom {
namespace {

using net::text_at;
using nlohmann::json;

// Beyond it, an instant does not fit our nanoseconds.
constexpr double kLatestSecond = 9e9;

std::vector<std::string> texts_of(const json& object, const char* key) {
  std::vector<std::string> texts;
  const json& found = net::json_at(object, key);
  if (!found.is_array()) return texts;
  for (const json& one : found)
    if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

Failed failed(FailureKind kind, int status, bool again, std::string message) {
  const ErrorCode code = kind == FailureKind::query ? ErrorCode::invalid_argument : ErrorCode::io;
  return {.kind = kind, .status = status, .error = {code, std::move(message)}, .is_worth_another_try = again};
}

Failed not_prometheus(int status) {
  return failed(FailureKind::not_prometheus, status, true,
                cat("the answer (status ", status, ") is not that of a Prometheus query API"));
}

Failed refusal(int status, const json& answer) {
  const std::string type = text_at(answer, "errorType");
  const bool by_query = type == "bad_data" || type == "execution";
  return failed(by_query ? FailureKind::query : FailureKind::server, status, !by_query,
                cat(type, ": ", text_at(answer, "error")));
}

/// Of somebody between us and Prometheus; an API server says why in its Status object.
Failed http_failure(int status, const json& answer) {
  const bool is_refused = status == 401 || status == 403;
  const bool again = status >= 500 || status == 429 || status == 408;
  const std::string words = text_at(answer, "message");
  return failed(is_refused ? FailureKind::not_permitted : FailureKind::http_status, status, again,
                cat("status ", status, words.empty() ? "" : ": ", words));
}

struct TextPoint {
  Point point;
  std::string text;
};

/// `[seconds, "text"]`.
std::optional<TextPoint> point_of(const json& pair) {
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string()) return std::nullopt;
  const double seconds = pair[0].get<double>();
  const std::string text = pair[1].get<std::string>();
  const auto value = parse_double(text);
  if (!value || !(std::abs(seconds) < kLatestSecond)) return std::nullopt;
  return TextPoint{{at_seconds(seconds), *value}, text};
}

/// The series of an answer as they are read one after the other.
struct Reading {
  std::vector<Series> series;
  std::size_t series_without_number = 0;
  std::size_t points = 0;
  std::size_t points_without_number = 0;
  std::string first_text;  // that is no number

  bool take(std::vector<std::pair<std::string, std::string>> labels, const json* pairs, std::size_t count) {
    Series one{.labels = std::move(labels), .points = {}};
    for (std::size_t i = 0; i < count; ++i) {
      const auto read = point_of(pairs[i]);
      if (!read) return false;
      ++points;
      if (std::isfinite(read->point.value)) {
        if (!one.points.empty() && read->point.time <= one.points.back().time) return false;
        one.points.push_back(read->point);
        continue;
      }
      ++points_without_number;
      if (first_text.empty()) first_text = read->text;
    }
    if (one.points.empty())
      ++series_without_number;
    else
      series.push_back(std::move(one));
    return true;
  }
};

bool take_series(const json& one, bool is_matrix, Reading& reading) {
  if (!one.is_object()) return false;
  std::vector<std::pair<std::string, std::string>> labels;
  if (const auto metric = one.find("metric"); metric != one.end() && metric->is_object()) {
    for (const auto& [name, value] : metric->items()) {
      if (!value.is_string()) return false;
      labels.emplace_back(name, value.get<std::string>());
    }
  }
  const auto found = one.find(is_matrix ? "values" : "value");
  if (found == one.end()) return false;
  if (!is_matrix) return reading.take(std::move(labels), &*found, 1);
  if (!found->is_array() || found->empty()) return false;
  return reading.take(std::move(labels), &found->front(), found->size());
}

Answer judge(Reading reading, std::vector<std::string> warnings, std::vector<std::string> notes) {
  const std::size_t all = reading.series.size() + reading.series_without_number;
  if (all > 0 && reading.series.empty()) return NotFinite{reading.first_text};
  if (reading.series_without_number > 0) {
    warnings.push_back(
        cat(reading.series_without_number, " of ", all, " series have no number but ", reading.first_text));
  }
  if (!warnings.empty()) return Partial{std::move(reading.series), std::nullopt, std::move(warnings)};
  if (all == 0) return Empty{};
  if (reading.points_without_number > 0) {
    notes.push_back(cat(reading.points_without_number, " of ", reading.points, " points are no number"));
  }
  return Values{std::move(reading.series), std::nullopt, std::move(notes)};
}

bool has_histogram(const json& result) {
  return std::ranges::any_of(result, [](const json& one) {
    return one.is_object() && (one.contains("histogram") || one.contains("histograms"));
  });
}

}  // namespace

Answer parse_answer(int status, std::string_view body) {
  const json answer = net::parse_json(body);
  if (text_at(answer, "status") == "error") return refusal(status, answer);
  if (status < 200 || status > 299) return http_failure(status, answer);
  if (text_at(answer, "status") != "success") return not_prometheus(status);
  const json& data = net::json_at(answer, "data");
  const std::string type = text_at(data, "resultType");
  if (type == "string") return failed(FailureKind::query, status, false, "answers with a string; must be numbers");
  const json& result = net::json_at(data, "result");
  if (!result.is_array()) return not_prometheus(status);
  if (has_histogram(result))
    return failed(FailureKind::query, status, false, "answers with native histograms; must be numbers");

  Reading reading;
  if (type == "scalar") {
    if (!reading.take({}, &result, 1)) return not_prometheus(status);
  } else if (type == "vector" || type == "matrix") {
    for (const json& one : result)
      if (!take_series(one, type == "matrix", reading)) return not_prometheus(status);
  } else {
    return not_prometheus(status);
  }
  return judge(std::move(reading), texts_of(answer, "warnings"), texts_of(answer, "infos"));
}

namespace {

struct OneNumber {
  std::string_view what;

  Result<double> operator()(const Values& values) const {
    if (values.series.size() != 1)
      return invalid(cat(what, ": answers with ", values.series.size(), " series; must be one number"));
    if (values.series[0].points.size() != 1)
      return invalid(cat(what, ": answers with ", values.series[0].points.size(), " points; must be one number"));
    return values.series[0].points[0].value;
  }
  Result<double> operator()(const Empty&) const { return missing("no data"); }
  Result<double> operator()(const NotFinite& answer) const { return missing(cat("is ", answer.text)); }
  Result<double> operator()(const Stale& answer) const {
    return missing(cat("the newest sample is ", format_duration(answer.age), " old"));
  }
  Result<double> operator()(const Partial& answer) const {
    return missing(cat("incomplete: ", join(answer.reasons, "; ")));
  }
  Result<double> operator()(const Failed& answer) const {
    return fail(answer.error.code, cat(what, ": ", answer.error.message));
  }

  std::unexpected<Error> missing(std::string_view why) const {
    return fail(ErrorCode::not_enough_data, cat(what, ": ", why));
  }
};

}  // namespace

Result<double> one_number(const Answer& answer, std::string_view what) { return std::visit(OneNumber{what}, answer); }

}  // namespace mpca::prom
