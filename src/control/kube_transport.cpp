#include "control/kube_transport.h"

#include "core/text.h"

namespace mpca::control {

Result<prom::Reply> KubeTransport::request(const prom::Request& request) {
  if (request.method != "GET")
    return fail(ErrorCode::unsupported, cat(request.method, " through the API server's service proxy"));
  auto reply = client_.get_through(request.path, request.time_limit);
  if (reply) return prom::Reply{reply->status, std::move(reply->body)};
  const kube::ApiError& error = reply.error();
  return fail(error.failure == kube::Failure::invalid ? ErrorCode::invalid_argument : ErrorCode::io, error.message);
}

}  // namespace mpca::control
