#include "net/http_server.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "core/os/real_clock.h"
#include "net/internal/http_session.h"
#include "net/internal/listener.h"
#include "net/internal/timer_queue.h"

namespace mpca::net {
namespace {

using internal::HttpOutput;
using internal::HttpSession;

constexpr Duration kNever = Duration::max();
constexpr std::size_t kReadBytes = std::size_t{64} << 10;
// Of requests that came before their turn; then we stop reading.
constexpr std::size_t kMaxKeptBytes = std::size_t{64} << 10;
constexpr std::size_t kFillBytes = std::size_t{64} << 10;
// How long a closed connection is read on, so that what the client still sends does not make its kernel throw away our
// last answer (RFC 9112, 9.6).
constexpr Duration kLingering = std::chrono::milliseconds(500);
// Without a free descriptor the listener would wake us for ever.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
constexpr int kAcceptsPerTurn = 64;

enum class Phase { fresh, idle, head, body, working, writing, lingering };

}  // namespace

struct HttpServer::Connection final : HttpSession::Requests {
  Connection(Impl& the_server, const internal::HeadLimits& limits) : server(&the_server), session(limits) {}
  void on_request(const HttpRequest& request) override;

  Impl* server;
  int descriptor = -1;  // -1: closed, waits to be used again
  std::uint32_t watched = 0;
  Phase phase = Phase::fresh;
  bool is_busy = false;
  bool is_served = false;  // its session hands over requests: answers are collected, not sent one by one
  Duration deadline{};
  Duration timer_at = kNever;
  internal::TimerQueue::Id timer = 0;
  std::uint64_t request = 0;  // the one in work; 0: none
  std::uint64_t requests_before = 0;
  HttpSession session;
  HttpOutput output;
  std::function<void()> on_gone;
};

struct HttpServer::Impl {
  Impl(const HttpServerSettings& the_settings, Handler the_handler, internal::Listener the_listener)
      : settings(the_settings), handler(std::move(the_handler)), listener(the_listener) {}
  ~Impl();

  Result<void> open_loop();
  int run();
  void turn(int timeout_ms);
  void arm_timer();
  void accept_some();
  void pause_accepting();
  void run_posted();
  void close_listener();
  Duration head_timeout() const { return std::min(settings.read_header_timeout, settings.read_timeout); }
  bool may_end() const { return stopped || (draining && (busy == 0 && quiet_turns > 0)); }

  void on_events(Connection& connection, std::uint32_t events);
  void read(Connection& connection, bool to_the_end);
  void serve(Connection& connection, std::string_view received);
  bool send_output(Connection& connection);
  void lend(Connection& connection) {
    if (connection.output.bytes.capacity() < spare.capacity() && connection.output.empty()) {
      std::swap(connection.output.bytes, spare);
    }
  }
  void set_phase(Connection& connection, Phase phase);
  void watch(Connection& connection, std::uint32_t events);
  void arm(Connection& connection);
  void on_timer(Connection& connection);
  void linger_or_close(Connection& connection);
  void close_connection(Connection& connection);
  bool answer(Connection& connection, std::uint64_t request, const HttpAnswer& answer);
  std::string_view date();

  HttpServerSettings settings;
  Handler handler;
  internal::Listener listener;
  int epoll = -1;
  int wake = -1;
  int timerfd = -1;
  Duration timerfd_at = kNever;
  Duration now = os::monotonic_now();
  internal::TimerQueue timers;

  std::vector<std::unique_ptr<Connection>> connections;  // kept for ever: a Responder may outlive its client
  std::vector<Connection*> free_connections;
  std::vector<Connection*> closed_this_turn;  // events for them may still be in the batch
  int open = 0;
  int busy = 0;
  int quiet_turns = 0;
  bool draining = false;
  bool stopped = false;
  std::uint64_t last_request = 0;

  std::vector<char> read_buffer = std::vector<char>(kReadBytes);
  std::string spare;  // lent to the connection that is dealt with: idle ones hold no buffer
  std::string fill;
  std::string date_text;
  std::time_t date_of = 0;

  std::mutex posted_mutex;
  std::vector<std::function<void()>> posted;  // under posted_mutex
};

// ---- the loop ----

Result<void> HttpServer::Impl::open_loop() {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll < 0 || wake < 0 || timerfd < 0)
    return fail(ErrorCode::io, "cannot make an event loop: no free descriptors");
  // Whose event it is: our own three are known by the address of their descriptor.
  for (int* own : {&listener.descriptor, &wake, &timerfd}) {
    epoll_event event{};
    // Edge-triggered where nobody reads: a timer set anew, a counter that only has to wake.
    event.events = own == &listener.descriptor ? EPOLLIN : EPOLLIN | EPOLLET;
    event.data.ptr = own;
    epoll_ctl(epoll, EPOLL_CTL_ADD, *own, &event);
  }
  return {};
}

HttpServer::Impl::~Impl() {
  for (const auto& connection : connections) {
    if (connection->descriptor >= 0) ::close(connection->descriptor);
  }
  for (const int descriptor : {listener.descriptor, epoll, wake, timerfd}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

int HttpServer::Impl::run() {
  stopped = false;
  while (!may_end()) turn(draining && busy == 0 ? 0 : -1);
  // What was accepted by the kernel or sent in the last moment was looked for by the quiet turn.
  int cut_off = 0;
  for (const auto& connection : connections) {
    if (connection->descriptor < 0) continue;
    if (connection->session.is_working()) ++cut_off;
    close_connection(*connection);
  }
  return cut_off;
}

void HttpServer::Impl::turn(int timeout_ms) {
  arm_timer();
  std::array<epoll_event, 128> events;
  const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout_ms);
  now = os::monotonic_now();
  quiet_turns = count == 0 ? quiet_turns + 1 : 0;
  for (int i = 0; i < count; ++i) {
    void* const whose = events[static_cast<std::size_t>(i)].data.ptr;
    if (whose == &listener.descriptor)
      accept_some();
    else if (whose == &timerfd)
      timerfd_at = kNever;
    else if (whose != &wake)
      on_events(*static_cast<Connection*>(whose), events[static_cast<std::size_t>(i)].events);
  }
  run_posted();
  timers.run_due(now);
  free_connections.insert(free_connections.end(), closed_this_turn.begin(), closed_this_turn.end());
  closed_this_turn.clear();
}

void HttpServer::Impl::arm_timer() {
  const auto next = timers.next();
  if (!next || *next >= timerfd_at) return;
  // A zero would disarm it.
  const Duration at = std::max(*next, Duration(1));
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<std::time_t>(at.count() / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(at.count() % 1'000'000'000);
  timerfd_settime(timerfd, TFD_TIMER_ABSTIME, &spec, nullptr);
  timerfd_at = *next;
}

void HttpServer::Impl::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex);
    tasks.swap(posted);
  }
  for (const auto& task : tasks) task();
}

void HttpServer::Impl::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn && listener.descriptor >= 0; ++i) {
    const int descriptor = accept4(listener.descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    if (free_connections.empty()) {
      connections.push_back(std::make_unique<Connection>(
          *this,
          internal::HeadLimits{.max_bytes = settings.max_header_bytes, .max_fields = settings.max_header_fields}));
      free_connections.push_back(connections.back().get());
    }
    Connection& connection = *free_connections.back();
    free_connections.pop_back();
    connection.descriptor = descriptor;
    connection.watched = EPOLLIN | EPOLLRDHUP;
    epoll_event event{};
    event.events = connection.watched;
    event.data.ptr = &connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    ++open;
    connection.phase = Phase::fresh;
    connection.deadline = now + head_timeout();
    arm(connection);
  }
}

void HttpServer::Impl::pause_accepting() {
  epoll_event event{};
  event.data.ptr = &listener.descriptor;
  epoll_ctl(epoll, EPOLL_CTL_MOD, listener.descriptor, &event);
  timers.add(now + kAcceptPause, [this] {
    if (listener.descriptor < 0) return;
    epoll_event again{};
    again.events = EPOLLIN;
    again.data.ptr = &listener.descriptor;
    epoll_ctl(epoll, EPOLL_CTL_MOD, listener.descriptor, &again);
  });
}

void HttpServer::Impl::close_listener() {
  if (listener.descriptor < 0) return;
  accept_some();  // they have shaken hands already and would be reset
  ::close(listener.descriptor);
  listener.descriptor = -1;
}

std::string_view HttpServer::Impl::date() {
  const auto second = static_cast<std::time_t>(seconds_since_epoch(os::RealClock().now()));
  if (second != date_of) {
    date_of = second;
    std::tm utc{};
    gmtime_r(&second, &utc);
    char text[40];
    date_text.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
  }
  return date_text;
}

// ---- one connection ----

void HttpServer::Impl::on_events(Connection& connection, std::uint32_t events) {
  if (connection.descriptor < 0) return;  // closed earlier in this batch
  const bool has_gone = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (has_gone || ((events & EPOLLRDHUP) != 0 && connection.session.is_working())) {
    close_connection(connection);
  } else if ((events & EPOLLOUT) != 0) {
    serve(connection, {});
  } else {
    read(connection, (events & EPOLLRDHUP) != 0);
  }
}

void HttpServer::Impl::read(Connection& connection, bool to_the_end) {
  do {
    const ssize_t count = recv(connection.descriptor, read_buffer.data(), read_buffer.size(), 0);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) close_connection(connection);
      return;
    }
    if (connection.phase == Phase::lingering) {
      if (count == 0) close_connection(connection);
      return;
    }
    if (count == 0) {
      // What it sent before is answered; nothing is left to answer here.
      close_connection(connection);
      return;
    }
    serve(connection, {read_buffer.data(), static_cast<std::size_t>(count)});
  } while (to_the_end && connection.descriptor >= 0 && connection.output.empty() && !connection.session.is_working() &&
           connection.phase != Phase::lingering);
}

/// Everything that a connection can do now: takes what was received, hands over requests, sends answers; then watches
/// for what has to come next.
void HttpServer::Impl::serve(Connection& connection, std::string_view received) {
  HttpSession& session = connection.session;
  lend(connection);
  connection.requests_before = session.requests();
  if (!received.empty()) {
    connection.is_served = true;
    session.receive(received, connection, connection.output);
    connection.is_served = false;
  }
  while (true) {
    if (!send_output(connection)) {
      if (connection.descriptor < 0) return;
      set_phase(connection, Phase::writing);
      watch(connection, session.is_working() ? EPOLLOUT | EPOLLRDHUP : EPOLLOUT);
      return;
    }
    // Requests that had to wait for an answer or for room in the output.
    if (session.is_working() || session.is_closing() || !session.has_kept_bytes()) break;
    connection.is_served = true;
    session.resume(connection, connection.output);
    connection.is_served = false;
    if (connection.output.empty()) break;
  }
  if (connection.output.bytes.capacity() > spare.capacity()) std::swap(connection.output.bytes, spare);
  if (session.is_working()) {
    set_phase(connection, Phase::working);
    watch(connection, session.kept_bytes() < kMaxKeptBytes ? EPOLLIN | EPOLLRDHUP : EPOLLRDHUP);
    return;
  }
  if (session.is_closing()) {
    linger_or_close(connection);
    return;
  }
  set_phase(connection, session.is_in_body() ? Phase::body : session.has_kept_bytes() ? Phase::head : Phase::idle);
  watch(connection, EPOLLIN | EPOLLRDHUP);
}

/// False when something is left to send, or the connection is closed now.
bool HttpServer::Impl::send_output(Connection& connection) {
  HttpOutput& out = connection.output;
  while (!out.empty()) {
    ssize_t sent = 0;
    if (out.fill == 0) {
      sent = send(connection.descriptor, out.bytes.data(), out.bytes.size(), MSG_NOSIGNAL);
    } else {
      if (fill.empty()) fill.assign(kFillBytes, 'a');
      std::array<iovec, 2> parts = {iovec{out.bytes.data(), out.bytes.size()},
                                    iovec{fill.data(), std::min(out.fill, fill.size())}};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      sent = sendmsg(connection.descriptor, &message, MSG_NOSIGNAL);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) close_connection(connection);
      return false;
    }
    const auto taken = static_cast<std::size_t>(sent);
    if (taken >= out.bytes.size()) {
      out.fill -= taken - out.bytes.size();
      out.bytes.clear();
    } else {
      out.bytes.erase(0, taken);
    }
  }
  return true;
}

void HttpServer::Impl::set_phase(Connection& connection, Phase phase) {
  const Phase before = std::exchange(connection.phase, phase);
  const bool is_new = phase != before || connection.session.requests() != connection.requests_before;
  switch (phase) {
    case Phase::fresh:
      break;
    case Phase::idle:
      connection.deadline = now + settings.idle_timeout;
      break;
    case Phase::head:
      // The first head is due from the accept on, so a connection that never says anything useful lasts no longer.
      if (is_new && before != Phase::fresh) connection.deadline = now + head_timeout();
      break;
    case Phase::body:
      if (is_new) connection.deadline = now + settings.read_timeout;
      break;
    case Phase::working:
      connection.deadline = kNever;
      break;
    case Phase::writing:
      if (is_new) connection.deadline = now + settings.write_timeout;
      break;
    case Phase::lingering:
      connection.deadline = now + kLingering;
      break;
  }
  const bool is_busy = phase != Phase::fresh && phase != Phase::idle && phase != Phase::lingering;
  if (is_busy != connection.is_busy) {
    connection.is_busy = is_busy;
    busy += is_busy ? 1 : -1;
  }
  if (connection.deadline < connection.timer_at) arm(connection);
}

void HttpServer::Impl::watch(Connection& connection, std::uint32_t events) {
  if (connection.watched == events) return;
  connection.watched = events;
  epoll_event event{};
  event.events = events;
  event.data.ptr = &connection;
  epoll_ctl(epoll, EPOLL_CTL_MOD, connection.descriptor, &event);
}

/// One timer per connection, which is moved when its deadline comes nearer and looks again when it was put off: a
/// request on an idle connection costs no timer.
void HttpServer::Impl::arm(Connection& connection) {
  if (connection.timer != 0) timers.cancel(connection.timer);
  connection.timer_at = connection.deadline;
  connection.timer = timers.add(connection.deadline, [&connection] {
    connection.timer = 0;
    connection.timer_at = kNever;
    connection.server->on_timer(connection);
  });
}

void HttpServer::Impl::on_timer(Connection& connection) {
  if (connection.deadline == kNever) return;
  if (connection.deadline > now) {
    arm(connection);
    return;
  }
  if (connection.phase == Phase::head) {
    connection.session.reject(408, "the request head did not come in time", connection.output);
    serve(connection, {});
    return;
  }
  close_connection(connection);
}

void HttpServer::Impl::linger_or_close(Connection& connection) {
  if (!connection.session.has_unread()) {
    close_connection(connection);
    return;
  }
  shutdown(connection.descriptor, SHUT_WR);
  set_phase(connection, Phase::lingering);
  watch(connection, EPOLLIN | EPOLLRDHUP);
}

void HttpServer::Impl::close_connection(Connection& connection) {
  ::close(connection.descriptor);
  connection.descriptor = -1;
  --open;
  if (connection.is_busy) --busy;
  connection.is_busy = false;
  connection.request = 0;
  if (connection.timer != 0) timers.cancel(connection.timer);
  connection.timer = 0;
  connection.timer_at = kNever;
  connection.session.reset();
  connection.output.bytes.clear();
  connection.output.fill = 0;
  if (connection.output.bytes.capacity() > spare.capacity()) std::swap(connection.output.bytes, spare);
  if (connection.output.bytes.capacity() > kReadBytes) connection.output.bytes.shrink_to_fit();
  closed_this_turn.push_back(&connection);
  if (const auto gone = std::exchange(connection.on_gone, nullptr)) gone();
}

// ---- requests and answers ----

void HttpServer::Connection::on_request(const HttpRequest& the_request) {
  request = ++server->last_request;
  Responder responder;
  responder.connection_ = this;
  responder.request_ = request;
  server->handler(the_request, responder);
}

bool HttpServer::Impl::answer(Connection& connection, std::uint64_t request, const HttpAnswer& answer) {
  if (connection.request != request) return false;
  connection.request = 0;
  connection.on_gone = nullptr;
  if (!connection.is_served) lend(connection);
  connection.session.answer(answer, date(), draining, connection.output);
  if (!connection.is_served) serve(connection, {});
  return true;
}

bool Responder::answer(const HttpAnswer& answer) const {
  auto* const connection = static_cast<HttpServer::Connection*>(connection_);
  return connection->server->answer(*connection, request_, answer);
}

void Responder::on_gone(std::function<void()> callback) const {
  auto* const connection = static_cast<HttpServer::Connection*>(connection_);
  if (connection->request == request_) connection->on_gone = std::move(callback);
}

// ---- the outside ----

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer& HttpServer::operator=(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

Result<HttpServer> HttpServer::create(const HttpServerSettings& settings, Handler handler) {
  MPCA_TRY(const internal::Listener listener, internal::open_listener(settings));
  auto impl = std::make_unique<Impl>(settings, std::move(handler), listener);
  MPCA_TRY_VOID(impl->open_loop());
  return HttpServer(std::move(impl));
}

int HttpServer::port() const { return impl_->listener.port; }
int HttpServer::run() { return impl_->run(); }
int HttpServer::open_connections() const { return impl_->open; }
void HttpServer::stop() { impl_->stopped = true; }

void HttpServer::post(std::function<void()> task) {
  {
    const std::lock_guard lock(impl_->posted_mutex);
    impl_->posted.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(impl_->wake, &one, sizeof one);
}

void HttpServer::drain(Duration limit) {
  if (impl_->draining) return;
  impl_->close_listener();
  impl_->draining = true;
  impl_->quiet_turns = 0;
  impl_->timers.add(os::monotonic_now() + limit, [impl = impl_.get()] { impl->stopped = true; });
}

HttpServer::TimerId HttpServer::call_at(Duration time, std::function<void()> task) {
  const TimerId id = impl_->timers.add(time, std::move(task));
  return id;
}

bool HttpServer::cancel(TimerId timer) { return impl_->timers.cancel(timer); }

}  // namespace mpca::net
