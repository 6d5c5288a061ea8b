#include "net/internal/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/text.h"

namespace mpca::net::internal {
namespace {

// Longer than any burst that a pod meets between two turns of the loop; the kernel caps it at net.core.somaxconn.
constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_INET;
};

Result<Address> address_of(const std::string& host, int port) {
  Address address;
  const std::string name = host == "localhost" ? "127.0.0.1" : host;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, name.c_str(), &v4.sin_addr) == 1) {
    address.size = sizeof v4;
    std::memcpy(&address.storage, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, name.c_str(), &v6.sin6_addr) == 1) {
    address.family = AF_INET6;
    address.size = sizeof v6;
    std::memcpy(&address.storage, &v6, sizeof v6);
  } else {
    return invalid(cat("host is \"", host, "\"; must be an IPv4 or IPv6 address or localhost"));
  }
  return address;
}

Result<int> port_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail(ErrorCode::io, cat("getsockname: ", std::strerror(errno)));
  }
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  return 0;
}

Result<Listener> take_over(int descriptor) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return invalid(cat("descriptor ", descriptor, " is not a listening socket"));
  }
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  MPCA_TRY(const int port, port_of(descriptor));
  return Listener{descriptor, port};
}

}  // namespace

Result<Listener> open_listener(const HttpServerSettings& settings) {
  const int on = 1, off = 0;
  Result<Listener> listener = Listener{};
  if (settings.inherited_listener >= 0) {
    listener = take_over(settings.inherited_listener);
  } else {
    if (settings.port < 0 || settings.port > 65535)
      return invalid(cat("port is ", settings.port, "; must be 0 to 65535"));
    const bool any = settings.host.empty();
    MPCA_TRY(Address address, address_of(any ? "::" : settings.host, settings.port));
    int descriptor = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 && any) {  // a machine without IPv6
      MPCA_TRY(address, address_of("0.0.0.0", settings.port));
      descriptor = socket(address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (descriptor < 0) return fail(ErrorCode::io, cat("cannot make a socket: ", std::strerror(errno)));
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, any ? &off : &on, sizeof on);
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
        listen(descriptor, kBacklog) != 0) {
      const std::string reason = std::strerror(errno);
      close(descriptor);
      return fail(ErrorCode::io,
                  cat("cannot listen on ", any ? "port " : cat(settings.host, " port "), settings.port, ": ", reason));
    }
    const Result<int> port = port_of(descriptor);
    listener = Listener{descriptor, port.value_or(settings.port)};
  }
  // Connections inherit it: answers are written whole, so waiting for more to send only delays them.
  if (listener) setsockopt(listener->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return listener;
}

}  // namespace mpca::net::internal
