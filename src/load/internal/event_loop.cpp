#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "core/os/real_clock.h"
#include "load/internal/socket_stream.h"

namespace mpca::load {
namespace {

constexpr int kEventsAtOnce = 64;  // between two looks at the clock: answers must not keep requests from being sent
constexpr int kReadsAtOnce = 16;   // of one connection, for the same reason

}  // namespace

EventLoop::Impl::Impl() : epoll(epoll_create1(EPOLL_CLOEXEC)) {
  MPCA_CHECK(epoll >= 0, "epoll is there when a file descriptor is");
  // The kernel may else wake this thread 50 us late, to save power.
  prctl(PR_SET_TIMERSLACK, 1UL);
  // OpenSSL writes without MSG_NOSIGNAL.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
}

EventLoop::Impl::~Impl() { close(epoll); }

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run_until(Duration until) {
  Impl& loop = *impl_;
  Duration wait = loop.later.empty() ? std::max(Duration::zero(), until - os::monotonic_now()) : Duration::zero();
  epoll_event events[kEventsAtOnce];
  int ready = -1;
  if (loop.has_precise_wait) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
    const timespec time{static_cast<time_t>(seconds.count()), static_cast<long>((wait - seconds).count())};
    ready = epoll_pwait2(loop.epoll, events, kEventsAtOnce, &time, nullptr);
    if (ready < 0 && errno == ENOSYS) loop.has_precise_wait = false;  // before Linux 5.11
  }
  if (!loop.has_precise_wait) {
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(wait);  // the rest is waited for actively
    ready = epoll_wait(loop.epoll, events, kEventsAtOnce, static_cast<int>(milliseconds.count()));
  }
  for (int i = 0; i < ready; ++i) static_cast<SocketStream*>(events[i].data.ptr)->on_ready(events[i].events);
  // Those that a task puts off have their turn the next time.
  const std::vector<Impl::Task> tasks = std::exchange(loop.later, {});
  for (const Impl::Task& task : tasks) task.stream->on_later(task.what, task.why);
}

SocketStream::~SocketStream() {
  if (socket_ >= 0) ::close(socket_);
}

void SocketStream::connect(const Address& address) {
  state_ = State::connecting;
  unsent_ = {};
  const auto fail = [this](int error) { loop_.later.push_back({this, Later::be_broken, failure_of(error)}); };
  socket_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail(errno);
  if (address.storage.ss_family != AF_UNIX) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
      errno != EINPROGRESS) {
    return fail(errno);
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  if (epoll_ctl(loop_.epoll, EPOLL_CTL_ADD, socket_, &event) != 0) fail(errno);
}

void SocketStream::on_ready(std::uint32_t events) {
  if (state_ == State::connecting || state_ == State::shaking_hands) go_on_connecting(events);
  if (state_ != State::open) return;  // also when it was closed after epoll had told of it
  if (!unsent_.empty()) flush();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read((events & ~(EPOLLIN | EPOLLOUT)) != 0);
}

void SocketStream::go_on_connecting(std::uint32_t events) {
  if (state_ == State::connecting) {
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0) return;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return user_.on_broken(failure_of(error));
    state_ = State::shaking_hands;
  }
  const Transfer shaken = shake_hands();
  if (shaken.step == Step::later) return;
  if (shaken.step == Step::broken) return user_.on_broken(shaken.why);
  state_ = State::open;
  user_.on_connected();
  // A handshake may have taken in the beginning of what follows it.
  if (state_ == State::open && !is_empty_after_short_receive()) read(false);
}

// Until there is no more, since epoll tells of each arrival once.
void SocketStream::read(bool is_ending) {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const Transfer received = receive(loop_.buffer.data(), loop_.buffer.size());
    if (received.step == Step::later) return;
    if (received.step == Step::broken) return user_.on_broken(received.why);
    user_.on_bytes({loop_.buffer.data(), received.bytes});
    if (state_ != State::open) return;
    if (received.bytes < loop_.buffer.size() && is_empty_after_short_receive() && !is_ending) return;
  }
  loop_.later.push_back({this, Later::read_on, {}});
}

void SocketStream::write(std::string_view bytes) {
  unsent_ = bytes;
  flush();
}

void SocketStream::flush() {
  while (!unsent_.empty()) {
    const Transfer sent = send(unsent_);
    if (sent.step == Step::later) return;
    if (sent.step == Step::broken) {
      unsent_ = {};
      // A connection that the server closed says so to the reader as well, after whatever it had sent before.
      const bool reader_hears = sent.why == Failure::connection_reset || sent.why == Failure::connection_closed;
      loop_.later.push_back({this, reader_hears ? Later::read_on : Later::be_broken, sent.why});
      return;
    }
    unsent_.remove_prefix(sent.bytes);
  }
}

void SocketStream::close() {
  forget_connection();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  state_ = State::closed;
  unsent_ = {};
  // Always later: the caller may stand in one of our handlers.
  loop_.later.push_back({this, Later::be_quiet, {}});
}

void SocketStream::on_later(Later what, Failure why) {
  if (what == Later::be_quiet) return user_.on_quiet();
  if (state_ == State::closed) return;
  if (what == Later::be_broken) return user_.on_broken(why);
  if (state_ == State::open) read(false);
}

SocketStream::Transfer SocketStream::receive(char* buffer, std::size_t size) {
  const ssize_t got = recv(socket_, buffer, size, 0);
  if (got > 0) return {Step::done, static_cast<std::size_t>(got), {}};
  if (got == 0) return {Step::broken, 0, Failure::connection_closed};
  if (errno == EAGAIN || errno == EINTR) return {Step::later, 0, {}};
  return {Step::broken, 0, failure_of(errno)};
}

SocketStream::Transfer SocketStream::send(std::string_view bytes) {
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return {Step::done, static_cast<std::size_t>(sent), {}};
  if (errno == EAGAIN || errno == EINTR) return {Step::later, 0, {}};
  return {Step::broken, 0, failure_of(errno)};
}

std::unique_ptr<Stream> make_plain_stream(EventLoop& loop, StreamUser& user) {
  return std::make_unique<SocketStream>(loop, user);
}

Failure failure_of(int system_error) {
  switch (system_error) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket that is not there
      return Failure::connection_refused;
    case ECONNRESET:
    case EPIPE:
      return Failure::connection_reset;
    case ETIMEDOUT:
      return Failure::timeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Failure::unreachable;
    case EMFILE:
    case ENFILE:
      return Failure::too_many_open_files;
    case EADDRNOTAVAIL:
      return Failure::no_local_port;
    default:
      return Failure::connection_failed;
  }
}

}  // namespace mpca::load
