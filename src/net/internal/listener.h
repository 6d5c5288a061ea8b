// A listening TCP socket: opened, or taken over from the process that started us.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/result.h"
#include "net/http_server.h"

namespace mpca::net::internal {

// With the loop's own executor: the type-erased one of the usual aliases costs an indirect call per event.
using Executor = boost::asio::io_context::executor_type;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

/// Makes `acceptor` listen, non-blocking; errors as of HttpServer::create().
///   returns  the port
Result<int> open_listener(Acceptor& acceptor, const HttpServerSettings& settings);

}  // namespace mpca::net::internal
