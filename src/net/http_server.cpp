#include "net/http_server.h"

#include <fcntl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <ctime>
#include <utility>
#include <vector>

#include "core/os/real_clock.h"
#include "core/text.h"
#include "net/internal/http_session.h"
#include "net/internal/listener.h"
#include "net/internal/timer_queue.h"

namespace mpca::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using internal::Executor;
using internal::HttpOutput;
using internal::HttpSession;
using internal::Socket;

constexpr Duration kNever = Duration::max();
// Asio reads ahead of being asked, so every connection has a buffer of its own; an idle one costs this much.
constexpr std::size_t kReadBytes = std::size_t{2} << 10;
// Of requests that came before their turn; then we stop reading.
constexpr std::size_t kMaxKeptBytes = std::size_t{64} << 10;
constexpr std::size_t kKeptCapacityBytes = std::size_t{64} << 10;
constexpr std::size_t kFillBytes = std::size_t{64} << 10;
// How long a closed connection is read on, so that what the client still sends does not make its kernel throw away our
// last answer (RFC 9112, 9.6).
constexpr Duration kLingering = std::chrono::milliseconds(500);
// Without a free descriptor accepting would fail for ever.
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

enum class Phase { fresh, idle, head, body, working, writing, lingering };

}  // namespace

struct HttpServer::Connection final : HttpSession::Requests {
  Connection(Impl& the_server, asio::io_context& context, const internal::HeadLimits& limits)
      : server(&the_server), socket(context), session(limits) {}
  void on_request(const HttpRequest& request) override;

  Impl* server;
  Socket socket;
  bool is_open = false;  // false: closed, waits to be used again
  bool is_reading = false;
  bool is_waiting_to_write = false;
  bool has_ended = false;  // the client sends nothing more
  int under_way = 0;       // handlers that will still be called
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
  std::array<char, kReadBytes> received;
};

struct HttpServer::Impl {
  Impl(const HttpServerSettings& the_settings, Handler the_handler)
      : settings(the_settings), handler(std::move(the_handler)) {}

  Result<void> open();
  int run();
  void serve_until_stopped();
  void stop() {
    stopped = true;
    context.stop();
  }
  void accept();
  void accept_what_waits();
  Connection& unused_connection();
  void begin(Connection& connection);
  void close_listener();
  internal::TimerQueue::Id add_timer(Duration time, std::function<void()> task);
  void arm_clock();
  void look_at_the_clock() { now = os::monotonic_now(); }
  Duration head_timeout() const { return std::min(settings.read_header_timeout, settings.read_timeout); }

  void read(Connection& connection);
  void on_read(Connection& connection, const error_code& error, std::size_t size);
  void on_writable(Connection& connection);
  void serve(Connection& connection, std::string_view received);
  bool send_output(Connection& connection);
  void lend(Connection& connection) {
    if (connection.output.bytes.capacity() < spare.capacity() && connection.output.empty()) {
      std::swap(connection.output.bytes, spare);
    }
  }
  void set_phase(Connection& connection, Phase phase);
  void arm(Connection& connection);
  void on_timer(Connection& connection);
  void linger_or_close(Connection& connection);
  void close_connection(Connection& connection);
  /// One handler less is under way. A closed connection is used again only when none is.
  void settle(Connection& connection) {
    if (--connection.under_way == 0 && !connection.is_open) free_connections.push_back(&connection);
  }
  bool answer(Connection& connection, std::uint64_t request, const HttpAnswer& answer);
  std::string_view date();

  HttpServerSettings settings;
  Handler handler;
  int port = 0;

  // One thread serves; the scheduler keeps its lock because others may post.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<Executor> stays{context.get_executor()};
  internal::Acceptor acceptor{context};
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> clock{
      context};
  Duration clock_at = kNever;
  Duration now = os::monotonic_now();
  internal::TimerQueue timers;

  std::vector<std::unique_ptr<Connection>> connections;  // kept for ever: a Responder may outlive its client
  std::vector<Connection*> free_connections;
  int open_connections = 0;
  int busy = 0;
  bool draining = false;
  bool stopped = false;
  std::uint64_t last_request = 0;

  std::string spare;  // lent to the connection that is dealt with: idle ones hold no buffer for answers
  std::string fill;
  std::string date_text;
  std::time_t date_of = 0;
};

// ---- the loop ----

Result<void> HttpServer::Impl::open() {
  MPCA_TRY(port, internal::open_listener(acceptor, settings));
  accept();
  return {};
}

int HttpServer::Impl::run() {
  stopped = false;
  look_at_the_clock();
  serve_until_stopped();
  int cut_off = 0;
  for (const auto& connection : connections) {
    if (!connection->is_open) continue;
    if (connection->session.is_working()) ++cut_off;
    close_connection(*connection);
  }
  return cut_off;
}

void HttpServer::Impl::serve_until_stopped() {
  while (!stopped) {
    context.restart();
    if (!draining)
      context.run();  // until stop() or drain()
    else if (busy > 0)
      context.run_one();
    else if (context.poll() == 0)
      return;  // a quiet turn: nothing more was accepted by the kernel or sent in the last moment
  }
}

internal::TimerQueue::Id HttpServer::Impl::add_timer(Duration time, std::function<void()> task) {
  const internal::TimerQueue::Id id = timers.add(time, std::move(task));
  arm_clock();
  return id;
}

/// One timer of Asio for the whole queue, which is moved only when something is due earlier.
void HttpServer::Impl::arm_clock() {
  const auto next = timers.next();
  if (!next || *next >= clock_at) return;
  clock_at = *next;
  clock.expires_at(std::chrono::steady_clock::time_point(*next));
  clock.async_wait([this](const error_code& error) {
    if (error) return;
    look_at_the_clock();
    clock_at = Duration::min();  // no arming one by one
    timers.run_due(now);
    clock_at = kNever;
    arm_clock();
  });
}

void HttpServer::Impl::accept() {
  if (!acceptor.is_open()) return;
  Connection& connection = unused_connection();
  ++connection.under_way;
  acceptor.async_accept(connection.socket, [this, &connection](const error_code& error) {
    look_at_the_clock();
    if (!error) begin(connection);
    settle(connection);
    if (error == asio::error::operation_aborted) return;
    const bool is_short = error && error != asio::error::connection_aborted;
    if (is_short)
      add_timer(now + kAcceptPause, [this] { accept(); });
    else
      accept();
  });
}

HttpServer::Connection& HttpServer::Impl::unused_connection() {
  if (free_connections.empty()) {
    connections.push_back(std::make_unique<Connection>(
        *this, context,
        internal::HeadLimits{.max_bytes = settings.max_header_bytes, .max_fields = settings.max_header_fields}));
    free_connections.push_back(connections.back().get());
  }
  Connection& connection = *free_connections.back();
  free_connections.pop_back();
  return connection;
}

void HttpServer::Impl::begin(Connection& connection) {
  error_code ignored;
  connection.socket.non_blocking(true, ignored);
  fcntl(connection.socket.native_handle(), F_SETFD, FD_CLOEXEC);
  connection.is_open = true;
  connection.has_ended = false;
  ++open_connections;
  connection.phase = Phase::fresh;
  connection.deadline = now + head_timeout();
  arm(connection);
  read(connection);
}

void HttpServer::Impl::close_listener() {
  if (!acceptor.is_open()) return;
  accept_what_waits();
  error_code ignored;
  acceptor.close(ignored);
}

/// They have shaken hands already and would be reset.
void HttpServer::Impl::accept_what_waits() {
  while (true) {
    Connection& connection = unused_connection();
    ++connection.under_way;
    error_code error;
    acceptor.accept(connection.socket, error);
    if (!error) begin(connection);
    settle(connection);
    if (error && error != asio::error::connection_aborted) return;
  }
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

void HttpServer::Impl::read(Connection& connection) {
  if (connection.is_reading || connection.has_ended) return;
  connection.is_reading = true;
  ++connection.under_way;
  connection.socket.async_read_some(asio::buffer(connection.received),
                                    [this, &connection](const error_code& error, std::size_t size) {
                                      connection.is_reading = false;
                                      if (connection.is_open) on_read(connection, error, size);
                                      settle(connection);
                                    });
}

void HttpServer::Impl::on_read(Connection& connection, const error_code& error, std::size_t size) {
  look_at_the_clock();
  connection.has_ended = error == asio::error::eof;
  if (connection.has_ended && connection.phase == Phase::writing && !connection.session.is_working()) return;
  if (error) {
    // What it sent before is answered; nothing is left to answer here.
    close_connection(connection);
  } else if (connection.phase == Phase::lingering) {
    read(connection);
  } else {
    serve(connection, {connection.received.data(), size});
  }
}

void HttpServer::Impl::on_writable(Connection& connection) {
  look_at_the_clock();
  serve(connection, {});
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
      if (!connection.is_open) return;
      set_phase(connection, Phase::writing);
      if (session.is_working() && session.kept_bytes() < kMaxKeptBytes) read(connection);  // hears the client go
      if (connection.is_waiting_to_write) return;
      connection.is_waiting_to_write = true;
      ++connection.under_way;
      connection.socket.async_wait(Socket::wait_write, [this, &connection](const error_code&) {
        connection.is_waiting_to_write = false;
        if (connection.is_open) on_writable(connection);
        settle(connection);
      });
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
  if (connection.has_ended) {
    close_connection(connection);
    return;
  }
  if (session.is_working()) {
    set_phase(connection, Phase::working);
    if (session.kept_bytes() < kMaxKeptBytes) read(connection);
    return;
  }
  if (session.is_closing()) {
    linger_or_close(connection);
    return;
  }
  set_phase(connection, session.is_in_body() ? Phase::body : session.has_kept_bytes() ? Phase::head : Phase::idle);
  read(connection);
}

/// False when something is left to send, or the connection is closed now.
bool HttpServer::Impl::send_output(Connection& connection) {
  HttpOutput& out = connection.output;
  while (!out.empty()) {
    error_code error;
    std::size_t taken = 0;
    if (out.fill == 0) {
      taken = connection.socket.write_some(asio::buffer(out.bytes), error);
    } else {
      if (fill.empty()) fill.assign(kFillBytes, 'a');
      const std::array<asio::const_buffer, 2> parts = {asio::buffer(out.bytes), asio::buffer(fill, out.fill)};
      taken = connection.socket.write_some(parts, error);
    }
    if (error) {
      if (error != asio::error::would_block) close_connection(connection);
      return false;
    }
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

/// One timer per connection, which is moved when its deadline comes nearer and looks again when it was put off: a
/// request on an idle connection costs no timer.
void HttpServer::Impl::arm(Connection& connection) {
  if (connection.timer != 0) timers.cancel(connection.timer);
  connection.timer_at = connection.deadline;
  connection.timer = add_timer(connection.deadline, [&connection] {
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
  error_code ignored;
  connection.socket.shutdown(Socket::shutdown_send, ignored);
  set_phase(connection, Phase::lingering);
  read(connection);
}

void HttpServer::Impl::close_connection(Connection& connection) {
  error_code ignored;
  connection.socket.close(ignored);
  connection.is_open = false;
  --open_connections;
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
  if (connection.output.bytes.capacity() > kKeptCapacityBytes) connection.output.bytes.shrink_to_fit();
  // Always later: the caller may stand in one of its functions.
  ++connection.under_way;
  asio::post(context, [this, &connection] { settle(connection); });
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
  if (!connection.is_served) {
    look_at_the_clock();
    lend(connection);
  }
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
  try {
    auto impl = std::make_unique<Impl>(settings, std::move(handler));
    MPCA_TRY_VOID(impl->open());
    return HttpServer(std::move(impl));
  } catch (const boost::system::system_error& error) {
    return fail(ErrorCode::io, cat("cannot make an event loop: ", error.what()));
  }
}

int HttpServer::port() const { return impl_->port; }
int HttpServer::run() { return impl_->run(); }
int HttpServer::open_connections() const { return impl_->open_connections; }

void HttpServer::stop() { impl_->stop(); }

void HttpServer::post(std::function<void()> task) { asio::post(impl_->context, std::move(task)); }

void HttpServer::drain(Duration limit) {
  if (impl_->draining) return;
  impl_->look_at_the_clock();
  impl_->close_listener();
  impl_->draining = true;
  impl_->add_timer(impl_->now + limit, [impl = impl_.get()] { impl->stop(); });
  impl_->context.stop();
}

HttpServer::TimerId HttpServer::call_at(Duration time, std::function<void()> task) {
  return impl_->add_timer(time, std::move(task));
}

bool HttpServer::cancel(TimerId timer) { return impl_->timers.cancel(timer); }

}  // namespace mpca::net
