#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <future>
#include <optional>
#include <set>
#include <thread>

#include "lab/balancer.h"

namespace mpca::lab {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kAttempts = 2;
constexpr std::uint64_t kBodyLimit = std::uint64_t{64} << 20;

struct Upstream {
  explicit Upstream(asio::io_context& io) : socket(io) {}
  tcp::socket socket;
  boost::beast::flat_buffer buffer;
};

/// Shared with the requests that it still serves after it was taken out of the set.
struct BackendState {
  Backend backend;
  bool is_listed = true;
  int outstanding = 0;
  std::deque<std::unique_ptr<Upstream>> idle;
};

/// What the sessions share. All of it is used on the thread only, the counts aside.
struct Proxy {
  class Session;

  explicit Proxy(Listener listener) : acceptor(io, tcp::v4(), listener.release()), work(io.get_executor()) {
    accept();
    thread = std::jthread([this] { io.run(); });
  }
  ~Proxy();

  void accept();
  /// The backend with the fewest outstanding requests, in turn among equals; `avoided` only when it is the only one.
  std::shared_ptr<BackendState> pick(const BackendState* avoided);

  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::shared_ptr<BackendState>> backends;
  std::size_t turn = 0;
  std::set<Session*> sessions;
  struct {
    std::atomic<std::uint64_t> requests, answered, no_backend, bad_gateway, retried, client_gone, outstanding;
  } counts{};
  std::jthread thread;  // last: it uses all of the above
};

/// One client connection: a request at a time. Lives as long as one of its operations does, hence shared.
class Proxy::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Proxy& owner, tcp::socket socket) : owner_(owner), client_(std::move(socket)) {
    owner_.sessions.insert(this);
    error_code ignored;
    client_.set_option(tcp::no_delay(true), ignored);
  }
  ~Session() {
    leave_backend();
    owner_.sessions.erase(this);
  }

  void read_request() {
    parser_.emplace();
    parser_->body_limit(kBodyLimit);
    http::async_read(client_, client_buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->on_request(error); });
  }

  void drop() {
    error_code ignored;
    client_.close(ignored);
    if (upstream_) upstream_->socket.close(ignored);
  }

 private:
  void on_request(error_code error) {
    if (error) return;  // the client has gone, or what it says is not HTTP
    ++owner_.counts.requests;
    request_ = parser_->release();
    client_keeps_alive_ = request_.keep_alive();
    client_version_ = request_.version();
    request_.version(11);
    request_.erase(http::field::expect);
    request_.erase(http::field::upgrade);
    request_.keep_alive(true);
    attempt_ = 0;
    is_client_gone_ = false;
    watch_client();
    try_backend();
  }

  /// Learns that the client has left while its request is with a backend.
  void watch_client() {
    client_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), attempt = ++watch_](error_code error) {
      if (error || attempt != self->watch_) return;
      error_code peek_error;
      char byte;
      self->client_.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, peek_error);
      if (!peek_error) return;  // it has sent its next request already
      self->is_client_gone_ = true;
      error_code ignored;
      if (self->upstream_) self->upstream_->socket.close(ignored);
    });
  }

  void try_backend() {
    const std::shared_ptr<BackendState> avoided = std::exchange(backend_, nullptr);
    backend_ = owner_.pick(avoided.get());
    if (!backend_) {
      ++owner_.counts.no_backend;
      return answer(http::status::service_unavailable, "no backend is ready\n");
    }
    ++attempt_;
    ++backend_->outstanding;
    ++owner_.counts.outstanding;
    if (!backend_->idle.empty()) {
      upstream_ = std::move(backend_->idle.back());
      backend_->idle.pop_back();
      return write_upstream();
    }
    upstream_ = std::make_unique<Upstream>(owner_.io);
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(backend_->backend.port));
    upstream_->socket.async_connect(endpoint, [self = shared_from_this()](error_code error) {
      if (error) return self->fail_attempt();
      error_code ignored;
      self->upstream_->socket.set_option(tcp::no_delay(true), ignored);
      self->write_upstream();
    });
  }

  void write_upstream() {
    http::async_write(upstream_->socket, request_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->fail_attempt();
      self->read_upstream();
    });
  }

  void read_upstream() {
    response_parser_.emplace();
    response_parser_->body_limit(kBodyLimit);
    if (request_.method() == http::verb::head) response_parser_->skip(true);
    http::async_read(upstream_->socket, upstream_->buffer, *response_parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->on_response(error); });
  }

  void on_response(error_code error) {
    if (error) return fail_attempt();
    http::response<http::string_body> response = response_parser_->release();
    if (response.keep_alive() && backend_->is_listed && upstream_->socket.is_open()) {
      backend_->idle.push_back(std::move(upstream_));
    }
    leave_backend();
    ++owner_.counts.answered;
    write_client(std::move(response));
  }

  void fail_attempt() {
    upstream_.reset();
    const std::shared_ptr<BackendState> failed = backend_;
    leave_backend();
    if (is_client_gone_ || !client_.is_open()) {
      ++owner_.counts.client_gone;
      return;
    }
    if (attempt_ < kAttempts) {
      ++owner_.counts.retried;
      backend_ = failed;
      return try_backend();
    }
    ++owner_.counts.bad_gateway;
    answer(http::status::bad_gateway, "the backend's connection failed\n");
  }

  void leave_backend() {
    upstream_.reset();
    if (!backend_) return;
    --backend_->outstanding;
    --owner_.counts.outstanding;
    backend_ = nullptr;
  }

  void answer(http::status status, std::string_view text) {
    http::response<http::string_body> response(status, 11);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.body() = text;
    response.prepare_payload();
    write_client(std::move(response));
  }

  void write_client(http::response<http::string_body> response) {
    ++watch_;  // what the client sends from here on is its next request
    response_ = std::move(response);
    response_.version(client_version_);
    response_.keep_alive(client_keeps_alive_);
    http::async_write(client_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      if (self->client_keeps_alive_) return self->read_request();
      error_code ignored;
      self->client_.shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  Proxy& owner_;
  tcp::socket client_;
  boost::beast::flat_buffer client_buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::request<http::string_body> request_;
  std::optional<http::response_parser<http::string_body>> response_parser_;
  http::response<http::string_body> response_;
  bool client_keeps_alive_ = false;
  unsigned client_version_ = 11;
  bool is_client_gone_ = false;
  int attempt_ = 0;
  int watch_ = 0;
  std::shared_ptr<BackendState> backend_;  // while the request is with it
  std::unique_ptr<Upstream> upstream_;
};

Proxy::~Proxy() {
  // Every operation ends with an error and takes its session along, while what they refer to is still there.
  asio::post(io, [this] {
    error_code ignored;
    acceptor.close(ignored);
    for (Session* session : sessions) session->drop();
    backends.clear();
    work.reset();
  });
  thread.join();
}

void Proxy::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Session>(*this, std::move(socket))->read_request();
    accept();
  });
}

std::shared_ptr<BackendState> Proxy::pick(const BackendState* avoided) {
  std::shared_ptr<BackendState> best;
  for (std::size_t i = 0; i < backends.size(); ++i) {
    const auto& candidate = backends[(turn + i) % backends.size()];
    if (candidate.get() == avoided && backends.size() > 1) continue;
    if (!best || candidate->outstanding < best->outstanding) best = candidate;
  }
  ++turn;
  return best;
}

class BuiltInBalancer final : public Balancer {
 public:
  explicit BuiltInBalancer(Listener listener) : port_(listener.port()), proxy_(std::move(listener)) {}

  int port() const override { return port_; }
  void set_backends(const std::vector<Backend>& wanted) override;
  BalancerCounts counts() const override;
  void restart() override;

 private:
  int port_;
  Proxy proxy_;
};

void BuiltInBalancer::set_backends(const std::vector<Backend>& wanted) {
  std::promise<void> done;
  asio::post(proxy_.io, [&] {
    std::vector<std::shared_ptr<BackendState>> next;
    for (const Backend& backend : wanted) {
      const auto same = std::find_if(proxy_.backends.begin(), proxy_.backends.end(),
                                     [&](const auto& state) { return state->backend == backend; });
      if (same != proxy_.backends.end()) {
        next.push_back(*same);
      } else {
        next.push_back(std::make_shared<BackendState>());
        next.back()->backend = backend;
      }
    }
    for (const auto& state : proxy_.backends) {
      if (std::find(next.begin(), next.end(), state) != next.end()) continue;
      state->is_listed = false;
      state->idle.clear();
    }
    proxy_.backends = std::move(next);
    done.set_value();
  });
  done.get_future().wait();
}

BalancerCounts BuiltInBalancer::counts() const {
  const auto& counts = proxy_.counts;
  return {.requests = counts.requests,
          .answered = counts.answered,
          .no_backend = counts.no_backend,
          .bad_gateway = counts.bad_gateway,
          .retried = counts.retried,
          .client_gone = counts.client_gone,
          .outstanding = counts.outstanding};
}

void BuiltInBalancer::restart() {
  std::promise<void> done;
  asio::post(proxy_.io, [&] {
    for (Proxy::Session* session : proxy_.sessions) session->drop();
    for (const auto& state : proxy_.backends) state->idle.clear();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace

std::unique_ptr<Balancer> built_in_balancer(Listener listener) {
  return std::make_unique<BuiltInBalancer>(std::move(listener));
}

}  // namespace mpca::lab
