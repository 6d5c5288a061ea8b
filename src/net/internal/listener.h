// A listening TCP socket: opened, or taken over from the process that started us.
#pragma once

#include "core/result.h"
#include "net/http_server.h"

namespace mpca::net::internal {

struct Listener {
  int descriptor = -1;  // non-blocking; the caller closes it
  int port = 0;
};

/// As HttpServer::create() says.
Result<Listener> open_listener(const HttpServerSettings& settings);

}  // namespace mpca::net::internal
