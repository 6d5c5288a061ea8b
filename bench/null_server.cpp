// The cheapest HTTP server there can be, so that a load generator is what a measurement finds: one thread, epoll, a
// fixed answer to every `\r\n\r\n`. Prints its port. Only for benchmarks: it understands nothing of HTTP.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

int main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends with the benchmark, however that ends
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0) return 1;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);

  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
  const int poll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  epoll_event events[256];
  while (true) {
    const int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      const int client = events[i].data.fd;
      if (client == listener) {
        const int accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (accepted < 0) continue;
        const int on = 1;
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event added{.events = EPOLLIN, .data = {.fd = accepted}};
        epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &added);
        continue;
      }
      char buffer[8192];
      const ssize_t got = recv(client, buffer, sizeof buffer, 0);
      if (got <= 0) {
        close(client);
        continue;
      }
      std::string_view rest(buffer, static_cast<std::size_t>(got));
      for (std::size_t end = rest.find("\r\n\r\n"); end != rest.npos; end = rest.find("\r\n\r\n")) {
        send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
        rest.remove_prefix(end + 4);
      }
    }
  }
}
