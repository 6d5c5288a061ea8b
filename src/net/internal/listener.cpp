#include "net/internal/listener.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/ip/v6_only.hpp>
#include <string>

#include "core/text.h"

namespace mpca::net::internal {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

// Longer than any burst that a pod meets between two turns of the loop; the kernel caps it at net.core.somaxconn.
constexpr int kBacklog = 4096;

Result<void> take_over(Acceptor& acceptor, int descriptor) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
    return invalid(cat("descriptor ", descriptor, " is not a listening socket"));
  error_code error;
  acceptor.assign(ip::tcp::v6(), descriptor, error);
  if (error) return fail(ErrorCode::io, cat("cannot take over descriptor ", descriptor, ": ", error.message()));
  return {};
}

Result<void> listen_on(Acceptor& acceptor, const std::string& host, int port) {
  if (port < 0 || port > 65535) return invalid(cat("port is ", port, "; must be 0 to 65535"));
  const bool any = host.empty();
  error_code error;
  const ip::address address = ip::make_address(any ? "::" : host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return invalid(cat("host is \"", host, "\"; must be an IPv4 or IPv6 address or localhost"));
  ip::tcp::endpoint endpoint(address, static_cast<ip::port_type>(port));
  acceptor.open(endpoint.protocol(), error);
  if (error && any) {  // a machine without IPv6
    endpoint.address(ip::address_v4::any());
    acceptor.open(endpoint.protocol(), error);
  }
  if (error) return fail(ErrorCode::io, cat("cannot make a socket: ", error.message()));
  acceptor.set_option(Acceptor::reuse_address(true), error);
  if (endpoint.protocol() == ip::tcp::v6()) acceptor.set_option(ip::v6_only(!any), error);
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (!error) return {};
  return fail(ErrorCode::io,
              cat("cannot listen on ", any ? "port " : cat(host, " port "), port, ": ", error.message()));
}

}  // namespace

Result<int> open_listener(Acceptor& acceptor, const HttpServerSettings& settings) {
  if (settings.inherited_listener >= 0)
    MPCA_TRY_VOID(take_over(acceptor, settings.inherited_listener));
  else
    MPCA_TRY_VOID(listen_on(acceptor, settings.host, settings.port));
  fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  error_code ignored;
  acceptor.non_blocking(true, ignored);
  // Connections inherit it: answers are written whole, so waiting for more to send only delays them.
  acceptor.set_option(ip::tcp::no_delay(true), ignored);
  const ip::tcp::endpoint bound = acceptor.local_endpoint(ignored);
  return bound.port();
}

}  // namespace mpca::net::internal
