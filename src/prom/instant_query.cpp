#include "prom/instant_query.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace mpca::prom {
namespace {

using nlohmann::json;

/// RFC 3986: what is not unreserved becomes %XX.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::unexpected<Error> not_prometheus(std::string_view base_url, int status) {
  return fail(ErrorCode::io, cat(base_url, ": the answer (status ", status, ") is not that of a Prometheus query API"));
}

/// The query's fault, or the server's.
std::unexpected<Error> refusal(std::string_view base_url, std::string_view promql, const json& answer) {
  const std::string type = text_of(answer, "errorType");
  const bool by_query = type == "bad_data" || type == "execution";
  return fail(by_query ? ErrorCode::invalid_argument : ErrorCode::io,
              cat(base_url, ": query ", promql, ": ", type, ": ", text_of(answer, "error")));
}

/// The [time, "value"] pair of a one-valued answer; nullptr when the answer has another shape.
const json* value_pair(const json& result, std::string_view type) {
  const json* pair = &result;
  if (type == "vector") {
    const auto value = result.front().find("value");
    if (value == result.front().end()) return nullptr;
    pair = &*value;
  }
  return pair->is_array() && pair->size() == 2 && (*pair)[1].is_string() ? pair : nullptr;
}

}  // namespace

Result<double> instant_query(net::HttpClient& client, const std::string& base_url, std::string_view promql) {
  std::string_view base = base_url;
  while (base.ends_with('/')) base.remove_suffix(1);
  MPCA_TRY(const net::HttpReply reply, client.get(cat(base, "/api/v1/query?query=", percent_encoded(promql))));
  const json answer = json::parse(reply.body, nullptr, false);
  if (!answer.is_object()) return not_prometheus(base, reply.status);
  const std::string status = text_of(answer, "status");
  if (status == "error") return refusal(base, promql, answer);
  const auto data = answer.find("data");
  if (status != "success" || data == answer.end() || !data->is_object()) return not_prometheus(base, reply.status);
  const std::string type = text_of(*data, "resultType");
  const auto result = data->find("result");
  if (type == "matrix" || type == "string")
    return invalid(cat(base, ": query ", promql, ": answers with a ", type, "; must be one number"));
  if (result == data->end() || !result->is_array() || (type != "vector" && type != "scalar"))
    return not_prometheus(base, reply.status);
  if (type == "vector") {
    if (result->empty()) return fail(ErrorCode::not_enough_data, cat(base, ": query ", promql, ": no data"));
    if (result->size() > 1)
      return invalid(cat(base, ": query ", promql, ": answers with ", result->size(), " series; must be one number"));
    if (!result->front().is_object()) return not_prometheus(base, reply.status);
  }
  const json* pair = value_pair(*result, type);
  if (pair == nullptr) return not_prometheus(base, reply.status);
  const std::string text = (*pair)[1].get<std::string>();
  const auto value = parse_double(text);
  if (!value) return not_prometheus(base, reply.status);
  if (!std::isfinite(*value)) return fail(ErrorCode::not_enough_data, cat(base, ": query ", promql, ": is ", text));
  return *value;
}

std::string escape_label_value(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
    } else {
      if (c == '\\' || c == '"') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace mpca::prom
