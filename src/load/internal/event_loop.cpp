#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "core/os/real_clock.h"
#include "load/internal/asio_parts.h"

namespace mpca::load {
namespace {

using boost::system::error_code;

// An idle connection costs this much; an answer that fills it is read on with the thread's large buffer.
constexpr std::size_t kConnectionBufferBytes = 2048;
// Between two looks at the clock, so that answers that never end cannot keep requests from being sent on time.
constexpr int kEventsAtOnce = 64;
constexpr int kLargeReadsAtOnce = 16;

class PlainStream final : public Stream {
 public:
  PlainStream(EventLoop& loop, StreamUser& user) : loop_(loop.impl()), user_(user), socket_(loop_.context) {}

  void connect(const Address& address) override;
  void write(std::string_view bytes) override;
  bool is_writing() const override { return is_writing_; }
  void close() override;

 private:
  void read();
  void on_read(const error_code& error, std::size_t size);
  bool read_on();
  void break_later(const error_code& error);
  void settle();

  EventLoop::Impl& loop_;
  StreamUser& user_;
  Socket socket_;
  bool is_open_ = false;
  bool is_writing_ = false;
  int under_way_ = 0;  // handlers that will still be called
  std::array<char, kConnectionBufferBytes> buffer_;
};

void PlainStream::connect(const Address& address) {
  is_open_ = true;
  is_writing_ = false;
  if (const error_code error = open_socket(socket_, address); error) return break_later(error);
  ++under_way_;
  socket_.async_connect(endpoint_of(address), [this](const error_code& error) {
    --under_way_;
    if (!is_open_) return settle();
    if (error) return user_.on_broken(failure_of(error));
    user_.on_connected();
    if (is_open_) read();
  });
}

void PlainStream::read() {
  ++under_way_;
  socket_.async_read_some(asio::buffer(buffer_),
                          [this](const error_code& error, std::size_t size) { on_read(error, size); });
}

void PlainStream::on_read(const error_code& error, std::size_t size) {
  --under_way_;
  if (!is_open_) return settle();
  if (error) return user_.on_broken(failure_of(error));
  user_.on_bytes({buffer_.data(), size});
  if (is_open_ && (size < buffer_.size() || read_on()) && is_open_) read();
}

// What a filled buffer left behind, in large pieces.
//   returns  false when the connection broke
bool PlainStream::read_on() {
  for (int i = 0; i < kLargeReadsAtOnce && is_open_; ++i) {
    error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(loop_.large_buffer), error);
    if (error == asio::error::would_block) return true;
    if (error) {
      user_.on_broken(failure_of(error));
      return false;
    }
    user_.on_bytes({loop_.large_buffer.data(), size});
  }
  return true;
}

void PlainStream::write(std::string_view bytes) {
  error_code error;
  std::size_t sent = socket_.write_some(asio::buffer(bytes), error);
  if (error == asio::error::would_block) {
    error.clear();
    sent = 0;
  }
  // A connection that the server closed says so to the reader as well, after whatever it had sent before.
  if (error == asio::error::broken_pipe || error == asio::error::connection_reset) return;
  if (error) return break_later(error);
  if (sent == bytes.size()) return;
  is_writing_ = true;
  ++under_way_;
  asio::async_write(socket_, asio::buffer(bytes.substr(sent)), [this](const error_code&, std::size_t) {
    --under_way_;
    is_writing_ = false;
    if (!is_open_) settle();
  });
}

void PlainStream::break_later(const error_code& error) {
  ++under_way_;
  asio::post(loop_.context, [this, why = failure_of(error)] {
    --under_way_;
    if (!is_open_) return settle();
    user_.on_broken(why);
  });
}

void PlainStream::close() {
  is_open_ = false;
  error_code ignored;
  socket_.close(ignored);
  // Always later: the caller may stand in one of our handlers.
  ++under_way_;
  asio::post(loop_.context, [this] {
    --under_way_;
    settle();
  });
}

void PlainStream::settle() {
  if (!is_open_ && under_way_ == 0) user_.on_quiet();
}

}  // namespace

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::Impl::arm(Duration until) {
  if (armed_until <= until) return;
  armed_until = until;
  timer.expires_at(asio::steady_timer::time_point(until));
  timer.async_wait([this](const error_code& error) {
    if (!error) armed_until = Duration::max();
  });
}

void EventLoop::run_until(Duration until) {
  if (until > os::monotonic_now()) {
    impl_->arm(until);
    impl_->context.run_one();
  }
  for (int i = 0; i < kEventsAtOnce && impl_->context.poll_one() > 0; ++i) {
  }
}

std::unique_ptr<Stream> make_plain_stream(EventLoop& loop, StreamUser& user) {
  return std::make_unique<PlainStream>(loop, user);
}

error_code open_socket(Socket& socket, const Address& address) {
  error_code error;
  const auto endpoint = endpoint_of(address);
  socket.open(endpoint.protocol(), error);
  if (!error) socket.non_blocking(true, error);
  if (!error && address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return error;
}

Failure failure_of(const error_code& error) {
  if (error == asio::error::eof) return Failure::connection_closed;
  if (error == asio::error::connection_refused) return Failure::connection_refused;
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) return Failure::connection_reset;
  if (error == asio::error::timed_out) return Failure::timeout;
  if (error == asio::error::host_unreachable || error == asio::error::network_unreachable) return Failure::unreachable;
  if (error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system) {
    return Failure::too_many_open_files;
  }
  if (error == boost::system::errc::address_not_available) return Failure::no_local_port;
  return Failure::connection_failed;
}

}  // namespace mpca::load
