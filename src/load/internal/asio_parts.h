// What event_loop.cpp and tls_stream.cpp share. The only header of the room with Asio in it; no other file includes it.
#pragma once

#include <netinet/in.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "load/internal/stream.h"

namespace mpca::load {

namespace asio = boost::asio;

struct EventLoop::Impl {
  // One thread and nothing from outside: without locks.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::executor_work_guard<asio::io_context::executor_type> stays{context.get_executor()};
  asio::steady_timer timer{context};
  Duration armed_until = Duration::max();  // what the timer is set to, max when it is not
  std::vector<char> large_buffer = std::vector<char>(1 << 16);

  void arm(Duration until);
};

// With the loop's own executor: the type-erased one of the usual alias costs an indirect call per event.
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

/// Opens the socket for `address`, non-blocking and without Nagle's delay.
boost::system::error_code open_socket(Socket& socket, const Address& address);

inline asio::generic::stream_protocol::endpoint endpoint_of(const Address& address) {
  return {&address.storage, address.size, address.storage.ss_family == AF_UNIX ? 0 : IPPROTO_TCP};
}

/// What a system error means for the request.
Failure failure_of(const boost::system::error_code& error);

}  // namespace mpca::load
