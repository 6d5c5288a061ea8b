#include "control/kube_transport.h"

#include "core/text.h"

namespace mpca::control {

Result<prom::Reply> KubeTransport::request(const prom::Request& request) {
  if (request.method != "GET")
    return fail(ErrorCode::unsupported, cat(request.method, " through the API server's service proxy"));
  auto body = client_.get(request.path);
  if (body) return prom::Reply{200, *std::move(body)};
  const kube::ApiError& error = body.error();
  if (error.status > 0) return prom::Reply{error.status, error.message};
  return fail(error.failure == kube::Failure::invalid ? ErrorCode::invalid_argument : ErrorCode::io, error.message);
}

}  // namespace mpca::control
