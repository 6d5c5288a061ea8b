#include "prom/http_transport.h"

#include "core/text.h"

namespace mpca::prom {

HttpTransport::HttpTransport(const std::string& origin, const net::HttpClientSettings& settings)
    : origin_(origin), client_(settings) {
  while (origin_.ends_with('/')) origin_.pop_back();
}

Result<Reply> HttpTransport::request(const Request& request) {
  if (request.method != "GET" || !request.headers.empty())
    return fail(ErrorCode::unsupported, cat(origin_, ": only GET without headers"));
  MPCA_TRY(net::HttpReply reply, client_.get(origin_ + request.path));
  return Reply{reply.status, std::move(reply.body)};
}

}  // namespace mpca::prom
