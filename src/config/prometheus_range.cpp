#include "config/prometheus_range.h"

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "core/text.h"
#include "net/json.h"

namespace mpca::config {
namespace {

using net::text_at;
using nlohmann::json;

std::optional<TimePoint> time_of(const json& number) {
  if (!number.is_number()) return std::nullopt;
  const double seconds = number.get<double>();
  if (!std::isfinite(seconds) || seconds < 0.0 || seconds >= 9.18e9) return std::nullopt;
  // Prometheus counts milliseconds; a double of seconds does not hold nanoseconds.
  return TimePoint(std::chrono::milliseconds(std::llround(seconds * 1e3)));
}

class Sums {
 public:
  Result<void> add_series(const json& series, std::size_t number) {
    const std::string where = cat("data.result[", number, "]");
    if (!series.is_object()) return invalid(cat(where, " must be an object"));
    const auto values = series.find("values");
    if (values == series.end() && series.contains("histograms")) {
      return fail(ErrorCode::unsupported, cat(where, " holds native histograms; query a rate instead"));
    }
    if (values == series.end() || !values->is_array()) return invalid(cat(where, ".values must be an array"));
    for (std::size_t i = 0; i < values->size(); ++i) {
      const json& pair = (*values)[i];
      const auto time = pair.is_array() && pair.size() == 2 ? time_of(pair[0]) : std::nullopt;
      const auto value =
          time && pair[1].is_string() ? parse_double(pair[1].get_ref<const std::string&>()) : std::nullopt;
      if (!value) return invalid(cat(where, ".values[", i, "] must be [seconds, \"number\"]"));
      if (std::isinf(*value)) return invalid(cat(where, ".values[", i, "] is infinite"));
      std::optional<double>& sum = sums_[*time];
      if (!std::isnan(*value)) sum = sum.value_or(0.0) + *value;
    }
    return {};
  }

  std::vector<trace::Sample> samples() const {
    std::vector<trace::Sample> all;
    all.reserve(sums_.size());
    for (const auto& [time, sum] : sums_) all.push_back({time, sum});
    return all;
  }

 private:
  std::map<TimePoint, std::optional<double>> sums_;
};

}  // namespace

Result<std::vector<trace::Sample>> parse_prometheus_range(std::string_view json_text) {
  const json answer = net::parse_json(json_text);
  if (answer.is_discarded()) return invalid("not valid JSON");
  if (!answer.is_object()) return invalid("must be the JSON object that Prometheus answers to a range query");
  const std::string status = text_at(answer, "status");
  if (status == "error") {
    return invalid(
        cat("Prometheus answered with an error: ", text_at(answer, "errorType"), ": ", text_at(answer, "error")));
  }
  if (status != "success") return invalid(cat("status is \"", status, "\"; must be success"));
  const json& data = net::json_at(answer, "data");
  if (!data.is_object()) return invalid("data must be an object");
  if (const std::string type = text_at(data, "resultType"); type != "matrix") {
    return invalid(cat("data.resultType is \"", type, "\"; must be matrix: use a range query (/api/v1/query_range)"));
  }
  const json& result = net::json_at(data, "result");
  if (!result.is_array()) return invalid("data.result must be an array");
  if (result.empty()) return fail(ErrorCode::not_enough_data, "the query matched no series");
  Sums sums;
  for (std::size_t i = 0; i < result.size(); ++i) MPCA_TRY_VOID(sums.add_series(result[i], i));
  return sums.samples();
}

}  // namespace mpca::config
