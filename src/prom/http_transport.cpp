#include "prom/http_transport.h"

namespace mpca::prom {

HttpTransport::HttpTransport(const std::string& origin, const net::HttpClientSettings& settings)
    : origin_(origin), client_(settings) {
  while (origin_.ends_with('/')) origin_.pop_back();
}

Result<Reply> HttpTransport::request(const Request& request) {
  auto reply = client_.send({.method = request.method,
                             .url = origin_ + request.path,
                             .body = request.body,
                             .content_type = request.content_type,
                             .headers = request.headers,
                             .timeout = request.time_limit});
  if (reply) return Reply{reply->status, std::move(reply->body)};
  const bool is_invalid = reply.error().kind == net::HttpFailure::Kind::invalid;
  return fail(is_invalid ? ErrorCode::invalid_argument : ErrorCode::io, std::move(reply.error().message));
}

}  // namespace mpca::prom
